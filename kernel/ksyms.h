/*
 * ksyms.h: names of functions, from the table that the image carries.
 *
 * scripts/ksyms.sh makes it: a count, then pairs (offset of the function from the image's start,
 * offset of its name), sorted by address, then the names. A kernel linked without it has a count
 * of 0, and addresses stay numbers.
 */
#ifndef KERNEL_KSYMS_H
#define KERNEL_KSYMS_H

#include <stddef.h>
#include <stdint.h>

/* Writes "name+0x12/0x40", or "0x…" for an address of no function, and terminates. */
void ksyms_format(uintptr_t address, char *text, size_t size);

#endif
