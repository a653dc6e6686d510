/*
 * stress.c: chooses the orders of its requests so that thousands of allocations fill memory, on a
 * small machine as on a large one.
 *
 * Each CPU has a table of slots, with an allocation in each or none, on its own node; its own
 * random numbers; and an equal part of memory to fill. CPU 0 shows what comes of it, looks for keys
 * and for plugged memory, and between two rounds, while all CPUs stand still, calls mm_check().
 *
 * The order of most requests is the least of three random numbers, so small orders are the most
 * frequent. The numbers go up to run.top_order, which is a sixteenth of a CPU's part of memory or
 * MAX_PAGE_ORDER. One request in ONE_OF_ANY has a random order up to MAX_PAGE_ORDER, even if memory
 * has no such run.
 *
 * A request is refused only after all CPUs have emptied their frame caches, which takes long where
 * CPUs share the host's cores. So the next HASTY requests of that CPU are refused without that.
 *
 * One allocation in ONE_OF_PASSED is freed by another CPU: it is put into the inbox of that CPU, in
 * exchange for what is there, which is freed here.
 *
 * What is held has an owner word of its own in its descriptor, and in its frames words made from
 * that and from the frame's number; both are checked when it is freed. Of large memory, this
 * concerns the frames of some blocks only, about VERIFIED_FRAMES of them: an emulator has to supply
 * the memory that is written to.
 */
#include "kernel/test/stress.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/steps.h"
#include "kernel/picture/picture.h"
#include "kernel/test/crew.h"
#include "lib/format.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define FRAMES_PER_SLOT 8
#define ONE_OF_ANY      256 /* one request of so many is for any order */
#define HASTY           256 /* requests after one that waited for all CPUs, and was refused */
#define ONE_OF_PASSED   16
#define MIN_SLOTS       256          /* of a CPU */
#define MAX_SLOTS       (1ull << 18) /* of all CPUs: 2 MiB of pointers */
#define VERIFIED_FRAMES (1ull << 20)
#define STEPS           32 /* steps of a round; a live picture follows each */
#define IDLES           2  /* calls of arch_idle(), 1/20 s at most, between two pictures */
#define MAX_SAID        8  /* wrong frames that are reported one by one */

static const unsigned int shares[] = { 90, 30, 70, 10 };

/*
 * A CPU that takes part. CPU 0 reads the counts of others while these work, for the picture: they
 * are written and read by add() and get() alone.
 */
struct worker {
	unsigned int cpu, table_order;
	uint64_t nr_slots;
	unsigned int nr_hasty; /* requests to come that do not wait for other CPUs */
	uint64_t random;       /* xorshift64's number, never 0 */
	uint64_t nr_allocated, nr_refused, nr_verified, nr_wrong, nr_foreign;
	uint64_t used;            /* frames in the slots */
	uint64_t held[NR_ORDERS]; /* allocations in the slots, by order */
	struct page *inbox
	    __attribute__((aligned(MM_LINE))); /* from another CPU, to be freed here */
	struct page *slot[] __attribute__((aligned(MM_LINE))); /* each an allocation, or null */
};

static struct {
	struct worker *worker[MM_MAX_CPUS]; /* by CPU; null: it takes no part */
	unsigned int nr_workers;
	unsigned int cpu[MM_MAX_CPUS]; /* the numbers of those that take part */
	uint64_t all;                  /* frames that were free at the beginning */
	unsigned long managed;         /* frames that the allocator had then */
	uint64_t verify_one_of;        /* one block of so many is verified */
	unsigned int top_order;
	enum stress_display display;
	uint64_t round;
	unsigned int step; /* of this round, that CPU 0 has begun */
	unsigned long nr_violations;
	uint64_t nr_said;
} run;

static void add(uint64_t *count, uint64_t n)
{
	__atomic_store_n(count, *count + n, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* Runs the body for each CPU that takes part. w is its worker. */
#define for_each_worker(w)                                                                      \
	for (unsigned int i_ = 0; i_ < run.nr_workers && ((w) = run.worker[run.cpu[i_]], true); \
	     i_++)

static uint64_t random_below(struct worker *w, uint64_t limit)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % limit;
}

static unsigned int random_order(struct worker *w)
{
	unsigned int least = run.top_order;

	if (random_below(w, ONE_OF_ANY) == 0)
		return (unsigned int)random_below(w, NR_ORDERS);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int order = (unsigned int)random_below(w, run.top_order + 1);

		least = order < least ? order : least;
	}
	return least;
}

/* Returns flags for one of the zones: of sixteen requests one is for DMA, two for DMA32. */
static gfp_t random_gfp(struct worker *w)
{
	uint64_t number = random_below(w, 16);

	if (number == 0)
		return GFP_DMA;
	return number <= 2 ? GFP_DMA32 : GFP_KERNEL;
}

/* ---- what the frames hold ---- */

/* 2^64 / golden ratio. Multiplication by it changes the upper bits whatever bit differs. */
#define GOLDEN 0x9e3779b97f4a7c15ull

/*
 * The blocks are chosen by their numbers, so that the same frames are written to in all rounds; but
 * not at equal distances, at which memory might have something else of its own.
 */
static bool is_verified(pfn_t block)
{
	return (block * GOLDEN >> 32) % run.verify_one_of == 0;
}

/*
 * Writes the first and the last word of each frame of an allocation, or, with check, compares them:
 * those frames that are verified. owner is its owner word.
 */
static void frames_do(struct worker *w, struct page *page, unsigned int order, uint64_t owner,
		      bool check)
{
	pfn_t pfn = page_to_pfn(page), end = pfn + ((pfn_t)1 << order), stop;

	for (; pfn < end; pfn = stop) {
		stop = (pfn | (BLOCK_FRAMES - 1)) + 1;
		stop = stop < end ? stop : end;
		if (!is_verified(pfn / BLOCK_FRAMES))
			continue;
		add(&w->nr_verified, check ? stop - pfn : 0);
		for (pfn_t i = pfn; i < stop; i++) {
			volatile uint64_t *words = phys_to_virt(PFN_PHYS(i));
			volatile uint64_t *last = words + PAGE_SIZE / sizeof(*words) - 1;
			uint64_t word = owner * GOLDEN ^ i;

			if (!check) {
				*words = word;
				*last = ~word;
				continue;
			}
			if (*words == word && *last == ~word)
				continue;
			add(&w->nr_wrong, 1);
			if (__atomic_fetch_add(&run.nr_said, 1, __ATOMIC_RELAXED) < MAX_SAID)
				printk("stress: frame 0x%llx, which CPU %llu had allocated, does "
				       "not hold what was written to it\n",
				       ULL(i), ULL(owner % MM_MAX_CPUS));
		}
	}
}

/* ---- allocating and freeing ---- */

static void fill(struct worker *w, struct page **slot)
{
	unsigned int order = random_order(w);
	gfp_t gfp = random_gfp(w);
	uint64_t owner;

	if (w->nr_hasty) {
		w->nr_hasty--;
		gfp |= __GFP_ATOMIC;
	}
	*slot = alloc_pages(gfp, order);
	if (!*slot) {
		add(&w->nr_refused, 1);
		w->nr_hasty = w->nr_hasty ? w->nr_hasty : HASTY;
		return;
	}
	add(&w->nr_allocated, 1);
	add(&w->held[order], 1);
	add(&w->used, 1ull << order);
	owner = w->nr_allocated * MM_MAX_CPUS + w->cpu;
	set_page_private(*slot, owner);
	frames_do(w, *slot, order, owner, false);
}

/* Frees an allocation, which may be another CPU's. */
static void check_and_free(struct worker *w, struct page *page)
{
	unsigned int order = page_order(page);
	uint64_t owner = page_private(page);

	frames_do(w, page, order, owner, true);
	add(&w->nr_foreign, owner % MM_MAX_CPUS != w->cpu);
	__free_pages(page, order);
}

/* Puts an allocation, or null, into the inbox of a CPU, and frees what is in there. */
static void exchange(struct worker *w, struct worker *other, struct page *page)
{
	page = __atomic_exchange_n(&other->inbox, page, __ATOMIC_ACQ_REL);
	if (page)
		check_and_free(w, page);
}

static void empty(struct worker *w, struct page **slot)
{
	unsigned int order = page_order(*slot);
	struct page *page = *slot;

	*slot = NULL;
	add(&w->held[order], -1ull);
	add(&w->used, -(1ull << order));
	if (run.nr_workers > 1 && random_below(w, ONE_OF_PASSED) == 0)
		exchange(w, run.worker[run.cpu[random_below(w, run.nr_workers)]], page);
	else
		check_and_free(w, page);
}

/* Returns the percentage of memory that this round fills or empties it to. */
static unsigned int share(void)
{
	return shares[run.round % (sizeof(shares) / sizeof(shares[0]))];
}

/* Replaces some allocations: in so many calls as a round has steps, an eighth of the slots. */
static void replace(struct worker *w)
{
	for (uint64_t i = 0; i < w->nr_slots / 8 / STEPS; i++) {
		struct page **slot = &w->slot[random_below(w, w->nr_slots)];

		if (*slot) {
			empty(w, slot);
			fill(w, slot);
		}
	}
}

/* Goes a step towards the round's share, and replaces some allocations. */
static void step(struct worker *w)
{
	const uint64_t goal = run.all / run.nr_workers * share() / 100;
	const bool up = w->used < goal;

	for (uint64_t i = 0; i < w->nr_slots / 8 && (w->used < goal) == up; i++) {
		struct page **slot = &w->slot[random_below(w, w->nr_slots)];

		if (up && !*slot)
			fill(w, slot);
		else if (!up && *slot)
			empty(w, slot);
	}
	replace(w);
	exchange(w, w, NULL);
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

/* Returns the sum of a count of all workers: field is its place in a worker, in bytes. */
static uint64_t sum_of(size_t field)
{
	const struct worker *w;
	uint64_t sum = 0;

	for_each_worker(w)
		sum += get((const uint64_t *)((const char *)w + field));
	return sum;
}

#define SUM_OF(field) sum_of(offsetof(struct worker, field))

static void format_held(char *text, size_t size, unsigned int from, unsigned int to)
{
	size_t length = (size_t)fmt_snprintf(text, size, "held of order %u to %u:", from, to - 1);

	for (unsigned int order = from; order < to && length < size; order++)
		length += (size_t)fmt_snprintf(text + length, size - length, " %llu",
					       ULL(SUM_OF(held[order])));
}

static const struct picture_words *figures(void)
{
	static struct picture_words words;
	const size_t size = sizeof(words.line[0]);
	uint64_t counts[NR_ORDERS] = { 0 }, sum = 0, in_blocks = 0;
	unsigned int largest = 0;
	char text[SIZE_TEXT];

	drain_all_pages();
	add_counts(counts);
	for (unsigned int order = 0; order < NR_ORDERS; order++) {
		sum += counts[order] << order;
		in_blocks += order >= BLOCK_ORDER ? counts[order] << order : 0;
		largest = counts[order] ? order : largest;
	}
	fmt_snprintf(words.line[0], size,
		     "stress: round %llu, to %u %% in use; %llu allocated, %llu refused",
		     ULL(run.round + 1), share(), ULL(SUM_OF(nr_allocated)),
		     ULL(SUM_OF(nr_refused)));
	format_held(words.line[1], size, 0, BLOCK_ORDER);
	format_held(words.line[2], size, BLOCK_ORDER, NR_ORDERS);
	fmt_snprintf(
	    words.line[3], size, "in use: %llu %%; free: %s, the largest block of order %u",
	    ULL(run.all ? SUM_OF(used) * 100 / run.all : 0), picture_size_text(sum, text), largest);
	fmt_snprintf(words.line[4], size,
		     "in whole 2 MiB blocks: %llu %% of what is free; CPUs at work: %u",
		     ULL(sum ? in_blocks * 100 / sum : 0), run.nr_workers);
	return &words;
}

/* ---- the two ways to show it ---- */

static bool in_line; /* a line for the prompt has begun */

/*
 * Acts on a key. Returns false if it ends the picture. A line that is typed for the prompt is kept
 * for it: it begins with a letter that is none of the picture's keys, or with f, as `free` does,
 * and ends with Enter. q ends the picture within a line, too, as no command has that letter: else a
 * key that was hit by mistake would keep the picture from ending.
 */
static bool act_on(int key)
{
	if (key == CTRL('C') || key == 'q')
		return false;
	if (!in_line)
		in_line = key >= 'a' && key <= 'z' && key != 'w';
	if (!in_line || key == KEY_REPORT)
		return picture_key(key);
	key_keep(key);
	in_line = key != '\r' && key != '\n';
	return true;
}

/* Acts on the keys that were typed. Returns false if one of them ends the picture. */
static bool keys(void)
{
	int key;

	while ((key = key_poll()) != KEY_NONE)
		if (!act_on(key))
			return false;
	return true;
}

static const struct picture_words *shown; /* of the last picture */

/* What CPU 0 does after each of its steps. It asks all to stop when the user does. */
static void show_live(void)
{
	const struct picture_words *words = figures();

	shown = words;
	picture_poll(words);
	picture_draw(words);
	for (unsigned int i = 0; i < IDLES; i++)
		arch_idle();
	if (!keys())
		crew_stop();
}

/*
 * A round, on each CPU. While CPU 0 shows a picture the others replace what they hold, and go the
 * next step when CPU 0 does.
 */
static void work_round(void *unused)
{
	struct worker *w = run.worker[port_cpu_id()];

	(void)unused;
	for (unsigned int i = 0; i < STEPS && !crew_stopped(); i++) {
		if (w->cpu == 0)
			__atomic_store_n(&run.step, i, __ATOMIC_RELAXED);
		while (run.display == STRESS_LIVE && !crew_stopped() &&
		       __atomic_load_n(&run.step, __ATOMIC_RELAXED) < i)
			replace(w);
		step(w);
		if (w->cpu != 0)
			continue;
		if (run.display == STRESS_LIVE) {
			show_live();
			continue;
		}
		hotplug_progress();
		if (console_interrupted())
			crew_stop();
	}
}

static void run_rounds(uint64_t rounds)
{
	bool going_on = true;

	for (run.round = 0; going_on && run.round < rounds; run.round++) {
		run.step = 0;
		crew_run(work_round, NULL);
		going_on = !crew_stopped();
		run.nr_violations += mm_check();
		if (run.display == STRESS_PRINTED && (run.round == 0 || run.round + 1 == rounds))
			picture_print(0, PICTURE_WHOLE, figures());
	}
}

/* ---- begin and end ---- */

static unsigned int log2_of(uint64_t number)
{
	return 63 - (unsigned int)__builtin_clzll(number);
}

/* Returns the place in a sequence of random numbers where a CPU begins. It is never 0. */
static uint64_t seed_of(uint64_t seed, unsigned int cpu)
{
	return (seed + cpu * GOLDEN) * 2 + 1;
}

/* Gives a CPU its table, of at most so many slots. Returns false if there is no memory for it. */
static bool add_worker(unsigned int cpu, uint64_t slots, uint64_t seed)
{
	unsigned int order = log2_of(PFN_UP(slots * sizeof(struct page *)) * 2 - 1);
	uint64_t room = ((PAGE_SIZE << order) - sizeof(struct worker)) / sizeof(struct page *);
	struct page *page = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, order);
	struct worker *w;

	if (!page)
		return false;
	w = page_address(page);
	w->cpu = cpu;
	w->table_order = order;
	w->nr_slots = slots < room ? slots : room;
	w->random = seed_of(seed, cpu);
	run.worker[cpu] = w;
	run.cpu[run.nr_workers++] = cpu;
	return true;
}

static void remove_workers(void)
{
	while (run.nr_workers) {
		struct worker *w = run.worker[run.cpu[--run.nr_workers]];

		run.worker[w->cpu] = NULL;
		free_pages((unsigned long)w, w->table_order);
	}
}

static bool begin(uint64_t seed)
{
	uint64_t slots = nr_free_pages() / FRAMES_PER_SLOT, part;

	slots = (slots < MAX_SLOTS ? slots : MAX_SLOTS) / crew_size();
	slots = slots > MIN_SLOTS ? slots : MIN_SLOTS;
	for_each_online_cpu(cpu)
		if (!add_worker(cpu, slots, seed)) {
			remove_workers();
			return false;
		}
	run.all = nr_free_pages();
	run.managed = totalram_pages();
	run.verify_one_of = run.managed / VERIFIED_FRAMES + 1;
	run.nr_violations = run.nr_said = 0;
	part = run.all / run.nr_workers;
	run.top_order = part < 16 ? 0 : log2_of(part / 16);
	if (run.top_order > MAX_PAGE_ORDER)
		run.top_order = MAX_PAGE_ORDER;
	return true;
}

static void empty_all(void *unused)
{
	struct worker *w = run.worker[port_cpu_id()];

	(void)unused;
	for (uint64_t i = 0; i < w->nr_slots; i++)
		if (w->slot[i])
			empty(w, &w->slot[i]);
	crew_meet();
	exchange(w, w, NULL); /* nobody puts anything in any more */
}

/* Prints what came of it. Returns whether anything is wrong. */
static bool report(bool missing)
{
	uint64_t wrong = SUM_OF(nr_wrong);

	console_printf("stress: CPUs %u, frames verified %llu, wrong %llu, allocations freed by "
		       "another CPU %llu\n",
		       run.nr_workers, ULL(SUM_OF(nr_verified)), ULL(wrong),
		       ULL(SUM_OF(nr_foreign)));
	console_printf("stress: %llu rounds, %llu allocations, %llu refused; %s\n", ULL(run.round),
		       ULL(SUM_OF(nr_allocated)), ULL(SUM_OF(nr_refused)),
		       missing             ? "memory is missing"
		       : run.nr_violations ? "mm_check found errors"
		       : wrong             ? "frames changed while they were held"
					   : "all memory is free again, mm_check found no error");
	return missing || run.nr_violations || wrong;
}

int stress(uint64_t rounds, uint64_t seed, enum stress_display display)
{
	bool missing, bad;

	if (!rounds || rounds > STRESS_MAX_ROUNDS) {
		console_printf("stress: %llu is no number of rounds; it takes 1 to %u\n",
			       ULL(rounds), STRESS_MAX_ROUNDS);
		return 1;
	}
	if (!begin(seed)) {
		console_printf("stress: %llu KiB are free, too little for a table of allocations "
			       "on each CPU\n",
			       ULL(nr_free_pages() << (PAGE_SHIFT - 10)));
		return 1;
	}
	run.display = display;
	in_line = false;
	if (display == STRESS_LIVE)
		picture_begin(0, PICTURE_WHOLE);
	run_rounds(rounds);
	if (display == STRESS_LIVE)
		picture_leave(shown);
	crew_run(empty_all, NULL);
	/* Memory that was added or removed meanwhile has changed this number. */
	missing = totalram_pages() == run.managed && nr_free_pages() != run.all;
	run.nr_violations += mm_check();
	bad = report(missing);
	remove_workers();
	drain_all_pages(); /* so that what is shown next does not depend on where frames were freed
			    */
	return bad;
}
