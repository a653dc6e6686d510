#include "tools/page/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "mm/page_state.h"
#include "tools/page/before.h"

#define MAX_SENTENCES 12
#define MAX_LENGTH    400

static struct {
	char text[MAX_SENTENCES][MAX_LENGTH];
	unsigned int nr, dropped;
} story;

void say(const char *fmt, ...)
{
	va_list ap;

	if (story.nr == MAX_SENTENCES) {
		story.dropped++;
		return;
	}
	va_start(ap, fmt);
	fmt_vsnprintf(story.text[story.nr++], MAX_LENGTH, fmt, ap);
	va_end(ap);
}

struct words zone_words(const struct zone *z)
{
	struct words w = { .text = "" };

	if (nr_node_ids() > 1)
		fmt_snprintf(w.text, sizeof(w.text), "zone %s of node %d", z->name, z->node);
	else
		fmt_snprintf(w.text, sizeof(w.text), "zone %s", z->name);
	return w;
}

struct words count_words(uint64_t nr, const char *what)
{
	struct words w = { .text = "" };

	fmt_snprintf(w.text, sizeof(w.text), "%llu %s%s", ULL(nr), what, nr == 1 ? "" : "s");
	return w;
}

struct words run_words(pfn_t pfn, unsigned int order)
{
	struct words w = { .text = "" };

	if (order)
		fmt_snprintf(w.text, sizeof(w.text), "the %llu frames from 0x%llx on",
			     1ull << order, ULL(pfn));
	else
		fmt_snprintf(w.text, sizeof(w.text), "frame 0x%llx", ULL(pfn));
	return w;
}

struct words cache_words(const struct cache_pair *p)
{
	struct words w = { .text = "" }, zone = zone_words(p->is->zone);

	if (p->number == CACHE_AWAY)
		fmt_snprintf(w.text, sizeof(w.text), "its cache away, of %s", zone.text);
	else if (p->is->order)
		fmt_snprintf(w.text, sizeof(w.text), "its frame cache of order %u of %s",
			     p->is->order, zone.text);
	else
		fmt_snprintf(w.text, sizeof(w.text), "its frame cache of %s", zone.text);
	return w;
}

const char *noun(unsigned int order)
{
	return order ? "run" : "frame";
}

/* Several operations, and a drain. */

/* Says what zones and frame caches have more, or less, than before. */
static void say_sums(void)
{
	for_each_populated_zone(z) {
		const struct zone_before *was = before_zone(z);
		uint64_t cached = cache_frames(z);

		if (z->nr_free == was->nr_free && cached == was->cached)
			continue;
		if (z->nr_free == was->nr_free)
			say("In %s, nr_free is %llu as before; the frame caches hold %s, before "
			    "%llu.",
			    zone_words(z).text, ULL(z->nr_free), count_words(cached, "frame").text,
			    ULL(was->cached));
		else
			say("In %s, nr_free %s from %llu to %llu; the frame caches hold %s, before "
			    "%llu.",
			    zone_words(z).text, z->nr_free > was->nr_free ? "rose" : "fell",
			    ULL(was->nr_free), ULL(z->nr_free), count_words(cached, "frame").text,
			    ULL(was->cached));
	}
}

static void say_many(const struct result *r)
{
	if (r->did == DID_ALLOC)
		say("CPU %u made %s of order %u: %llu served, %llu failed.", r->cpu,
		    count_words(r->count + r->failed, "request").text, r->order, ULL(r->count),
		    ULL(r->failed));
	else if (r->did == DID_FREE)
		say("CPU %u freed %s.", r->cpu, count_words(r->frees, "allocation").text);
	else
		say("At random: %s and %s; %s failed.", count_words(r->allocs, "allocation").text,
		    count_words(r->frees, "free").text, count_words(r->failed, "request").text);
	if (r->holds)
		say("Interrupts were disabled %s, as they are whenever a lock is taken.",
		    count_words(r->holds, "time").text);
	else if (r->count)
		say("No lock was taken: the frame caches served all of this.");
	say_sums();
}

/* Returns how many frames the caches of a CPU hold fewer than before. */
static uint64_t frames_drained(unsigned int cpu)
{
	uint64_t frames = 0;

	for_each_cache(i) {
		struct cache_pair p = cache_pair(cpu, i);

		frames += (uint64_t)-grown_by(&p) << p.is->order;
	}
	return frames;
}

static void say_drain(void)
{
	if (frames_drained(0) || frames_drained(1))
		say("drain_all_pages(): on each CPU cache_shut() returned what its frame caches "
		    "held to the bits, %s of CPU 0 and %llu of CPU 1; then cache_reopen() opened "
		    "them again, empty.",
		    count_words(frames_drained(0), "frame").text, ULL(frames_drained(1)));
	else
		say("drain_all_pages() found nothing in the frame caches.");
	say_sums();
}

static void tell(const struct session *s)
{
	const struct result *r = &s->result;
	bool single = r->did != DID_DRAIN && r->count + r->failed == 1;

	memset(&story, 0, sizeof(story));
	if (r->did == DID_NONE)
		return;
	if (r->did == DID_DRAIN)
		say_drain();
	else if (!single)
		say_many(r);
	else if (r->allocs)
		say_alloc(s);
	else if (r->frees)
		say_free(s);
	if (r->did == DID_ALLOC && r->failed)
		say_failed(&s->step);
	say_bits();
	say_bounds(single);
	say_tables();
}

void story_print(const struct session *s)
{
	tell(s);
	printf("[");
	for (unsigned int i = 0; i < story.nr; i++)
		printf("%s\n\"%s\"", i ? "," : "", story.text[i]);
	if (story.dropped)
		printf(",\n\"%u further change%s not listed.\"", story.dropped,
		       story.dropped == 1 ? " is" : "s are");
	printf("]");
}
