/*
 * panic.c: the end of the road: why, where, how it came there, what memory was like; then a status,
 * or a prompt that reads.
 *
 * A panic inside a panic says so in one line and looks no further: what it would look at is broken.
 * A console that faults is given up, so the others tell; after MAX_NESTED nothing is said any more.
 * Under run= somebody waits for a status, so the machine ends with PANIC_STATUS. Otherwise somebody
 * may be there to ask: the monitor's commands that only read, of which one that faults is a panic
 * inside a panic.
 */
#include <stdarg.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/log.h"
#include "kernel/ksyms.h"
#include "kernel/memory/report.h"
#include "kernel/monitor/monitor.h"
#include "kernel/options.h"
#include "kernel/progress.h"
#include "lib/format.h"

#define PANIC_STATUS 124
#define MAX_NESTED   (NR_ARCH_CONSOLES + 2)

static unsigned nr_panics;

static void print_call(uintptr_t address, bool is_return)
{
	char text[128];

	if (is_return)
		ksyms_format_return(address, text, sizeof(text));
	else
		ksyms_format(address, text, sizeof(text));
	printk(" ? %s\n", text);
}

void dump_stack(void)
{
	printk("Call Trace:\n");
	arch_walk_stack(NULL, print_call);
}

__attribute__((noreturn)) static void end(void)
{
	if (options.run) {
		printk("firstpage: exit %u\n", PANIC_STATUS);
		console_flush();
		arch_exit(PANIC_STATUS);
	}
	printk("System halted.\n");
	console_flush();
	if (nr_panics == 1) {
		console_printf("Commands that only read still work: help\n");
		monitor_after_panic();
	}
	arch_halt();
}

/* Returns once; the second panic ends here. */
static void begin(const char *reason)
{
	port_irq_save();
	console_drop_failed();
	if (++nr_panics > MAX_NESTED)
		arch_halt();
	if (nr_panics > 1) {
		printk("Kernel panic during a panic: %s\n", reason);
		end();
	}
	printk("Kernel panic: %s\n", reason);
	progress_failed();
}

static void where(const struct trap_frame *frame)
{
	printk("firstpage: build %08x\n", ksyms_build());
	arch_print_frame(frame);
	printk("Call Trace:\n");
	arch_walk_stack(frame, print_call);
}

void panic_report(const char *fmt, ...)
{
	char reason[256];
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	begin(reason);
	where(&panic_frame);
	report_state();
	end();
}

void trap_panic(const struct trap_frame *frame, const char *reason)
{
	uintptr_t address;

	begin(reason);
	where(frame);
	if (arch_fault_address(frame, &address))
		report_address(address);
	report_state();
	end();
}
