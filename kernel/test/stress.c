/*
 * stress.c: chooses the orders of its requests so that thousands of allocations fill memory, on a
 * small machine as on a large one.
 *
 * The order of most requests is the least of three random numbers, so small orders are the most
 * frequent. The numbers go up to run.top_order, which is a sixteenth of memory or MAX_PAGE_ORDER.
 * One request in ONE_OF_ANY has a random order up to MAX_PAGE_ORDER, even if memory has no such
 * run.
 */
#include "kernel/test/stress.h"

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/steps.h"
#include "kernel/picture/picture.h"
#include "lib/format.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define FRAMES_PER_SLOT 8
#define ONE_OF_ANY      256 /* one request of so many is for any order */
#define MIN_SLOTS       256
#define MAX_SLOTS       (1u << 18) /* 2 MiB of pointers */
#define STEPS           32         /* steps of a round; a live picture follows each */
#define IDLES           2          /* calls of arch_idle(), 1/20 s at most, between two pictures */
#define OWNER           0x737472657373ul

static const unsigned int shares[] = { 90, 30, 70, 10 };

static struct {
	struct page **slot; /* a table: each an allocation, or null */
	uint64_t nr_slots;
	unsigned int table_order;
	uint64_t all;          /* frames that were free at the beginning */
	unsigned long managed; /* frames that the allocator had then */
	uint64_t used;         /* those of them that the slots hold */
	unsigned int top_order;
	uint64_t random; /* xorshift64's number, never 0 */
	uint64_t round, nr_allocated, nr_refused;
	uint64_t held[NR_ORDERS]; /* allocations in the slots, by order */
} run;

static uint64_t random_below(uint64_t limit)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 7;
	run.random ^= run.random << 17;
	return run.random % limit;
}

static unsigned int random_order(void)
{
	unsigned int least = run.top_order;

	if (random_below(ONE_OF_ANY) == 0)
		return (unsigned int)random_below(NR_ORDERS);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int order = (unsigned int)random_below(run.top_order + 1);

		least = order < least ? order : least;
	}
	return least;
}

/* Returns flags for one of the zones: of sixteen requests one is for DMA, two for DMA32. */
static gfp_t random_gfp(void)
{
	uint64_t number = random_below(16);

	if (number == 0)
		return GFP_DMA;
	return number <= 2 ? GFP_DMA32 : GFP_KERNEL;
}

static void fill(struct page **slot)
{
	unsigned int order = random_order();

	*slot = alloc_pages(random_gfp(), order);
	if (!*slot) {
		run.nr_refused++;
		return;
	}
	set_page_private(*slot, OWNER);
	run.nr_allocated++;
	run.held[order]++;
	run.used += 1ull << order;
}

static void empty(struct page **slot)
{
	unsigned int order = page_order(*slot);

	__free_pages(*slot, order);
	*slot = NULL;
	run.held[order]--;
	run.used -= 1ull << order;
}

static void empty_all(void)
{
	for (uint64_t i = 0; i < run.nr_slots; i++)
		if (run.slot[i])
			empty(&run.slot[i]);
}

/* Returns the percentage of memory that this round fills or empties it to. */
static unsigned int share(void)
{
	return shares[run.round % (sizeof(shares) / sizeof(shares[0]))];
}

/*
 * Goes a step towards the round's share, and replaces some allocations: an eighth of the slots in a
 * round.
 */
static void step(void)
{
	const uint64_t goal = run.all * share() / 100;
	const bool up = run.used < goal;

	for (uint64_t i = 0; i < run.nr_slots / 8 && (run.used < goal) == up; i++) {
		struct page **slot = &run.slot[random_below(run.nr_slots)];

		if (up && !*slot)
			fill(slot);
		else if (!up && *slot)
			empty(slot);
	}
	for (uint64_t i = 0; i < run.nr_slots / 8 / STEPS; i++) {
		struct page **slot = &run.slot[random_below(run.nr_slots)];

		if (*slot) {
			empty(slot);
			fill(slot);
		}
	}
}

/* ---- figures ---- */

/* Adds the numbers of free blocks of each order, of all zones, to counts. */
static void add_counts(uint64_t counts[NR_ORDERS])
{
	for_each_zone(z) {
		uint64_t own[NR_ORDERS];

		zone_free_blocks(z, own);
		for (unsigned int order = 0; order < NR_ORDERS; order++)
			counts[order] += own[order];
	}
}

static void format_held(char *text, size_t size, unsigned int from, unsigned int to)
{
	size_t length = (size_t)fmt_snprintf(text, size, "held of order %u to %u:", from, to - 1);

	for (unsigned int order = from; order < to && length < size; order++)
		length += (size_t)fmt_snprintf(text + length, size - length, " %llu",
					       ULL(run.held[order]));
}

static const struct picture_words *figures(void)
{
	static struct picture_words words;
	const size_t size = sizeof(words.line[0]);
	uint64_t counts[NR_ORDERS] = { 0 }, sum = 0, in_blocks = 0;
	unsigned int largest = 0;
	char text[SIZE_TEXT];

	drain_caches();
	add_counts(counts);
	for (unsigned int order = 0; order < NR_ORDERS; order++) {
		sum += counts[order] << order;
		in_blocks += order >= BLOCK_ORDER ? counts[order] << order : 0;
		largest = counts[order] ? order : largest;
	}
	fmt_snprintf(words.line[0], size,
		     "stress: round %llu, to %u %% in use; %llu allocated, %llu refused",
		     ULL(run.round + 1), share(), ULL(run.nr_allocated), ULL(run.nr_refused));
	format_held(words.line[1], size, 0, BLOCK_ORDER);
	format_held(words.line[2], size, BLOCK_ORDER, NR_ORDERS);
	fmt_snprintf(
	    words.line[3], size, "in use: %llu %%; free: %s, the largest block of order %u",
	    ULL(run.all ? run.used * 100 / run.all : 0), picture_size_text(sum, text), largest);
	fmt_snprintf(words.line[4], size, "in whole 2 MiB blocks: %llu %% of what is free",
		     ULL(sum ? in_blocks * 100 / sum : 0));
	return &words;
}

/* ---- the two ways to show it ---- */

/* Acts on the keys that were typed. Returns false if one of them ends the picture. */
static bool keys(void)
{
	int key;

	while ((key = key_poll()) != KEY_NONE)
		if (!picture_key(key))
			return false;
	return true;
}

static void run_live(uint64_t rounds)
{
	bool going_on = true;

	picture_begin(0, PICTURE_WHOLE);
	for (run.round = 0; going_on && run.round < rounds; run.round++)
		for (unsigned int i = 0; going_on && i < STEPS; i++) {
			const struct picture_words *words;

			step();
			words = figures();
			picture_poll(words);
			picture_draw(words);
			for (unsigned int j = 0; j < IDLES; j++)
				arch_idle();
			going_on = keys();
		}
	picture_end();
}

static void run_printed(uint64_t rounds)
{
	for (run.round = 0; run.round < rounds && !console_interrupted(); run.round++) {
		hotplug_progress();
		for (unsigned int i = 0; i < STEPS; i++)
			step();
		if (run.round == 0 || run.round + 1 == rounds)
			picture_print(0, PICTURE_WHOLE, figures());
	}
}

/* ---- begin and end ---- */

static unsigned int log2_of(uint64_t number)
{
	return 63 - (unsigned int)__builtin_clzll(number);
}

static bool begin(uint64_t seed)
{
	uint64_t frames = nr_free_pages();
	uint64_t slots = frames / FRAMES_PER_SLOT;

	slots = slots < MIN_SLOTS ? MIN_SLOTS : slots > MAX_SLOTS ? MAX_SLOTS : slots;
	run.nr_slots = slots;
	run.table_order = log2_of(PFN_UP(slots * sizeof(struct page *)) * 2 - 1);
	run.slot = (struct page **)get_free_pages(__GFP_ZERO, run.table_order);
	run.all = nr_free_pages();
	run.managed = totalram_pages();
	run.used = run.nr_allocated = run.nr_refused = 0;
	run.random = seed * 2 + 1;
	run.top_order = run.all < 16 ? 0 : log2_of(run.all / 16);
	if (run.top_order > MAX_PAGE_ORDER)
		run.top_order = MAX_PAGE_ORDER;
	return run.slot;
}

int stress(uint64_t rounds, uint64_t seed, enum stress_display display)
{
	unsigned long wrong;
	bool missing;

	if (!begin(seed)) {
		console_printf("stress: no memory for a table of %llu allocations\n",
			       ULL(run.nr_slots));
		return 1;
	}
	if (display == STRESS_LIVE)
		run_live(rounds);
	else
		run_printed(rounds);
	empty_all();
	/* Memory that was added or removed meanwhile has changed this number. */
	missing = totalram_pages() == run.managed && nr_free_pages() != run.all;
	free_pages((unsigned long)run.slot, run.table_order);
	wrong = mm_check();
	console_printf("stress: %llu rounds, %llu allocations, %llu refused; %s\n", ULL(run.round),
		       ULL(run.nr_allocated), ULL(run.nr_refused),
		       missing || wrong ? "memory is missing, or mm_check found errors"
					: "all memory is free again, mm_check found no error");
	return missing || wrong;
}
