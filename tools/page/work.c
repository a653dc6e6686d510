#include "tools/page/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/numa.h"
#include "tests/host/sim/sim.h"
#include "tools/page/before.h"
#include "tools/page/work_parts.h"

#define SEED 1 /* of the boot */

/* What one part of a session leaves for the next. */
static struct {
	const char *steps;
	pfn_t at;
	const struct mapfile *map;
	uint64_t kernel_size;
	struct session session;
	const char *error;     /* NULL: nothing is wrong */
	const char *where;     /* the step that is being done; NULL: none */
	char text[64];         /* for error */
	uint64_t operations;   /* that were done */
	uint64_t random_state; /* of the generator of a random step */
} doing;

/* Copies the step at text into buf, cut to its size. Characters that no step has become `?`. */
static void copy_step(char *buf, size_t size, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] && text[i] != '_'; i++)
		buf[i] = text[i] > ' ' && text[i] <= '~' ? text[i] : '?';
	buf[i] = '\0';
}

/* Returns the step behind this one; NULL behind the last. */
static const char *next_step(const char *text)
{
	const char *end = strchr(text, '_');

	return end ? end + 1 : NULL;
}

/* Says which step is wrong, and in which way: two parts of a sentence. */
static void report_step(unsigned int number, const char *text, const char *what, const char *more)
{
	char step[48];

	copy_step(step, sizeof(step), text);
	fprintf(stderr, "step %u, `%s`: %s%s\n", number, step, what, more);
}

/* Returns whether all steps are well formed; says which one is not. */
static bool check_steps(const char *steps)
{
	const char *text = *steps ? steps : NULL;

	for (unsigned int number = 1; text; number++, text = next_step(text)) {
		const char *at = text, *expected;
		struct step step;

		expected = step_read(&at, &step);
		if (expected) {
			report_step(number, text, "expected ", expected);
			return false;
		}
	}
	return true;
}

/* Doing them. */

/* Returns a larger copy of an array of this many elements, and frees it. */
static void *grown(void *array, uint32_t nr, uint32_t room, size_t size)
{
	void *larger = malloc(room * size);

	if (!larger)
		panic("no memory for a session of %u allocations", room);
	if (nr)
		memcpy(larger, array, nr * size);
	free(array);
	return larger;
}

/* Makes room for another allocation. */
static void make_room(struct session *s)
{
	uint32_t room = s->room ? 2 * s->room : 64;

	if (s->nr_made + 1 < s->room)
		return;
	s->made = grown(s->made, s->room, room, sizeof(*s->made));
	s->held = grown(s->held, s->room, room, sizeof(*s->held));
	s->room = room;
}

/* Adds an allocation to those that are held. */
static void add_held(struct session *s, pfn_t pfn, unsigned int order, unsigned int cpu, bool hint)
{
	uint32_t number = ++s->nr_made;

	s->made[number] = (struct allocation){ .pfn = pfn,
					       .before = s->newest,
					       .place = s->nr_held,
					       .order = (uint8_t)order,
					       .cpu = (uint8_t)cpu,
					       .hint = hint,
					       .held = true };
	if (s->newest)
		s->made[s->newest].after = number;
	s->newest = number;
	s->held[s->nr_held++] = number;
}

/* Takes an allocation off those that are held. */
static void drop_held(struct session *s, uint32_t number)
{
	struct allocation *a = &s->made[number];
	uint32_t last = s->held[--s->nr_held];

	if (a->before)
		s->made[a->before].after = a->after;
	if (a->after)
		s->made[a->after].before = a->before;
	else
		s->newest = a->before;
	s->held[a->place] = last;
	s->made[last].place = a->place;
	a->held = false;
}

/* Notes what an operation of the step was about. */
static void note(struct result *r, const struct session *s, uint32_t number, unsigned int cpu)
{
	r->pfn = s->made[number].pfn;
	r->order = s->made[number].order;
	r->number = number;
	r->cpu = cpu;
	r->count++;
}

/* Counts an operation. Returns whether the session may do it; sets the error if not. */
static bool may_go_on(void)
{
	if (doing.operations++ < WORK_MAX_OPERATIONS)
		return true;
	doing.error = "a session has at most 4000000 allocations and frees";
	return false;
}

/* Makes one request on a CPU. Returns whether it was served. */
static bool alloc_one(struct session *s, unsigned int cpu, int node, gfp_t gfp, unsigned int order)
{
	struct result *r = &s->result;
	struct page *page;

	if (!may_go_on())
		return false;
	make_room(s);
	sim_cpu = cpu;
	page = node == NUMA_NO_NODE ? alloc_pages(gfp, order) : alloc_pages_node(node, gfp, order);
	r->cpu = cpu;
	r->order = order;
	r->failed += !page;
	if (!page)
		return false;
	add_held(s, page_to_pfn(page), order, cpu, gfp & __GFP_UNMOVABLE);
	note(r, s, s->nr_made, cpu);
	r->allocs++;
	return true;
}

static void do_alloc(struct session *s, const struct step *step)
{
	for (uint64_t i = 0; i < step->count && !doing.error; i++)
		if (!alloc_one(s, step->cpu, step->node, step->gfp, step->order) && step->all)
			return;
}

static void free_one(struct session *s, uint32_t number, unsigned int cpu)
{
	if (!may_go_on())
		return;
	sim_cpu = cpu;
	drop_held(s, number);
	__free_pages(pfn_to_page(s->made[number].pfn), s->made[number].order);
	note(&s->result, s, number, cpu);
	s->result.frees++;
}

/* Returns the number of the first allocation from this number on that is held; 0: there is none. */
static uint32_t held_from(const struct session *s, uint64_t number)
{
	for (; number && number <= s->nr_made; number++)
		if (s->made[number].held)
			return (uint32_t)number;
	return 0;
}

/* Says that an allocation cannot be freed. */
static void report_not_held(const struct session *s, uint64_t number)
{
	if (!number || number > s->nr_made)
		snprintf(doing.text, sizeof(doing.text),
			 "there is no allocation %llu; so far made: %u", (unsigned long long)number,
			 s->nr_made);
	else
		snprintf(doing.text, sizeof(doing.text), "allocation %llu is not held any more",
			 (unsigned long long)number);
	doing.error = doing.text;
}

static void do_free(struct session *s, const struct step *step)
{
	uint32_t number = step->last ? s->newest : held_from(s, step->number);

	if (step->last && !number && !step->all)
		doing.error = "no allocation is held";
	if (!step->last && (!number || (!step->counted && number != step->number)))
		report_not_held(s, step->number);
	for (uint64_t i = 0; i < step->count && number && !doing.error; i++) {
		const struct allocation *a = &s->made[number];
		uint32_t next = step->last ? a->before : a->after;

		free_one(s, number, step->cpu);
		number = next;
	}
}

/* Returns a random number: xorshift64* (Vigna, ACM TOMS 2016). */
static uint32_t next_random(void)
{
	uint64_t x = doing.random_state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	doing.random_state = x;
	return (uint32_t)(x * 0x2545f4914f6cdd1dull >> 32);
}

/* Returns an order: 0 half of the time, 1 to 3 mostly otherwise, 9 or 10 once in 16 times. */
static unsigned int random_order(void)
{
	static const uint8_t orders[32] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					    1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 7, 9, 10 };

	return orders[next_random() % 32];
}

static void do_random(struct session *s, const struct step *step)
{
	doing.random_state = (step->number + 1) * 0x9e3779b97f4a7c15ull;
	for (uint64_t i = 0; i < step->count && !doing.error; i++) {
		unsigned int cpu = step->both_cpus ? next_random() % WORK_CPUS : step->cpu;

		if (s->nr_held && next_random() % 2)
			free_one(s, s->held[next_random() % s->nr_held], cpu);
		else
			alloc_one(s, cpu, NUMA_NO_NODE, GFP_KERNEL, random_order());
	}
}

static void do_drain(struct session *s)
{
	sim_cpu = 0;
	drain_all_pages();
	s->result.count = 1;
}

static void do_step(struct session *s, const struct step *step)
{
	unsigned long holds = sim_holds;

	s->result = (struct result){ .did = step->kind, .pfn = PFN_NONE, .cpu = step->cpu };
	switch (step->kind) {
	case DID_ALLOC:
		do_alloc(s, step);
		break;
	case DID_FREE:
		do_free(s, step);
		break;
	case DID_RANDOM:
		do_random(s, step);
		break;
	default:
		do_drain(s);
	}
	s->result.holds = sim_holds - holds;
	sim_cpu = 0;
}

/* Does all steps; doing.where is the one that is being done. */
static void do_steps(struct session *s)
{
	const char *text = *doing.steps ? doing.steps : NULL, *next;

	for (; text && !doing.error; text = next) {
		const char *at = text;

		next = next_step(text);
		doing.where = text;
		s->nr_steps++;
		copy_step(s->text, sizeof(s->text), text);
		step_read(&at, &s->step);
		if (!next)
			before_note();
		do_step(s, &s->step);
	}
	if (!doing.error)
		doing.where = NULL;
}

/* Makes CPU 1 one of the second node that has memory, as scripts/run deals out CPUs to nodes. */
static void place_cpus(void)
{
	int first = MAX_NUMNODES, second = MAX_NUMNODES;
	const struct memblock_region *region;

	for_each_mem_region(region) {
		int nid = memblock_get_region_node(region);

		if (nid < first) {
			second = first;
			first = nid;
		} else if (nid > first && nid < second) {
			second = nid;
		}
	}
	if (second < MAX_NUMNODES)
		set_cpu_numa_node(1, second);
}

/* Boots the map and does the steps. */
static void begin(void *unused)
{
	struct sim_options options = {
		.pdpe1gb = true,
		.kernel_size = doing.kernel_size,
		.seed = SEED,
		.nodes = doing.map->nodes,
		.nr_nodes = doing.map->nr_nodes,
	};
	struct e820_taken kernel;

	(void)unused;
	sim_cpu = 0;
	sim_nr_cpus = WORK_CPUS; /* divides what frame caches may hold */
	if (sim_boot_memory(doing.map->entries, doing.map->nr, &options, &kernel, &doing.error))
		return;
	place_cpus();
	sim_hand_over(&options);
	do_steps(&doing.session);
}

static void print(void *unused)
{
	(void)unused;
	state_print(&doing.session, doing.at);
}

/* Reads the frame to show. Returns false, after a message, when it is none. */
static bool read_at(const char *at)
{
	char *end;

	doing.at = PFN_NONE;
	if (!at || !*at)
		return true;
	doing.at = strtoull(at, &end, at[0] == '0' && (at[1] | 0x20) == 'x' ? 16 : 10);
	if (*at >= '0' && *at <= '9' && !*end)
		return true;
	fprintf(stderr, "expected the number of a frame to show, decimal or with 0x\n");
	return false;
}

/* Runs a part of the session. Returns whether it came to its end; says what is wrong if not. */
static bool run(void (*part)(void *unused))
{
	bool panicked = sim_panics(part, NULL);
	const char *error = panicked ? sim_panic_text : doing.error;

	if (!error)
		return true;
	if (doing.where)
		report_step(doing.session.nr_steps, doing.where,
			    panicked ? "the allocator panicked: " : "", error);
	else
		fprintf(stderr, "%s\n", error);
	return false;
}

int work(const char *steps, const char *at, const struct mapfile *map, uint64_t kernel_size)
{
	int status = 2;

	memset(&doing, 0, sizeof(doing));
	doing.steps = steps;
	doing.map = map;
	doing.kernel_size = kernel_size;
	doing.session.result.pfn = PFN_NONE;
	if (check_steps(steps) && read_at(at) && run(begin) && run(print))
		status = 0;
	before_forget();
	free(doing.session.made);
	free(doing.session.held);
	sim_nr_cpus = 1;
	sim_cpu = 0;
	return status;
}
