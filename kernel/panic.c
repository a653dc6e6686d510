/*
 * panic.c: the report of a fatal error, and what the machine does after it.
 *
 * The report gives the reason, the step of the boot, the registers, the back-trace and the state of
 * memory. With run= on the command line a script waits for the result, so the machine then ends
 * with the status PANIC_STATUS. Without it a person may want to look further, so the monitor starts
 * again with those commands that only read, on the CPU that has failed. All other CPUs are stopped.
 *
 * A panic during a panic prints its reason in one line and reports nothing else, since a report is
 * what has just failed; a command of that monitor that faults ends in this way too. A console that
 * was being written to when a panic began is not used again, so that the others can still show the
 * report. After MAX_NESTED panics the machine halts without a word.
 */
#include <stdarg.h>

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/console/log.h"
#include "kernel/ksyms.h"
#include "kernel/memory/report.h"
#include "kernel/monitor/monitor.h"
#include "kernel/options.h"
#include "kernel/place.h"
#include "kernel/progress.h"
#include "lib/format.h"
#include "mm/zone.h"

#define PANIC_STATUS 124
#define MAX_NESTED   (NR_ARCH_CONSOLES + 2)
#define MAX_OTHERS   8 /* CPUs of which the report says where they stopped */

static unsigned nr_panics;

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

/* Prints where the other CPUs stopped, a line each. */
static void print_others(void)
{
	unsigned nr = 0;

	for_each_online_cpu(cpu) {
		const struct trap_frame *frame = cpu_stopped_at(cpu);
		char text[128];

		if (cpu == port_cpu_id() || nr++ >= MAX_OTHERS)
			continue;
		if (frame)
			ksyms_format(arch_frame_address(frame), text, sizeof(text));
		printk("CPU %u: %s%s\n", cpu, frame ? "stopped in " : "does not stop",
		       frame ? text : "");
	}
}

/*
 * Stops the other CPUs, and prints the reason and the step of the boot. frame has the registers of
 * what failed. Returns only in the first panic. What another CPU was doing to the allocator stays
 * half done, so its locks are opened for the report.
 */
static void begin(const struct trap_frame *frame, const char *reason)
{
	port_irq_save();
	cpus_stop(frame);
	console_drop_failed();
	zones_break_locks();
	if (++nr_panics > MAX_NESTED)
		arch_halt();
	if (nr_panics > 1) {
		printk("Kernel panic during a panic: %s\n", reason);
		end();
	}
	if (cpus_online() > 1)
		printk("Kernel panic: %s, on CPU %u\n", reason, port_cpu_id());
	else
		printk("Kernel panic: %s\n", reason);
	progress_failed();
}

/* Prints all but the reason: the build, where it happened, where other CPUs were, and memory. */
static void print_report(const struct trap_frame *frame)
{
	uintptr_t address;

	printk("firstpage: build %08x\n", ksyms_build());
	place_print(frame);
	if (arch_fault_address(frame, &address))
		report_address(address);
	print_others();
	report_state();
}

void panic_report(const char *fmt, ...)
{
	char reason[256];
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	begin(arch_panic_frame(), reason);
	print_report(arch_panic_frame());
	end();
}

void trap_panic(const struct trap_frame *frame, const char *reason)
{
	begin(frame, reason);
	print_report(frame);
	end();
}
