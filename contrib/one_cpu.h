/* SPDX-License-Identifier: MIT */
/*
 * one_cpu.h: the rest of the port for a kernel with one CPU, without an interrupt handler that
 * allocates or frees, and without the option MM_DEBUG_PAGEALLOC of mm/debug.h.
 *
 * one_cpu.c defines the functions that mm/port.h declares; printk() and panic() call the two below.
 * It leaves out the functions in whose place the configuration of mm/ has a macro, those of
 * page_tables.h and kmalloc.h, those for memory that comes and goes, and memset() and its like. It
 * needs the part printf.
 */
#ifndef CONTRIB_ONE_CPU_H
#define CONTRIB_ONE_CPU_H

/* The kernel supplies these two functions. */

/* Writes a character to the log. A line ends in '\n' alone. */
void kernel_put(char c);

/* Stops the machine and never returns. panic() passes 1 for status. */
__attribute__((__noreturn__)) void kernel_stop(unsigned int status);

#endif
