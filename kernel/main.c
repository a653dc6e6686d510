/*
 * main.c: the plot. Each step is a function named for it; nothing is done here.
 */
#include "kernel/main.h"

#include "arch/x86_64/arch.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/mm_setup.h"
#include "kernel/monitor.h"
#include "kernel/options.h"

/* The loader has said so too, but the screen was cleared since, and the log has only this. */
static void cmdline_faults(void)
{
	if (boot_info.cmdline_faults & CMDLINE_FAULT_MISSING)
		printk("CMDLINE.TXT is missing: no options\n");
	if (boot_info.cmdline_faults & CMDLINE_FAULT_CUT)
		printk("CMDLINE.TXT: line longer than %d bytes: cut there\n",
		       BOOT_INFO_CMDLINE_SIZE - 1);
	if (boot_info.cmdline_replaced)
		printk("CMDLINE.TXT: %u bytes are no printable ASCII: ? in their place\n",
		       boot_info.cmdline_replaced);
}

static void banner(void)
{
	printk("firstpage: kernel at 0x%lx, 0x%lx bytes, from drive 0x%02x\n",
	       boot_info.kernel_phys, boot_info.kernel_size, boot_info.boot_drive);
	printk("Command line: %s\n", boot_info.cmdline);
	cmdline_faults();
}

static void options_setup(void)
{
	options_parse(&options, boot_info.cmdline, printk);
	if (options.consoles)
		console_select(options.consoles);
}

void start_kernel(phys_addr_t boot_info_phys)
{
	console_init();
	traps_init();
	boot_info_init(boot_info_phys);
	banner();
	options_setup();
	cpu_init();
	e820_setup();
	memblock_setup();
	probe_setup();
	paging_setup();
	memtest_setup();
	mem_map_setup();
	buddy_setup();
	arch_devices_init(boot_info.rsdp);
	monitor();
}
