/*
 * cmd_debug.c: the monitor's commands for finding misuse of pages. `page_owner` lists the callers
 * that hold memory; `misuse` makes a mistake on purpose, to show what the options of mm/debug.h
 * report, and `panic` shows a panic.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/ksyms.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/monitor.h"
#include "kernel/parse.h"
#include "kernel/place.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/debug.h"
#include "mm/memblock.h"

#define MAX_SITES 64

static int cmd_page_owner(int argc, char **argv)
{
	static struct page_owner_sum sums[MAX_SITES];
	unsigned int nr = page_owner_sums(sums, MAX_SITES);

	(void)argc, (void)argv;
	if (!(mm_debug & MM_PAGE_OWNER)) {
		console_printf("owners are not recorded: boot with page_owner=on\n");
		return 1;
	}
	console_printf("    frames  allocations  by\n");
	for (unsigned int i = 0; i < nr; i++) {
		char site[128] = "all others";

		if (sums[i].site)
			ksyms_format_return(sums[i].site, site, sizeof(site));
		console_printf("%10llu   %10llu  %s\n", ULL(sums[i].frames),
			       ULL(sums[i].allocations), site);
	}
	return 0;
}

/*
 * Each of these functions misuses the allocator, or a CPU, and the kernel panics and names the
 * misuse; without an option of mm/debug.h it does not notice use_after_free(). They return a value
 * so that the compiler cannot turn the wrong call into a jump: its return address, which page_owner
 * reports, is then in the function that is to blame and not in the caller of it.
 */

static int double_free(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
	return 1;
}

static int free_reserved(void)
{
	__free_page(pfn_to_page(0));
	return 1;
}

static int free_absent(void)
{
	__free_page(pfn_to_page(PFN_UP(memblock_end_of_DRAM())));
	return 1;
}

static int free_interior(void)
{
	__free_page(alloc_pages(GFP_KERNEL, 2) + 1);
	return 1;
}

static int wrong_order(void)
{
	__free_pages(alloc_pages(GFP_KERNEL, 2), 1);
	return 1;
}

/* The second allocation is given the frame that was just freed, and so checks what is in it. */
static int use_after_free(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	volatile uint32_t *word = page_address(page);

	__free_page(page);
	word[4] = 0x11223344;
	__free_page(alloc_page(GFP_KERNEL));
	console_printf("the write was not noticed: boot with page_poison=on or "
		       "debug_pagealloc=on\n");
	return 1;
}

static bool is_deaf; /* be_deaf() has disabled the interrupts */

/* Disables interrupts on the CPU whose number is at argument, for good; as the work of
 * cpus_begin().
 */
static void be_deaf(void *argument)
{
	const unsigned int *cpu = argument;

	if (*cpu != port_cpu_id())
		return;
	port_irq_save();
	__atomic_store_n(&is_deaf, true, __ATOMIC_RELEASE);
	for (;;)
		arch_relax();
}

/* Asks all CPUs for something, of which the last does not answer. */
static int deaf_cpu(void)
{
	unsigned int last = 0;

	for_each_online_cpu(cpu)
		last = cpu;
	if (!last) {
		console_printf("this machine has one CPU, and two are needed\n");
		return 1;
	}
	cpus_begin(be_deaf, &last);
	while (!__atomic_load_n(&is_deaf, __ATOMIC_ACQUIRE)) /* until then it would answer */
		arch_relax();
	drain_all_pages();
	return 1;
}

/* Panics on the CPU whose number is at argument; as the work of cpus_begin(). */
static void panic_on(void *argument)
{
	const uint64_t *cpu = argument;

	if (*cpu == port_cpu_id())
		panic("requested by the command panic");
}

/* Sets *cpu to the CPU that a word names. Returns false, and says so, if that is not online. */
static bool parse_cpu(const char *word, uint64_t *cpu)
{
	if (parse_number(word, cpu) && *cpu <= UINT32_MAX && cpu_is_online((unsigned int)*cpu))
		return true;
	console_printf("%s is not the number of a CPU that is online\n", word);
	return false;
}

static int cmd_panic(int argc, char **argv)
{
	uint64_t cpu = port_cpu_id();

	if (argc == 2 && !parse_cpu(argv[1], &cpu))
		return 1;
	cpus_begin(panic_on, &cpu);
	panic_on(&cpu);
	while (cpus_busy())
		arch_relax();
	return 1;
}

static int cmd_trace(int argc, char **argv)
{
	const struct trap_frame *frame;
	uint64_t cpu;

	(void)argc;
	if (!parse_cpu(argv[1], &cpu))
		return 1;
	frame = cpu_stopped_at((unsigned int)cpu);
	if (cpu == port_cpu_id() && monitor_has_panicked())
		frame = arch_panic_frame();
	if (!frame) {
		console_printf("CPU %llu was not stopped by a panic\n", ULL(cpu));
		return 1;
	}
	place_print(frame);
	return 0;
}

static const struct {
	const char *name;
	int (*commit)(void);
} misuses[] = {
	{ "double-free", double_free }, { "free-reserved", free_reserved },
	{ "free-absent", free_absent }, { "free-interior", free_interior },
	{ "wrong-order", wrong_order }, { "use-after-free", use_after_free },
	{ "deaf-cpu", deaf_cpu },
};

#define NR_MISUSES (sizeof(misuses) / sizeof(misuses[0]))

static int cmd_misuse(int argc, char **argv)
{
	(void)argc;
	for (size_t i = 0; i < NR_MISUSES; i++)
		if (!strcmp(argv[1], misuses[i].name))
			return misuses[i].commit();
	console_printf("%s is not one of", argv[1]);
	for (size_t i = 0; i < NR_MISUSES; i++)
		console_printf(" %s", misuses[i].name);
	console_printf("\n");
	return COMMAND_USAGE;
}

static const char *misuse_word(int nr, size_t i)
{
	return nr == 1 && i < NR_MISUSES ? misuses[i].name : NULL;
}

const struct command debug_commands[] = {
	{ "page_owner", "", "what is allocated, by caller",
	  "What is allocated, by call site. Needs the option page_owner=on.", NULL, cmd_page_owner,
	  .time = ALWAYS },
	{ "panic", "[CPU]", "panics, to show a report",
	  "Panics, on that CPU or else on this one, to show what a panic prints.", "0", cmd_panic,
	  .time = UNTIL_PANIC, .max_args = 1 },
	{ "trace", "CPU", "where a panic stopped a CPU",
	  "The registers and calls of a CPU that a panic has stopped.", "0", cmd_trace,
	  .time = ALWAYS, .min_args = 1, .max_args = 1 },
	{ "misuse", "KIND", "a mistake that panics",
	  "Makes a mistake on purpose, which panics: double-free, free-reserved,\n"
	  "free-absent, free-interior, wrong-order, use-after-free or deaf-cpu.",
	  "use-after-free", cmd_misuse, .time = UNTIL_PANIC, .min_args = 1, .max_args = 1,
	  .word = misuse_word },
	{ .name = NULL },
};
