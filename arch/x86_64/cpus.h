/*
 * cpus.h: the machine's processors: which there are, how they are started, and how they are given
 * work. Before cpus_start() only CPU 0 runs, the one that boots.
 *
 * CPUs have numbers in the order of the firmware's table (lib/madt.h), from 0 to cpus_listed() - 1.
 * A number stays with its processor even if that does not start; so the numbers of the CPUs that
 * are online may have gaps. port_cpu_id() (mm/port.h) returns the number of the CPU that runs.
 */
#ifndef ARCH_X86_64_CPUS_H
#define ARCH_X86_64_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/types.h"

struct trap_frame;

/* ---- the boot ---- */

/*
 * Reads the firmware's table of processors, gives them their numbers, and logs what is wrong with
 * it. Call it while acpi_tables.h finds tables, before memory_to_nodes() (kernel/memory/steps.h).
 */
void cpus_find(void);

/*
 * Starts all processors that were found, but at most max, CPU 0 included, and logs those that do
 * not come. Call it when pages can be allocated and interrupts are on.
 */
void cpus_start(unsigned int max);

/* ---- what there is ---- */

/* Returns how many numbers there are; how many of the CPUs are online. */
unsigned int cpus_listed(void);
unsigned int cpus_online(void);

/* Returns whether a CPU is online. cpu may be any number. */
bool cpu_is_online(unsigned int cpu);

/* Returns the APIC ids of all CPUs, by their numbers: cpus_listed() of them. */
const uint32_t *cpu_apic_ids(void);

/* Returns how many microseconds cpus_start() took; 0 when there was nothing to start, or no clock.
 */
uint64_t cpus_start_us(void);

/* Runs the body for each CPU that is online, in rising order. */
#define for_each_online_cpu(cpu)                               \
	for (unsigned int cpu = 0; cpu < cpus_listed(); cpu++) \
		if (!cpu_is_online(cpu)) {                     \
		} else

/* Prints a line for each CPU: "CPU 1: APIC 1, node 0, online", or why it is not online; then how
   many processors came that nobody had called. */
void cpus_print(print_fn print);

/* ---- work ---- */

/*
 * Calls work(argument) on every CPU that is online but CPU 0, as a thread: with interrupts on, on
 * that CPU's own stack. Returns at once. CPU 0 calls it, and only when cpus_busy() returns false.
 * Work must end by itself when the caller tells it so: only CPU 0 reads keys (console_interrupted()
 * returns false elsewhere). It may print, allocate and wait for other CPUs, but must not call
 * cpus_begin().
 */
void cpus_begin(void (*work)(void *argument), void *argument);

/* Returns whether a CPU has not yet returned from its work. What it wrote before that is visible
   when this has returned false. */
bool cpus_busy(void);

/* ---- panics ---- */

/*
 * Stops all other CPUs by NMI, for good, and waits for them, at most half a second. Called in a
 * panic, with interrupts off; frame has the registers of what panicked. If another CPU has begun
 * the same already, this one stops, and that one can show frame. A second call on the same CPU does
 * nothing.
 */
void cpus_stop(const struct trap_frame *frame);

/* Returns the registers that a CPU had when it stopped, or NULL if it runs this, was not online or
   did not stop. */
const struct trap_frame *cpu_stopped_at(unsigned int cpu);

#endif
