#include "kernel/memory/memtest.h"

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/memory/free_ranges.h"
#include "lib/format.h"
#include "mm/port.h"

#define PROGRESS_US 1000000 /* between two lines of progress */
#define FRAME_WORDS (PAGE_SIZE / sizeof(uint64_t))

/* A pattern puts the word (address * multiplier) ^ bits at each physical address. */
struct pattern {
	uint64_t multiplier;
	uint64_t bits;
};

/* 2^64 / golden ratio. It is odd, so that the words at two addresses are never the same. */
#define OWN_ADDRESS 0x9e3779b97f4a7c15ull

/*
 * Each pattern is followed by its complement, so that every cell holds both values. They differ in
 * the distance at which the next cell holds the other value.
 */
static const struct pattern patterns[] = {
	{ OWN_ADDRESS, 0 },
	{ OWN_ADDRESS, ~0ull },
	{ 0, 0x5555555555555555ull },
	{ 0, 0xaaaaaaaaaaaaaaaaull },
	{ 0, 0x3333333333333333ull },
	{ 0, 0xccccccccccccccccull },
	{ 0, 0x0f0f0f0f0f0f0f0full },
	{ 0, 0xf0f0f0f0f0f0f0f0ull },
	{ 0, 0x00ff00ff00ff00ffull },
	{ 0, 0xff00ff00ff00ff00ull },
	{ 0, 0x0000ffff0000ffffull },
	{ 0, 0xffff0000ffff0000ull },
	{ 0, 0x00000000ffffffffull },
	{ 0, 0xffffffff00000000ull },
	{ 0, 0 },
	{ 0, ~0ull },
};

static const struct pattern *pattern_of(const struct memtest *test)
{
	return &patterns[test->pass % (sizeof(patterns) / sizeof(patterns[0]))];
}

static void write_frame(const struct pattern *pattern, phys_addr_t frame)
{
	const uint64_t step = pattern->multiplier * sizeof(uint64_t), bits = pattern->bits;
	uint64_t value = frame * pattern->multiplier;
	uint64_t *words = phys_to_virt(frame);

	for (unsigned int i = 0; i < FRAME_WORDS; i++, value += step)
		words[i] = value ^ bits;
}

static bool frame_holds(const struct pattern *pattern, phys_addr_t frame)
{
	const uint64_t step = pattern->multiplier * sizeof(uint64_t), bits = pattern->bits;
	uint64_t value = frame * pattern->multiplier;
	const uint64_t *words = phys_to_virt(frame);
	uint64_t wrong = 0;

	for (unsigned int i = 0; i < FRAME_WORDS; i++, value += step)
		wrong |= words[i] ^ value ^ bits;
	return !wrong;
}

/* ---- the list of bad frames ---- */

#define MAX_BAD 256

/* Not sorted. No frame is in two entries. */
static struct {
	pfn_t pfn, end;
} bad[MAX_BAD];
static unsigned int nr_bad;
static port_lock_t bad_lock; /* held by those who change the list */

/* Returns how far the frame pfn lies from entry i, in frames: 0 if it is in it, 1 if it touches. */
static uint64_t distance(unsigned int i, pfn_t pfn)
{
	if (pfn < bad[i].pfn)
		return bad[i].pfn - pfn;
	return pfn < bad[i].end ? 0 : pfn - bad[i].end + 1;
}

/* Returns the index of the entry that is nearest to the frame pfn, or 0 if there is none. */
static unsigned int nearest(pfn_t pfn)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < nr_bad; i++)
		if (distance(i, pfn) < distance(best, pfn))
			best = i;
	return best;
}

/*
 * Puts the frame pfn on the list. When the table is full the nearest entry grows up to the frame,
 * and the good frames between them are out of service too.
 */
static void add_bad(pfn_t pfn)
{
	unsigned long flags = port_lock_irqsave(&bad_lock);
	unsigned int i = nearest(pfn);

	if (!nr_bad || (distance(i, pfn) > 1 && nr_bad < MAX_BAD)) {
		i = nr_bad++;
		bad[i].pfn = pfn;
		bad[i].end = pfn + 1;
	}
	if (pfn < bad[i].pfn)
		bad[i].pfn = pfn;
	if (pfn >= bad[i].end)
		bad[i].end = pfn + 1;
	port_unlock_irqrestore(&bad_lock, flags);
}

bool memtest_any_bad(pfn_t pfn, pfn_t end)
{
	for (unsigned int i = 0; i < nr_bad; i++)
		if (pfn < bad[i].end && bad[i].pfn < end)
			return true;
	return false;
}

/*
 * An entry of which the middle is forgotten becomes two. When the table is full it stays as it is:
 * nothing that is bad is lost, and a frame too many on the list is one good frame not used.
 */
void memtest_forget(pfn_t pfn, pfn_t end)
{
	unsigned long flags = port_lock_irqsave(&bad_lock);

	for (unsigned int i = nr_bad; i-- > 0;) {
		if (bad[i].pfn >= end || bad[i].end <= pfn)
			continue;
		if (bad[i].pfn < pfn && bad[i].end > end) {
			if (nr_bad == MAX_BAD)
				continue;
			bad[nr_bad].pfn = end;
			bad[nr_bad++].end = bad[i].end;
		}
		if (bad[i].pfn < pfn)
			bad[i].end = pfn;
		else if (bad[i].end > end)
			bad[i].pfn = end;
		else
			bad[i] = bad[--nr_bad];
	}
	port_unlock_irqrestore(&bad_lock, flags);
}

uint64_t memtest_nr_bad(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_bad; i++)
		sum += bad[i].end - bad[i].pfn;
	return sum;
}

void memtest_print_bad(print_fn print)
{
	for (unsigned int i = 0; i < nr_bad; i++)
		print("out of service [mem 0x%016llx-0x%016llx]\n", ULL(PFN_PHYS(bad[i].pfn)),
		      ULL(PFN_PHYS(bad[i].end) - 1));
}

/* ---- passes ---- */

#define MAX_SAID 32 /* runs of bad frames that are logged; the list at the end has all of them */

/* Logs the bad frames [base, end), and the first wrong word of the first: it shows which bits. */
static void say_bad(const struct pattern *pattern, phys_addr_t base, phys_addr_t end)
{
	static unsigned int nr_said;
	const uint64_t *words = phys_to_virt(base);
	uint64_t value = base * pattern->multiplier;
	unsigned int i = 0;

	if (__atomic_fetch_add(&nr_said, 1, __ATOMIC_RELAXED) >= MAX_SAID)
		return;

	while (i < FRAME_WORDS - 1 && words[i] == (value ^ pattern->bits)) {
		value += pattern->multiplier * sizeof(uint64_t);
		i++;
	}
	printk("memtest: bad [mem 0x%016llx-0x%016llx], at 0x%llx 0x%016llx instead of 0x%016llx\n",
	       ULL(base), ULL(end - 1), ULL(base + i * sizeof(uint64_t)), ULL(words[i]),
	       ULL(value ^ pattern->bits));
}

static void write_frames(const struct pattern *pattern, phys_addr_t base, phys_addr_t end)
{
	for (; base < end; base += PAGE_SIZE)
		write_frame(pattern, base);
}

static void read_frames(const struct pattern *pattern, phys_addr_t base, phys_addr_t end)
{
	for (phys_addr_t frame = base; frame < end; frame += PAGE_SIZE) {
		phys_addr_t first = frame;

		for (; frame < end && !frame_holds(pattern, frame); frame += PAGE_SIZE)
			add_bad(PHYS_PFN(frame));
		if (frame > first)
			say_bad(pattern, first, frame);
	}
}

/* Asks test->go_on(), if it is due: so many more bytes are done than before. */
static bool may_go_on(struct memtest *test, uint64_t before, uint64_t done)
{
	if (port_cpu_id() != 0)
		return true;
	if (before / MEMTEST_CHUNK == done / MEMTEST_CHUNK && done != test->total)
		return true;
	return test->go_on(test);
}

bool memtest_range(struct memtest *test, phys_addr_t base, phys_addr_t end)
{
	while (base < end) {
		phys_addr_t stop = end - base < MEMTEST_CHUNK ? end : base + MEMTEST_CHUNK;
		uint64_t size = stop - base, done;

		if (test->reading)
			read_frames(pattern_of(test), base, stop);
		else
			write_frames(pattern_of(test), base, stop);
		done = __atomic_add_fetch(&test->done, size, __ATOMIC_RELAXED);
		base = stop;
		if (!may_go_on(test, done - size, done))
			return false;
	}
	return true;
}

bool memtest_run(struct memtest *test, bool (*each_range)(struct memtest *test))
{
	for (test->pass = 0; test->pass < test->passes; test->pass++) {
		const struct pattern *pattern = pattern_of(test);

		printk("memtest: pass %u of %u, pattern %s0x%016llx\n", test->pass + 1,
		       test->passes, pattern->multiplier ? "own address ^ " : "",
		       ULL(pattern->bits));
		for (unsigned int half = 0; half < 2; half++) {
			test->reading = half;
			test->done = 0;
			test->shown = false;
			test->said = arch_timestamp();
			arch_flush_caches();
			if (!each_range(test))
				return false;
		}
	}
	return true;
}

void memtest_progress(struct memtest *test, print_fn print)
{
	uint64_t done = __atomic_load_n(&test->done, __ATOMIC_RELAXED);

	if (done == test->total) {
		if (test->shown)
			print("%40s\r", "");
		test->shown = false;
	} else if (arch_us_since(test->said) >= PROGRESS_US) {
		print("%s %llu of %llu MiB\r", test->reading ? "reading" : "writing",
		      ULL(done >> 20), ULL(test->total >> 20));
		test->shown = true;
		test->said = arch_timestamp();
	}
}

/* ---- at boot ---- */

/* Shows the progress of the test at boot, and returns whether it goes on. Interrupts are off, so
   the devices are asked whether Ctrl-C was typed. */
static bool show_and_ask(struct memtest *test)
{
	memtest_progress(test, console_printf);
	return !console_interrupted();
}

static bool each_free_range(struct memtest *test)
{
	struct phys_range range;
	phys_addr_t start, end;
	uint64_t i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		if (narrow_to_frames(start, end, &range) &&
		    !memtest_range(test, range.base, range.end))
			return false;
	return true;
}

static uint64_t free_bytes(void)
{
	struct phys_range range;
	phys_addr_t start, end;
	uint64_t i, sum = 0;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		if (narrow_to_frames(start, end, &range))
			sum += range.end - range.base;
	return sum;
}

void early_memtest(unsigned int passes)
{
	struct memtest test = { .passes = passes, .total = free_bytes(), .go_on = show_and_ask };

	arch_input_early_init();
	printk("memtest=%u: %llu MiB of free memory; Ctrl-C ends it\n", passes,
	       ULL(test.total >> 20));
	if (!memtest_run(&test, each_free_range)) {
		printk("memtest: interrupted in pass %u of %u\n", test.pass + 1, passes);
		while (console_interrupted())
			arch_getc(); /* else it would end the commands of run= as well */
	}
	for (unsigned int i = 0; i < nr_bad; i++)
		if (memblock_reserve(PFN_PHYS(bad[i].pfn), PFN_PHYS(bad[i].end - bad[i].pfn)))
			panic("memblock has no room to reserve bad memory");
	memtest_print_bad(printk);
	printk("memtest: frames out of service: %llu\n", ULL(memtest_nr_bad()));
}
