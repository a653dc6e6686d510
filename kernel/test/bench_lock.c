/*
 * bench_lock.c: compares the allocator's lock (mm/port.h), which whoever is quickest gets, with a
 * fair one, which its waiters get in the order in which they came: the rows lock.*.
 *
 * All CPUs that are online take the lock, hold it for about 60 instructions, let it go and do
 * something else, over and over: for as long, or for 70 times as long, which is more like the
 * allocator, where a hold serves a batch of frames. Slices of both locks take turns, so that
 * whatever else slows the machine slows both, and medians of the slices are printed: how often all
 * CPUs together took the lock, and the longest time that one of them waited. Time stamp counters of
 * CPUs may differ, so each wait is measured by the counter of the CPU that waits.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/test/bench_rows.h"
#include "lib/format.h"
#include "mm/port.h"

#define SLICES   9
#define SLICE_MS 200u
#define ROUNDS   10 /* of mix(), 6 instructions each */
#define SELDOM   70

/* A lock in the order of arrival: a caller draws a number, and waits until it is served. */
struct fair_lock {
	uint32_t drawn;
	uint32_t served;
};

static unsigned long fair_lock_irqsave(struct fair_lock *lock)
{
	unsigned long flags = port_irq_save();
	uint32_t number = __atomic_fetch_add(&lock->drawn, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->served, __ATOMIC_ACQUIRE) != number)
		port_cpu_relax();
	return flags;
}

static void fair_unlock_irqrestore(struct fair_lock *lock, unsigned long flags)
{
	__atomic_store_n(&lock->served, lock->served + 1, __ATOMIC_RELEASE);
	port_irq_restore(flags);
}

/* The locks, and what they protect, in CPU cache lines of their own. */
static port_lock_t unfair __attribute__((aligned(MM_LINE)));
static struct fair_lock fair __attribute__((aligned(MM_LINE)));
static struct {
	uint64_t word; /* changes while a lock is held */
	uint64_t taken;
} held __attribute__((aligned(MM_LINE)));

/* A slice. */
static struct {
	bool is_fair, stop;
	unsigned int pause; /* calls of mix() from one hold to the next */
	uint64_t ticks;     /* how long it took until CPU 0 stopped it */
	uint64_t taken;     /* how often the CPUs took the lock, of those that have stopped */
	uint64_t longest;   /* ticks that one of them waited */
} slice __attribute__((aligned(MM_LINE)));

static uint64_t mix(uint64_t word)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
	}
	return word;
}

/* Takes the lock of the slice and lets it go. Returns the ticks that it waited. */
static uint64_t take(void)
{
	bool is_fair = slice.is_fair;
	uint64_t start = arch_timestamp();
	unsigned long flags = is_fair ? fair_lock_irqsave(&fair) : port_lock_irqsave(&unfair);
	uint64_t waited = arch_timestamp() - start;

	held.word = mix(held.word);
	held.taken++;
	if (is_fair)
		fair_unlock_irqrestore(&fair, flags);
	else
		port_unlock_irqrestore(&unfair, flags);
	return waited;
}

/* Takes the lock again and again until CPU 0 ends the slice. Every CPU runs it. */
static void work(void *argument)
{
	uint64_t start = arch_timestamp(), longest = 0, taken = 0;
	volatile uint64_t word = start; /* changes while no lock is held */
	bool first = port_cpu_id() == 0;

	(void)argument;
	while (!__atomic_load_n(&slice.stop, __ATOMIC_RELAXED)) {
		uint64_t waited = take();

		longest = waited > longest ? waited : longest;
		taken++;
		for (unsigned int i = 0; i < slice.pause; i++)
			word = mix(word);
		if (first && arch_timestamp() - start >= tsc_khz() * SLICE_MS) {
			slice.ticks = arch_timestamp() - start;
			__atomic_store_n(&slice.stop, true, __ATOMIC_RELAXED);
		}
	}
	__atomic_fetch_add(&slice.taken, taken, __ATOMIC_RELAXED);
	start = __atomic_load_n(&slice.longest, __ATOMIC_RELAXED);
	while (start < longest &&
	       !__atomic_compare_exchange_n(&slice.longest, &start, longest, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Runs a slice on all CPUs. Returns false when two of them held the lock at once. */
static bool run_slice(bool is_fair, unsigned int pause)
{
	slice.is_fair = is_fair;
	slice.pause = pause;
	slice.stop = false;
	slice.taken = slice.longest = held.taken = 0;
	cpus_begin(work, NULL);
	work(NULL);
	while (cpus_busy())
		arch_relax();
	return held.taken == slice.taken;
}

/* Adds a value to a sorted array that has n of them. */
static void insert(uint64_t *sorted, unsigned int n, uint64_t value)
{
	for (; n && sorted[n - 1] > value; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = value;
}

/* Prints the median of the slices, in tenths, and the quartiles. */
static void print_slices(const char *id, const uint64_t *tenths, const char *unit)
{
	uint64_t low = tenths[SLICES / 4], median = tenths[SLICES / 2],
		 high = tenths[SLICES - 1 - SLICES / 4];

	console_printf("bench %s %llu.%llu %s (quartiles %llu.%llu, %llu.%llu), %u CPUs\n", id,
		       ULL(median / 10), ULL(median % 10), unit, ULL(low / 10), ULL(low % 10),
		       ULL(high / 10), ULL(high % 10), cpus_online());
}

/* Runs and prints the slices of both locks with a pause from one hold to the next. */
static bool compare(unsigned int pause, const char *const ids[2][2])
{
	uint64_t taken[2][SLICES], waited[2][SLICES];

	for (unsigned int i = 0; i < SLICES; i++)
		for (unsigned int is_fair = 0; is_fair < 2; is_fair++) {
			if (console_interrupted())
				return false;
			if (!run_slice(is_fair, pause)) {
				console_printf("%s: two CPUs held it at once\n", ids[is_fair][0]);
				return false;
			}
			insert(taken[is_fair], i, slice.taken * 10 * tsc_khz() / slice.ticks);
			insert(waited[is_fair], i, slice.longest * 10000 / tsc_khz());
		}
	for (unsigned int is_fair = 0; is_fair < 2; is_fair++) {
		print_slices(ids[is_fair][0], taken[is_fair], "a ms");
		print_slices(ids[is_fair][1], waited[is_fair], "us");
	}
	return true;
}

bool bench_lock(const char *id)
{
	static const char *const often[2][2] = {
		{ "lock.unfair", "lock.unfair.wait" },
		{ "lock.fair", "lock.fair.wait" },
	};
	static const char *const seldom[2][2] = {
		{ "lock.unfair.seldom", "lock.unfair.seldom.wait" },
		{ "lock.fair.seldom", "lock.fair.seldom.wait" },
	};

	if (cpus_online() < 2)
		return bench_skip(id, "needs two CPUs");
	if (!tsc_khz())
		return bench_skip(id, "needs a clock of a known rate");
	return compare(1, often) && compare(SELDOM, seldom);
}
