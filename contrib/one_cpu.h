/* SPDX-License-Identifier: MIT */
/*
 * one_cpu.h: the rest of the port for a kernel that begins: with one CPU, no interrupt handler that
 * allocates or frees, and none of the options of mm/debug.h but MM_PAGE_POISON and MM_PAGE_OWNER.
 *
 * one_cpu.c defines the functions that mm/port.h names, printk() and panic() among them, by two of
 * the kernel's. It leaves out those in whose place the configuration of mm/ has a macro, those of
 * the other parts here (page_tables.h, kmalloc.h), and those for memory that comes and goes. It
 * needs the part printf.
 */
#ifndef CONTRIB_ONE_CPU_H
#define CONTRIB_ONE_CPU_H

/* The kernel supplies these two. */

/* Writes a character to the log. A line ends in '\n' alone. */
void kernel_put(char c);

/* Ends the run, after a panic with status 1, and never returns. */
__attribute__((noreturn)) void kernel_stop(unsigned int status);

#endif
