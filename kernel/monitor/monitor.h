/*
 * monitor.h: the prompt.
 */
#ifndef KERNEL_MONITOR_MONITOR_H
#define KERNEL_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the commands of run=, then reads and runs lines for ever. */
__attribute__((noreturn)) void monitor(void);

/*
 * The prompt after a panic: polls for input, interrupts stay off, and runs what is marked as safe.
 */
__attribute__((noreturn)) void monitor_after_panic(void);

/* Whether that is where we are. */
bool monitor_has_panicked(void);

/* Whether the running command is of run=, and nobody need be at a keyboard. */
bool monitor_runs_list(void);

/* When monitor() began: arch_timestamp(). */
uint64_t monitor_since(void);

#endif
