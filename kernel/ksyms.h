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

/*
 * The same for a return address. The call may be the last instruction of its function, where what
 * is called never returns: the name is that of the byte before.
 */
void ksyms_format_return(uintptr_t address, char *text, size_t size);

/*
 * Which build this is: the CRC32 of its code, with which scripts/decode knows whether a trace is of
 * the kernel.elf at hand. Computed once, by the first call: 1 ms.
 */
uint32_t ksyms_build(void);

#endif
