/*
 * panic.c: the report of a fatal error, and what the machine does after it.
 *
 * The report gives the reason, the step of the boot, the registers, the back-trace and the state of
 * memory. With run= on the command line a script waits for the result, so the machine then ends
 * with the status PANIC_STATUS. Without it a person may want to look further, so the monitor starts
 * again with those commands that only read.
 *
 * A panic during a panic prints its reason in one line and reports nothing else, since a report is
 * what has just failed; a command of that monitor that faults ends in this way too. A console that
 * was being written to when a panic began is not used again, so that the others can still show the
 * report. After MAX_NESTED panics the machine halts without a word.
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

/* Prints a line of the back-trace; as arch_call_fn in arch.h. */
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

/* Ends the machine with PANIC_STATUS, or says that it is halted and starts the panic prompt. */
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
		console_printf("Commands that only read still work; help lists them\n");
		monitor_after_panic();
	}
	arch_halt();
}

/* Prints the reason and the step of the boot. Returns only in the first panic. */
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

/* Prints the build, the registers and the back-trace. */
static void print_place(const struct trap_frame *frame)
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
	print_place(&panic_frame);
	report_state();
	end();
}

void trap_panic(const struct trap_frame *frame, const char *reason)
{
	uintptr_t address;

	begin(reason);
	print_place(frame);
	if (arch_fault_address(frame, &address))
		report_address(address);
	report_state();
	end();
}
