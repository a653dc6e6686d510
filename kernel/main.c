/*
 * main.c: start_kernel(), which is the list of the boot's steps in their order.
 *
 * A step is defined by the part of the kernel that it sets up: those of memory by memory/setup.c,
 * those of the machine by arch/x86_64/. Defined here are only a few short ones. They pass what the
 * loader reported, and the options, to the parts that use them, and log both.
 */
#include "kernel/main.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/breakpoints.h"
#include "arch/x86_64/cpus.h"
#include "kernel/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/console/log.h"
#include "kernel/ksyms.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/setup.h"
#include "kernel/monitor/monitor.h"
#include "kernel/options.h"
#include "kernel/progress.h"
#include "lib/string.h"
#include "mm/debug.h"

/* start_kernel()'s argument, for boot_info_setup(): steps take none. */
static phys_addr_t boot_info_at;

static void boot_info_setup(void)
{
	boot_info_init(boot_info_at);
}

/*
 * Logs what was wrong with CMDLINE.TXT. The loader has printed that too, but the screen was cleared
 * since then and the kernel's log begins later.
 */
static void cmdline_faults(void)
{
	if (boot_info.cmdline_faults & CMDLINE_FAULT_MISSING)
		printk("CMDLINE.TXT: not found, booted without options\n");
	if (boot_info.cmdline_faults & CMDLINE_FAULT_CUT)
		printk("CMDLINE.TXT: the line is longer than %d bytes: cut behind its last whole "
		       "option or command; left out: %s\n",
		       BOOT_INFO_CMDLINE_SIZE - 1, boot_info.dropped);
	if (boot_info.cmdline_faults & CMDLINE_FAULT_MORE)
		printk("CMDLINE.TXT: only the first line counts, there is more below it\n");
	if (boot_info.cmdline_replaced)
		printk(
		    "CMDLINE.TXT: %u characters that are not printable ASCII were replaced by '?'\n",
		    boot_info.cmdline_replaced);
}

/* Logs the command line. printk() cuts what is longer than CONSOLE_TEXT_SIZE, so it gets pieces. */
static void log_command_line(void)
{
	const int piece = CONSOLE_TEXT_SIZE / 2;
	const char *at = boot_info.cmdline;

	printk("Command line: ");
	for (; strlen(at) > (size_t)piece; at += piece)
		printk("%.*s", piece, at);
	printk("%s\n", at);
}

static void banner(void)
{
	printk("firstpage: kernel at 0x%lx, 0x%lx bytes, from drive 0x%02x\n",
	       boot_info.kernel_phys, boot_info.kernel_size, boot_info.boot_drive);
	printk("firstpage: build %08x\n", ksyms_build());
	log_command_line();
	cmdline_faults();
}

/* Switches on what the kernel does differently in safe mode. */
static void safe_mode(void)
{
	printk("safe mode (%s): no frame caches, memblock=debug\n",
	       boot_info.safe == SAFE_SHIFT ? "SHIFT was held" : "option safe");
	options.memblock_debug = true;
	options.debug |= MM_NO_CACHES;
}

static void options_setup(void)
{
	banner();
	options_parse(&options, boot_info.cmdline, printk);
	if (options.consoles)
		console_select(options.consoles);
	if (boot_info.safe)
		safe_mode();
}

static void cpus_setup(void)
{
	cpus_start(options.max_cpus ? options.max_cpus : UINT32_MAX);
	bp_cpus();
}

/* Reports the step by its progress code, then runs it. */
static void step(enum progress code, void (*run)(void))
{
	progress_begin(code);
	run();
}

void start_kernel(phys_addr_t boot_info_phys)
{
	boot_info_at = boot_info_phys;
	step(PROGRESS_CONSOLES, console_init);
	step(PROGRESS_TRAPS, traps_init);
	step(PROGRESS_BOOT_INFO, boot_info_setup);
	step(PROGRESS_OPTIONS, options_setup);
	step(PROGRESS_FEATURES, cpu_init);
	step(PROGRESS_E820, e820_setup);
	step(PROGRESS_MEMBLOCK, memblock_setup);
	step(PROGRESS_PROBE, probe_setup);
	step(PROGRESS_TABLES, paging_setup);
	step(PROGRESS_MEMTEST, memtest_setup);
	step(PROGRESS_MEM_MAP, mem_map_setup);
	step(PROGRESS_BUDDY, buddy_setup);
	step(PROGRESS_DEVICES, arch_devices_init);
	/* All progress codes from 30h to 3fh are in use. */
	hotplug_setup();
	cpus_setup();
	progress_begin(PROGRESS_PROMPT);
	monitor();
}
