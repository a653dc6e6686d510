/*
 * test_memtest.c: tests kernel/memory/memtest.c, at boot and from the monitor, on memory with
 * faults.
 *
 * memtest flushes the CPU caches before it writes and before it reads back; the faults of the
 * simulated memory take effect at these moments. The table of bad frames is never emptied: tests
 * without faults come first, then those with faults, each with frames of its own, and last the one
 * that fills the table.
 *
 * The other CPUs of the crew are threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/memtest.h"
#include "kernel/monitor/command.h"
#include "mm/check.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"
#include "tests/host/sim/sim.h"

#define MIB        (1ull << 20)
#define RAM_END    (64 * MIB)
#define MAX_FAULTS 1024
#define SENTINEL   0xa5
#define ALL        16 /* the number of patterns */

/*
 * A word in which some bits always read as 1 or as 0; or, if copy is not 0, that shows the word at
 * copy.
 */
static struct fault {
	phys_addr_t phys;
	uint64_t stuck_high, stuck_low;
	phys_addr_t copy;
} faults[MAX_FAULTS];
static unsigned int nr_faults;

/* An address in free memory, and the word that was there at each flush. */
static phys_addr_t watched;
static uint64_t seen[64];
static unsigned int nr_flushes;

static unsigned int nr_polls;        /* for plugged memory */
static unsigned int interrupt_after; /* Ctrl-C is seen from this question on; 0: never */
static bool interrupted;
static char said[65536];

/* ---- the other CPUs ---- */

static unsigned int nr_cpus = 1, nr_busy;
static unsigned int nr_flushed[MM_MAX_CPUS]; /* flushes on each CPU but CPU 0 */

static struct thread {
	pthread_t thread;
	unsigned int cpu;
	void (*work)(void *argument);
	void *argument;
} threads[MM_MAX_CPUS];

static void *play_cpu(void *argument)
{
	struct thread *thread = argument;

	sim_cpu = thread->cpu;
	thread->work(thread->argument);
	__atomic_sub_fetch(&nr_busy, 1, __ATOMIC_RELEASE);
	return NULL;
}

void cpus_begin(void (*work)(void *argument), void *argument)
{
	__atomic_store_n(&nr_busy, nr_cpus - 1, __ATOMIC_RELAXED);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		threads[cpu] = (struct thread){ 0, cpu, work, argument };
		assert_int_equal(
		    pthread_create(&threads[cpu].thread, NULL, play_cpu, &threads[cpu]), 0);
		assert_int_equal(pthread_detach(threads[cpu].thread), 0);
	}
}

bool cpus_busy(void)
{
	return __atomic_load_n(&nr_busy, __ATOMIC_ACQUIRE);
}

unsigned int cpus_online(void)
{
	return nr_cpus;
}

#define SECOND 1000000
static uint64_t now; /* microseconds */

/* So much time passes that CPU 0 looks for Ctrl-C each time that it waits. */
void arch_relax(void)
{
	__atomic_add_fetch(&now, SECOND / 50, __ATOMIC_RELAXED);
}

uint64_t arch_timestamp(void)
{
	return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

uint64_t arch_us_since(uint64_t start)
{
	return arch_timestamp() - start;
}

/* ---- input ---- */

static bool input_is_on;

void arch_input_early_init(void)
{
	input_is_on = true;
}

/* Reads the Ctrl-C. */
int arch_getc(void)
{
	interrupted = false;
	interrupt_after = 0;
	return 3;
}

/* ---- */

static uint64_t *word_at(phys_addr_t phys)
{
	return phys_to_virt(phys);
}

void arch_flush_caches(void)
{
	if (port_cpu_id() != 0) {
		__atomic_add_fetch(&nr_flushed[port_cpu_id()], 1, __ATOMIC_RELAXED);
		return;
	}
	if (watched && nr_flushes < 64)
		seen[nr_flushes] = *word_at(watched);
	nr_flushes++;
	for (const struct fault *f = faults; f < faults + nr_faults; f++) {
		uint64_t value = *word_at(f->copy ? f->copy : f->phys);

		*word_at(f->phys) = (value | f->stuck_high) & ~f->stuck_low;
	}
}

/* Memory that is plugged while the test runs has a test of its own. */
void hotplug_progress(void)
{
	nr_polls++;
}

bool console_interrupted(void)
{
	interrupted |= interrupt_after && !--interrupt_after;
	return interrupted;
}

int console_printf(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vfprintf(sim_log, fmt, ap);
	va_end(ap);
	return length;
}

static void fault(struct fault f)
{
	assert_true(nr_faults < MAX_FAULTS);
	faults[nr_faults++] = f;
}

static void start(void)
{
	nr_faults = 0;
	nr_flushes = 0;
	watched = 0;
	interrupt_after = 0;
	interrupted = false;
	memset(said, 0, sizeof(said));
	sim_log = fmemopen(said, sizeof(said), "w");
	assert_non_null(sim_log);
}

static void stop(void)
{
	fclose(sim_log);
	sim_log = NULL;
}

/* Boots a machine up to the direct map, with RAM below and above what is reserved. */
static void early_boot(void)
{
	sim_reset();
	sim_map_ram(RAM_END);
	memset(phys_to_virt(0), SENTINEL, RAM_END);
	memblock_allow_resize();
	memblock_add(0, RAM_END);
	memblock_reserve(0, 64 << 10);
	memblock_reserve(2 * MIB + 100, MIB);
	start();
}

static void run_early(unsigned int passes)
{
	early_memtest(passes);
	stop();
}

static void only_free_memory_is_written(void **state)
{
	(void)state;
	early_boot();
	run_early(1);
	for (phys_addr_t phys = 0; phys < RAM_END; phys += sizeof(uint64_t)) {
		phys_addr_t frame = PFN_PHYS(PFN_DOWN(phys));
		uint64_t untouched;

		memset(&untouched, SENTINEL, sizeof(untouched));
		if (memblock_is_region_reserved(frame, PAGE_SIZE))
			assert_int_equal(*word_at(phys), untouched);
		else
			assert_int_not_equal(*word_at(phys), untouched);
	}
	assert_int_equal(memtest_nr_bad(), 0);
	assert_non_null(strstr(said, "memtest=1: 62 MiB of free memory; Ctrl-C ends it\n"));
	assert_non_null(strstr(said, "memtest: frames out of service: 0\n"));
}

/* In the 16 patterns each bit of a word is both 0 and 1, and any two bits differ in one of them. */
static void patterns_tell_all_bits_apart(void **state)
{
	uint64_t ones = 0, zeros = 0;

	(void)state;
	early_boot();
	watched = 5 * MIB + 8;
	run_early(ALL + 1);
	assert_int_equal(nr_flushes, 2 * (ALL + 1));
	/* Flush 2n + 1 comes between the writing and the reading of pass n. */
	for (unsigned int n = 0; n < ALL; n++) {
		ones |= seen[2 * n + 1];
		zeros |= ~seen[2 * n + 1];
	}
	assert_true(ones == ~0ull && zeros == ~0ull);
	assert_int_equal(seen[1], seen[2 * ALL + 1]);
	assert_int_equal(seen[3], ~seen[1]);
	for (unsigned int a = 0; a < 64; a++)
		for (unsigned int b = 0; b < a; b++) {
			unsigned int differ = 0;

			for (unsigned int n = 2; n < ALL; n++)
				differ += (seen[2 * n + 1] >> a & 1) != (seen[2 * n + 1] >> b & 1);
			assert_true(differ > 0);
		}
}

/* Each frame from 8 MiB on has one stuck bit, each at another place. Two passes find them all. */
static void any_stuck_bit_is_found(void **state)
{
	const pfn_t first = PHYS_PFN(8 * MIB);
	const uint64_t before = memtest_nr_bad();

	(void)state;
	early_boot();
	for (pfn_t i = 0; i < 128; i++)
		fault((struct fault){
		    .phys = PFN_PHYS(first + 2 * i) + (i * 37 % 512) * sizeof(uint64_t),
		    .stuck_high = i % 2 ? 0 : 1ull << i / 2,
		    .stuck_low = i % 2 ? 1ull << i / 2 : 0,
		});
	run_early(2);
	assert_int_equal(memtest_nr_bad() - before, 128);
	for (pfn_t i = 0; i < 128; i++) {
		assert_true(memblock_is_region_reserved(PFN_PHYS(first + 2 * i), PAGE_SIZE));
		assert_false(memblock_is_region_reserved(PFN_PHYS(first + 2 * i + 1), PAGE_SIZE));
	}
	assert_null(memblock_check());
}

static void a_run_of_frames_is_one_range(void **state)
{
	const phys_addr_t base = 20 * MIB;

	(void)state;
	early_boot();
	for (unsigned int i = 0; i < 5; i++)
		fault((struct fault){ .phys = base + i * PAGE_SIZE + 16, .stuck_low = ~0ull });
	run_early(3);
	assert_non_null(strstr(said, "memtest: bad [mem 0x0000000001400000-0x0000000001404fff], at "
				     "0x1400010 0x0000000000000000 instead of 0x"));
	assert_non_null(
	    strstr(said, "out of service [mem 0x0000000001400000-0x0000000001404fff]\n"));
	assert_true(memblock_is_region_reserved(base + 4 * PAGE_SIZE, 1));
	assert_false(memblock_is_region_reserved(base + 5 * PAGE_SIZE, PAGE_SIZE));
	assert_false(memblock_is_region_reserved(base - PAGE_SIZE, PAGE_SIZE));
	early_boot();
	fault((struct fault){ .phys = base - 8, .stuck_high = 1 });
	run_early(2);
	assert_non_null(
	    strstr(said, "out of service [mem 0x00000000013ff000-0x0000000001404fff]\n"));
}

/* Faults in the first and in the last word of the memory are found. */
static void the_ends_are_tested(void **state)
{
	(void)state;
	early_boot();
	fault((struct fault){ .phys = 64 << 10, .stuck_high = 1 });
	fault((struct fault){ .phys = RAM_END - 8, .stuck_high = 1ull << 63 });
	run_early(2);
	assert_true(memblock_is_region_reserved(64 << 10, PAGE_SIZE));
	assert_true(memblock_is_region_reserved(RAM_END - PAGE_SIZE, PAGE_SIZE));
}

/*
 * Ctrl-C ends the test at boot in any half of a pass. What failed before stays reserved, and the
 * Ctrl-C is read: it ends nothing else.
 */
static void the_test_at_boot_can_be_interrupted(void **state)
{
	(void)state;
	for (unsigned int after = 1; after < 12; after++) {
		early_boot();
		input_is_on = false;
		fault((struct fault){ .phys = 4 * MIB + 8, .stuck_high = 1 });
		interrupt_after = after;
		run_early(1000);
		assert_true(input_is_on);
		assert_false(console_interrupted());
		assert_non_null(strstr(said, "memtest: interrupted in pass "));
		assert_non_null(strstr(said, " of 1000\n"));
		assert_null(strstr(said, "memtest: pass 5 of"));
		assert_non_null(strstr(said, "memtest: frames out of service: "));
		assert_int_equal(memblock_is_region_reserved(4 * MIB, PAGE_SIZE), after >= 5);
		memtest_forget(0, PHYS_PFN(RAM_END));
	}
}

/* Two addresses show one cell: no constant pattern finds that, but the first pass does. */
static void a_missing_address_line_is_found(void **state)
{
	(void)state;
	early_boot();
	fault((struct fault){ .phys = 24 * MIB + 64, .copy = 24 * MIB + 64 + 32 * MIB });
	run_early(1);
	assert_true(memblock_is_region_reserved(24 * MIB, PAGE_SIZE));
}

/* The monitor's command. */

static void boot(void)
{
	static const struct e820_entry raw[] = {
		{ 0, 0x9fc00, 1, 0, 20, 0 },
		{ MIB, RAM_END - MIB, 1, 0, 20, 0 },
	};
	const struct sim_options options = { .kernel_size = 0x60000, .seed = 3 };
	struct e820_taken kernel;
	const char *error = "";

	if (sim_boot(raw, 2, &options, &kernel, &error))
		fail_msg("%s", error);
	start();
}

static int monitor_memtest(const char *argument)
{
	char word[32];
	char *argv[] = { "memtest", argument ? word : NULL, NULL };
	int status;

	snprintf(word, sizeof(word), "%s", argument ? argument : "");
	status = memtest_commands[0].run(argument ? 2 : 1, argv);

	stop();
	assert_int_equal(mm_check(), 0);
	return status;
}

static void good_memory_comes_back(void **state)
{
	uint64_t before;

	(void)state;
	boot();
	before = nr_free_pages();
	assert_int_equal(monitor_memtest(NULL), 0);
	assert_int_equal(nr_free_pages(), before);
	assert_non_null(strstr(said, "2 of 2 passes over 62 MiB; bad frames: 0\n"));
	assert_true(nr_polls > 0);
}

/* Bad frames: the first of a large run, one within it, and two on either side of a block border. */
static void bad_frames_stay_out_of_service(void **state)
{
	static const pfn_t frames[] = { 0x2000, 0x2123, 0x21ff, 0x2200 };
	uint64_t before;

	(void)state;
	boot();
	before = nr_free_pages();
	for (unsigned int i = 0; i < 4; i++)
		fault((struct fault){ .phys = PFN_PHYS(frames[i]) + 8ull * i, .stuck_high = 1 });
	assert_int_equal(monitor_memtest("2"), 1);
	assert_int_equal(nr_free_pages(), before - 4);
	assert_non_null(strstr(said, "; bad frames: 4\n"));
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(page_state(frames[i]), PAGE_ALLOCATED);
		assert_ptr_equal(page_head(frames[i]), pfn_to_page(frames[i]));
		assert_int_equal(page_private(pfn_to_page(frames[i])), PAGE_HWPOISON);
	}
	/* Another test leaves them out and finds no fault. */
	nr_flushes = 0;
	sim_log = fmemopen(said, sizeof(said), "w");
	assert_int_equal(monitor_memtest("1"), 0);
	assert_int_equal(nr_free_pages(), before - 4);
	sim_log = fmemopen(said, sizeof(said), "w");
	assert_int_equal(monitor_memtest("list"), 0);
	assert_non_null(
	    strstr(said, "out of service [mem 0x00000000021ff000-0x0000000002200fff]\n"));
}

/*
 * 5 GiB in ranges of 12 MiB, a second for each GiB, print a line when a second is over, at the end
 * of a range, and a blank one at the end; go_on() is called for every 16 MiB.
 */
static bool show(struct memtest *test)
{
	nr_flushes++;
	now += SECOND / 64;
	memtest_progress(test, console_printf);
	return true;
}

static void progress_is_shown_each_second(void **state)
{
	struct memtest test = { .total = 5ull << 30, .go_on = show, .said = now };

	(void)state;
	sim_reset();
	sim_map_ram(12 * MIB);
	start();
	while (test.done < test.total) {
		phys_addr_t size = test.total - test.done;

		assert_true(memtest_range(&test, 0, size < 12 * MIB ? size : 12 * MIB));
	}
	stop();
	assert_int_equal(nr_flushes, 320);
	assert_string_equal(said, "writing 1032 of 5120 MiB\rwriting 2052 of 5120 MiB\r"
				  "writing 3072 of 5120 MiB\rwriting 4104 of 5120 MiB\r"
				  "                                        \r");
}

static void interrupted_memory_comes_back(void **state)
{
	uint64_t before;

	(void)state;
	for (unsigned int after = 1; after < 40; after += 7) {
		nr_cpus = after % 2 ? 1 : 3;
		boot();
		before = nr_free_pages();
		interrupt_after = after;
		assert_int_equal(monitor_memtest("1000"), 1);
		assert_int_equal(nr_free_pages(), before);
		assert_non_null(strstr(said, ", interrupted; bad frames: 0\n"));
	}
	nr_cpus = 1;
}

/* Each frame is tested by one CPU, and the caches of each are emptied before each half of a pass.
 */
static void all_cpus_test(void **state)
{
	const pfn_t first = PHYS_PFN(32 * MIB) + 3;
	uint64_t before;

	(void)state;
	boot();
	nr_cpus = MM_MAX_CPUS;
	memset(nr_flushed, 0, sizeof(nr_flushed));
	before = nr_free_pages();
	for (pfn_t i = 0; i < 8; i++)
		fault((struct fault){ .phys = PFN_PHYS(first + 11 * i), .stuck_high = 1 });
	assert_int_equal(monitor_memtest("2"), 1);
	nr_cpus = 1;
	assert_non_null(strstr(said, "2 of 2 passes over 62 MiB; bad frames: 8\n"));
	assert_int_equal(nr_free_pages(), before - 8);
	for (pfn_t i = 0; i < 8; i++)
		assert_true(memtest_any_bad(first + 11 * i, first + 11 * i + 1));
	for (unsigned int cpu = 1; cpu < MM_MAX_CPUS; cpu++)
		assert_int_equal(nr_flushed[cpu], 4);
	for (phys_addr_t phys = 32 * MIB; phys < 33 * MIB; phys += sizeof(uint64_t))
		assert_true(*word_at(phys) != 0);
	memtest_forget(first, first + 88); /* the next test is to find none but its own */
}

static void wrong_arguments_are_said(void **state)
{
	(void)state;
	for (const char *const *word = (const char *const[]){ "0", "x", "1001", NULL }; *word;
	     word++) {
		start();
		assert_int_equal(monitor_memtest(*word), 1);
		assert_non_null(strstr(said, "is not a number of passes"));
	}
}

/*
 * Every second frame of 5 MiB is bad. All of them must go out of service, together with good frames
 * that a full table cannot list apart from them.
 */
static void a_full_table_forgets_nothing(void **state)
{
	const pfn_t first = PHYS_PFN(48 * MIB);
	unsigned int lines = 0;

	(void)state;
	early_boot();
	for (pfn_t i = 0; i < 640; i++)
		fault((struct fault){ .phys = PFN_PHYS(first + 2 * i), .stuck_high = 2 });
	run_early(2);
	for (pfn_t i = 0; i < 640; i++) {
		assert_true(memblock_is_region_reserved(PFN_PHYS(first + 2 * i), PAGE_SIZE));
		assert_true(memtest_any_bad(first + 2 * i, first + 2 * i + 1));
	}
	for (const char *at = said; (at = strstr(at, "out of service [mem")); at++)
		lines++;
	assert_int_equal(lines, 256);
	assert_false(memblock_is_region_reserved(PFN_PHYS(first + 1280), PAGE_SIZE));
}

/*
 * What lies in memory that leaves is forgotten, and nothing else: of a run on both sides of its
 * ends the outer parts stay. The list is full at first, with runs of one frame from 48 MiB on, and
 * a run that fills the memory between the last two of the others.
 */
static void memory_that_leaves_is_forgotten(void **state)
{
	const pfn_t first = PHYS_PFN(48 * MIB);
	uint64_t before = memtest_nr_bad();

	(void)state;
	/* The run of all frames that the full table could not list apart, cut in three. */
	assert_true(memtest_any_bad(first + 600, first + 601));
	memtest_forget(first + 600, first + 600);
	assert_int_equal(memtest_nr_bad(), before);

	memtest_forget(first, first + 100); /* makes room */
	assert_false(memtest_any_bad(first, first + 100));
	assert_true(memtest_any_bad(first + 100, first + 101));
	assert_int_equal(memtest_nr_bad(), before - 50);

	before = memtest_nr_bad();
	memtest_forget(first + 800, first + 900);
	assert_false(memtest_any_bad(first + 800, first + 900));
	assert_true(memtest_any_bad(first + 799, first + 800));
	assert_true(memtest_any_bad(first + 900, first + 901));
	assert_int_equal(memtest_nr_bad(), before - 100);

	memtest_forget(first + 700, first + 850);
	assert_true(memtest_any_bad(first + 699, first + 700));
	assert_false(memtest_any_bad(first + 700, first + 900));

	memtest_forget(0, PHYS_PFN(RAM_END));
	assert_int_equal(memtest_nr_bad(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_free_memory_is_written),
		cmocka_unit_test(patterns_tell_all_bits_apart),
		cmocka_unit_test(good_memory_comes_back),
		cmocka_unit_test(progress_is_shown_each_second),
		cmocka_unit_test(interrupted_memory_comes_back),
		cmocka_unit_test(wrong_arguments_are_said),
		cmocka_unit_test(all_cpus_test),
		cmocka_unit_test(bad_frames_stay_out_of_service),
		cmocka_unit_test(a_run_of_frames_is_one_range),
		cmocka_unit_test(the_ends_are_tested),
		cmocka_unit_test(the_test_at_boot_can_be_interrupted),
		cmocka_unit_test(a_missing_address_line_is_found),
		cmocka_unit_test(any_stuck_bit_is_found),
		cmocka_unit_test(a_full_table_forgets_nothing),
		cmocka_unit_test(memory_that_leaves_is_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memtest", tests, NULL, NULL);
}
