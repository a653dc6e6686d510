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
 * Reads lines at a prompt and runs them for ever, on a machine that has panicked: interrupts stay
 * off, input is polled, and only commands that may ALWAYS run do so.
 */
__attribute__((noreturn)) void monitor_after_panic(void);

/* Returns whether monitor_after_panic() was called. */
bool monitor_has_panicked(void);

/* Returns whether the running command is one of run=: nobody may be at a keyboard then. */
bool monitor_is_unattended(void);

/* Returns whether a command of run= has failed until now. */
bool monitor_list_failed(void);

/* Returns the time stamp, as of arch_timestamp(), at which monitor() began. */
uint64_t monitor_start_time(void);

#endif
