/*
 * test_threads.c: tests the allocator with several threads, under ThreadSanitizer.
 *
 * Each of four threads plays a CPU. They allocate orders 0 to 9 at random and exchange what they
 * have through shared slots, so that most of it is freed by another thread than the one that
 * allocated it. A table of owners, which is changed atomically, shows a frame that was handed out
 * twice. The memory itself is written without atomics, so that the sanitizer reports an allocation
 * that is not ordered after the free before it. At the end each thread drains its frame caches,
 * mm_check() must find nothing, and as many frames must be free as before.
 *
 * Where a test has readers, the last thread asks all that may be asked without a lock (zone.h),
 * with each option of mm/debug.h in turn, while the others allocate and free. Where memory comes
 * and goes, the first thread adds it and removes it again.
 */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/hotplug.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/sim.h"

#define MIB        0x100000ull
#define THREADS    4
#define STEPS      20000
#define SLOTS      256 /* shared; each holds an allocation that no thread is using, or NULL */
#define MAX_ORDER  BLOCK_ORDER
#define ADDED      (0x100000000ull + 64 * MIB) /* where memory comes and goes */
#define ADDED_SIZE (256 * MIB)                 /* the largest size of it */
#define MAX_FRAMES ((ADDED + ADDED_SIZE) >> PAGE_SHIFT)

static atomic_uchar *owned; /* by frame: the owning thread's number plus 1; 0: none */
static _Atomic(struct page *) slots[SLOTS];
static atomic_ulong allocations, exhausted, twice;

struct worker {
	pthread_t thread;
	unsigned int cpu;
	uint64_t seed;
	void (*work)(struct worker *self);
};

static uint32_t random_below(struct worker *self, uint32_t limit)
{
	self->seed = self->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((self->seed >> 32) * limit >> 32);
}

/* Records the thread as owner of the frames, and writes to the first word of each. */
static void own(struct worker *self, struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		if (atomic_exchange_explicit(&owned[page_to_pfn(page) + i],
					     (unsigned char)(self->cpu + 1), memory_order_relaxed))
			atomic_fetch_add(&twice, 1);
		*(volatile uint64_t *)page_address(page + i) = self->cpu;
	}
	set_page_private(page, order);
}

static void disown(struct page *page, unsigned int order)
{
	for (pfn_t i = 0; i < (pfn_t)1 << order; i++) {
		*(volatile uint64_t *)page_address(page + i) = ~0ull;
		if (!atomic_exchange_explicit(&owned[page_to_pfn(page) + i], 0,
					      memory_order_relaxed))
			atomic_fetch_add(&twice, 1);
	}
}

static struct page *take(struct worker *self, unsigned int order)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC,
				      GFP_DMA32,  GFP_DMA,    __GFP_UNMOVABLE };
	gfp_t gfp = gfps[random_below(self, sizeof(gfps) / sizeof(gfps[0]))];
	struct page *page = alloc_pages(gfp, order);

	if (page) {
		own(self, page, order);
		atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&exhausted, 1, memory_order_relaxed);
	}
	return page;
}

static void give(struct page *page)
{
	unsigned int order;

	if (!page)
		return;
	order = (unsigned int)page_private(page);
	disown(page, order);
	__free_pages(page, order);
}

/* Puts page into a random slot, and frees what was there, which any thread may have put in. */
static void swap(struct worker *self, struct page *page)
{
	give(atomic_exchange(&slots[random_below(self, SLOTS)], page));
}

/* Allocates single frames mostly, but also every order up to a block. */
static void orders(struct worker *self)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int order = random_below(self, 4) ? 0 : random_below(self, MAX_ORDER + 1);

		swap(self, take(self, order));
	}
}

/* Allocates and frees more frames than a frame cache can hold, up to exhaustion. */
static void floods(struct worker *self)
{
	enum { FLOOD = 12000 };
	struct page **held = calloc(FLOOD, sizeof(struct page *));

	for (unsigned int round = 0; held && round < 4; round++) {
		unsigned int n = 0;

		while (n < FLOOD && (held[n] = take(self, 0)))
			n++;
		while (n)
			give(held[--n]);
	}
	free(held);
}

/* Splits allocations into frames, which are freed one by one; and allocates ranges by number. */
static void pieces(struct worker *self)
{
	for (unsigned int i = 0; i < STEPS / 20; i++) {
		unsigned int order = 1 + random_below(self, 4);
		struct page *page = take(self, order);
		pfn_t start = 4096 + random_below(self, 4096);

		if (page) {
			split_page(page, order);
			for (pfn_t j = 0; j < (pfn_t)1 << order; j++) {
				set_page_private(&page[j], 0);
				swap(self, page + j);
			}
		}
		if (alloc_contig_range(start, start + 4, MIGRATE_MOVABLE, GFP_KERNEL))
			continue;
		for (unsigned int j = 0; j < 4; j++)
			own(self, pfn_to_page(start + j), 0);
		for (unsigned int j = 0; j < 4; j++)
			swap(self, pfn_to_page(start + j));
	}
}

/* Two threads hold a reference to a frame each; a slot holds one reference. */
static void drop(struct page *page)
{
	if (page)
		put_page(page);
}

static void references(struct worker *self)
{
	for (unsigned int i = 0; i < STEPS / 2; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			continue;
		get_page(page);
		*(volatile uint64_t *)page_address(page) = self->cpu;
		drop(atomic_exchange(&slots[random_below(self, SLOTS)], page));
		if (random_below(self, 2))
			put_page(page);
		else
			__free_page(page);
		atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	}
}

/*
 * One thread writes to a frame and then drops its reference; the other sees, without any order,
 * that it has the last one, frees the frame into its own frame cache, gets it again and writes.
 * Freeing has to order that write after the first one. Two threads have a box for the frame.
 */
static void hand_to_and_fro(struct worker *self)
{
	static _Atomic(struct page *) boxes[THREADS / 2];
	_Atomic(struct page *) *box = &boxes[self->cpu / 2];
	struct page *page;

	for (unsigned int i = 0; i < STEPS / 4; i++) {
		if (self->cpu % 2) {
			while (!(page = atomic_exchange_explicit(box, NULL, memory_order_acquire)))
				sched_yield();
			*(volatile uint64_t *)page_address(page) = self->cpu;
			put_page(page);
			continue;
		}
		page = alloc_page(GFP_KERNEL);
		*(volatile uint64_t *)page_address(page) = self->cpu;
		get_page(page);
		atomic_store_explicit(box, page, memory_order_release);
		while (__atomic_load_n(&page->count, __ATOMIC_RELAXED) != 1)
			sched_yield();
		__free_page(page);
		atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	}
}

/* Allocates frames, which debug.h numbers. They are freed when all threads have ended. */
#define NUMBERED 5000
static struct page *numbered[THREADS][NUMBERED];

static void count_up(struct worker *self)
{
	for (unsigned int i = 0; i < NUMBERED; i++)
		numbered[self->cpu][i] = take(self, 0);
}

static void give_numbered(struct page *page)
{
	give(page);
	for (unsigned int cpu = 0; cpu < THREADS; cpu++)
		for (unsigned int i = 0; i < NUMBERED; i++) {
			give(numbered[cpu][i]);
			numbered[cpu][i] = NULL;
		}
}

/* The text of a report on a frame, and how much of it there is. */
static char report[256];
static int reported;

__attribute__((format(printf, 1, 2))) static int note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reported += vsnprintf(report + reported, sizeof(report) - (size_t)reported, fmt, ap);
	va_end(ap);
	return 0;
}

/* Returns whether the next allocation has the number after those of all threads. */
static bool numbers_are_right(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char number[40];

	reported = 0;
	page_owner_print(page_to_pfn(page), note);
	__free_page(page);
	snprintf(number, sizeof(number), ", allocation %lu\n", atomic_load(&allocations) + 1);
	if (strstr(report, number))
		return true;
	printf("# expected \"allocation %lu\" in: %s", atomic_load(&allocations) + 1, report);
	return false;
}

/* Allocations that are not freed while the threads run: answers about them must be exact. */
#define WATCHED 24
static struct page *watched[WATCHED];
static atomic_ulong wrong, looks;
static atomic_uint working; /* threads that allocate and free */

static unsigned int watched_order(unsigned int i)
{
	return i % (BLOCK_ORDER + 3);
}

static void look_at_watched(struct worker *self)
{
	for (unsigned int i = 0; i < WATCHED; i++) {
		unsigned int order = watched_order(i);
		pfn_t pfn = page_to_pfn(watched[i]) + random_below(self, 1u << order);

		if (page_state(pfn) != PAGE_ALLOCATED || page_head(pfn) != watched[i] ||
		    page_order(watched[i]) != order || page_count(watched[i]) != 1)
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
	}
}

static void look_at_all(void)
{
	struct page_owner_sum sums[4];
	uint64_t counts[NR_ORDERS];
	pfn_t start = 0, end;

	for (pfn_t pfn = 0x100000; pfn < 0x100000 + 4096; pfn += 37)
		(void)page_state(pfn);
	for_each_zone(z) {
		(void)zone_nr_free_pages(z);
		zone_free_blocks(z, counts);
	}
	if (nr_free_in_range(0, MAX_FRAMES) > MAX_FRAMES || !mem_map_touched())
		atomic_fetch_add(&wrong, 1);
	for (; next_free_range(&start, &end); start = end)
		if (end <= start)
			atomic_fetch_add(&wrong, 1);
	(void)page_owner_sums(sums, 4);
}

/* Allocates blocks until a request has asked every CPU for its caches and fails. Frees them. */
static void exhaust(struct worker *self)
{
	struct page *held[WATCHED];
	unsigned int n = 0;

	while (n < WATCHED && (held[n] = alloc_pages(GFP_DMA, BLOCK_ORDER))) {
		own(self, held[n++], BLOCK_ORDER);
		atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	}
	while (n)
		give(held[--n]);
}

static void readers(struct worker *self)
{
	if (self->cpu < THREADS - 1) {
		for (unsigned int i = 0; i < STEPS / 40; i++)
			swap(self,
			     take(self,
				  random_below(self, 4) ? 0 : random_below(self, MAX_ORDER + 1)));
		exhaust(self);
		atomic_fetch_sub(&working, 1);
		return;
	}
	do {
		look_at_watched(self);
		look_at_all();
		port_irq_restore(port_irq_save()); /* a request may wait for this CPU's answer */
	} while (atomic_load(&working));
}

static void nothing(void *argument)
{
	(void)argument;
}

/*
 * The first thread makes memory the records of frames beyond RAM, and takes it away again: when all
 * CPUs have answered since, it writes to it. The others look for these records, in which nobody has
 * a frame, and at their own.
 */
static void records_come_and_go(struct worker *self)
{
	enum { ROUNDS = 100, FRAMES = 512 };
	static uint64_t records[FRAMES * 4];
	const pfn_t start = MAX_FRAMES + 512;

	if (self->cpu) {
		atomic_fetch_sub(&working, 1);
		while ((int)atomic_load(&working) >= 0) {
			swap(self, take(self, random_below(self, 4)));
			if (page_owner_site(start + random_below(self, FRAMES)))
				atomic_fetch_add(&wrong, 1);
			atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
		}
		return;
	}
	while (atomic_load(&working))
		sched_yield();
	if (mm_debug_bytes(FRAMES) != sizeof(records))
		atomic_fetch_add(&wrong, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		mm_debug_add(start, start, start + FRAMES, records);
		if (i % 2)
			sched_yield();
		mm_debug_remove(start, start + FRAMES);
		port_on_each_cpu(nothing, NULL);
		memset(records, 0xff, sizeof(records));
	}
	atomic_fetch_sub(&working, 1);
}

static void empty_slots(void)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		give(atomic_exchange(&slots[i], NULL));
}

/* Has the zones and shelves made, which stay. */
static void make_zones(void)
{
	if (memory_hotplug_init())
		atomic_fetch_add(&wrong, 1);
	for (int nid = 0; nid < 2; nid++)
		if (add_memory(nid, ADDED, ADDED_SIZE) ||
		    offline_and_remove_memory(ADDED, ADDED_SIZE))
			atomic_fetch_add(&wrong, 1);
}

/*
 * The first thread adds a range to one of two nodes, leaves it to the others for a while, and
 * removes it; they have frames of it in slots and caches then. The last one looks at all.
 */
static void memory_comes_and_goes(struct worker *self)
{
	enum { ROUNDS = 40 };

	if (self->cpu == THREADS - 1) {
		do {
			look_at_watched(self);
			look_at_all();
			for (pfn_t pfn = PFN_DOWN(ADDED); pfn < MAX_FRAMES; pfn += 509)
				(void)page_head(pfn);
			port_irq_restore(port_irq_save());
		} while (atomic_load(&working));
		return;
	}
	if (self->cpu) {
		do {
			unsigned int order = random_below(self, 4) ? 0 : random_below(self, 10);
			struct page *page =
			    alloc_pages_node((int)random_below(self, 2), __GFP_THISNODE, order);

			if (page) {
				own(self, page, order);
				atomic_fetch_add(&allocations, 1);
			}
			swap(self, page);
		} while (atomic_load(&working));
		return;
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t size = (1 + random_below(self, ADDED_SIZE / HOTPLUG_UNIT)) * HOTPLUG_UNIT;
		int err = add_memory((int)(i % 2), ADDED, size);

		if (err)
			atomic_fetch_add(&wrong, 1);
		for (unsigned int n = 0; n < 300; n++)
			swap(self, take(self, 0));
		while (!err && (err = offline_and_remove_memory(ADDED, size)) == -EBUSY) {
			if (!offline_blockers.frames)
				atomic_fetch_add(&wrong, 1);
			empty_slots();
			err = 0;
		}
		if (err)
			atomic_fetch_add(&wrong, 1);
	}
	atomic_store(&working, 0);
}

static void *run(void *argument)
{
	struct worker *self = argument;

	sim_cpu_begin(self->cpu);
	self->work(self);
	drain_caches();
	sim_cpu_end();
	return NULL;
}

static void boot(unsigned int debug)
{
	static const struct e820_entry raw[] = {
		{ 0, 0x9f000, E820_TYPE_RAM, 0, 20, 0 },
		{ MIB, 63 * MIB, E820_TYPE_RAM, 0, 20, 0 },
		{ 0x100000000, 64 * MIB, E820_TYPE_RAM, 0, 20, 0 },
	};
	const struct sim_options options = {
		.dirty = true, .kernel_size = 2 * MIB, .seed = 1, .debug = debug
	};
	struct e820_taken kernel;
	const char *error;

	if (sim_boot(raw, sizeof(raw) / sizeof(raw[0]), &options, &kernel, &error)) {
		printf("Bail out! %s\n", error);
		exit(1);
	}
}

static uint64_t total_free(void)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += zone_nr_free_pages(z);
	return sum;
}

struct test {
	const char *name;
	void (*work)(struct worker *self);
	void (*release)(struct page *page); /* frees what the threads left: a slot's page, or all */
	unsigned int debug;                 /* options of mm/debug.h */
};

/*
 * Boots, runs the test's work on all threads, and releases what is left in the slots. Returns
 * whether everything was as it should be.
 */
static bool survives(const struct test *test)
{
	struct worker workers[THREADS];
	uint64_t before;
	unsigned long broken;
	bool ok;

	sim_nr_cpus = THREADS;
	boot(test->debug);
	atomic_store(&wrong, 0);
	if (test->work == memory_comes_and_goes)
		make_zones();
	before = total_free();
	for (unsigned int i = 0; i < WATCHED; i++)
		watched[i] = alloc_pages(GFP_KERNEL, watched_order(i));
	atomic_store(&working, THREADS - 1);
	atomic_store(&looks, 0);
	atomic_store(&allocations, WATCHED);
	atomic_store(&exhausted, 0);
	atomic_store(&twice, 0);
	sim_log = stdout;
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .cpu = i, .seed = i + 1, .work = test->work };
		if (pthread_create(&workers[i].thread, NULL, run, &workers[i])) {
			printf("Bail out! cannot create a thread\n");
			exit(1);
		}
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; i < SLOTS; i++)
		test->release(atomic_exchange(&slots[i], NULL));
	for (unsigned int i = 0; i < WATCHED; i++)
		__free_pages(watched[i], watched_order(i));
	drain_caches();
	broken = mm_check();
	sim_log = NULL;
	printf("# %s: seeds 1 to %d, %lu allocations, %lu were refused\n", test->name, THREADS,
	       atomic_load(&allocations), atomic_load(&exhausted));
	if (atomic_load(&looks))
		printf("# %lu looks, %lu wrong answers\n", atomic_load(&looks),
		       atomic_load(&wrong));
	ok = !broken && !atomic_load(&twice) && !atomic_load(&wrong) && total_free() == before;
	if (test->debug & MM_PAGE_OWNER && test->work != memory_comes_and_goes)
		ok &= numbers_are_right();
	if (!ok)
		printf("# %lu invariants are broken, %lu frames had two owners or none, %llu of "
		       "%llu frames are free\n",
		       broken, atomic_load(&twice), ULL(total_free()), ULL(before));
	return ok;
}

/* A CPU reads its home and its caches plainly: either value will do. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:set_home\nrace:set_orders\n";
}

int main(void)
{
	static const struct test tests[] = {
		{ "all orders, freed by other threads", orders, give, 0 },
		{ "floods of single frames, until none is left", floods, give, 0 },
		{ "split blocks and ranges by number", pieces, give, 0 },
		{ "references dropped by two threads", references, drop, 0 },
		{ "a frame is used again after its last reference", hand_to_and_fro, drop, 0 },
		{ "allocations are numbered", count_up, give_numbered,
		  MM_PAGE_OWNER | MM_PAGE_POISON },
		{ "records come and go", records_come_and_go, give, MM_PAGE_OWNER },
		{ "memory comes and goes", memory_comes_and_goes, give, 0 },
		{ "memory comes and goes, page_owner", memory_comes_and_goes, give, MM_PAGE_OWNER },
		{ "readers without the lock", readers, give, 0 },
		{ "readers, page_poison", readers, give, MM_PAGE_POISON },
		{ "readers, page_owner", readers, give, MM_PAGE_OWNER },
		{ "readers, debug_pagealloc", readers, give, MM_DEBUG_PAGEALLOC },
		{ "readers, no caches", readers, give, MM_NO_CACHES },
		{ "readers, all options", readers, give,
		  MM_PAGE_POISON | MM_PAGE_OWNER | MM_DEBUG_PAGEALLOC | MM_NO_CACHES },
	};
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	owned = calloc(MAX_FRAMES, sizeof(*owned));
	if (!owned)
		return 1;
	printf("1..%zu\n", sizeof(tests) / sizeof(tests[0]));
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		bool ok = survives(&tests[i]);

		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1, tests[i].name);
		failed |= !ok;
	}
	free(owned);
	return failed;
}
