/*
 * monitor.h: the prompt.
 */
#ifndef KERNEL_MONITOR_H
#define KERNEL_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the commands of run=, then reads and runs lines for ever. */
__attribute__((noreturn)) void monitor(void);

/*
 * Whether Ctrl-C was typed: long work asks every now and then (at least each 100 ms) and stops. It
 * stays true until the prompt is back, so that every command typed before the Ctrl-C ends too.
 */
bool monitor_interrupted(void);

/* When monitor() began: arch_timestamp(). */
uint64_t monitor_since(void);

#endif
