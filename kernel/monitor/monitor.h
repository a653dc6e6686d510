/*
 * monitor.h: the monitor, which runs commands from run= and from the prompt.
 */
#ifndef KERNEL_MONITOR_MONITOR_H
#define KERNEL_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the commands of run=, then reads lines at the prompt and runs them for ever. */
__attribute__((noreturn)) void monitor(void);

/*
 * Reads lines at the prompt for a machine that has panicked and runs them for ever: only commands
 * that are marked as safe, with interrupts off; input is polled.
 */
__attribute__((noreturn)) void monitor_after_panic(void);

/* Returns whether monitor_after_panic() was called. */
bool monitor_has_panicked(void);

/* Returns whether the running command is one of run=: nobody may be at a keyboard then. */
bool monitor_is_unattended(void);

/* Returns the time stamp, as of arch_timestamp(), at which monitor() began. */
uint64_t monitor_start_time(void);

#endif
