/*
 * ksyms.h: turns addresses of code into names of functions.
 *
 * The image carries a table that scripts/ksyms.sh makes: the number of functions, and the CRC32 of
 * the code, which scripts/build-id.py writes into the linked kernel; then for each function the
 * offset of its first byte from the start of the image and the offset of its name from the first
 * name, sorted by address; then the names. In a kernel that is linked without the table the number
 * is 0, and addresses are printed as numbers.
 */
#ifndef KERNEL_KSYMS_H
#define KERNEL_KSYMS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes the function that address lies in to text, size bytes, with a terminating 0: its name, the
 * offset of address and the function's size, "name+0x12/0x40". Writes the address as a number where
 * it lies in no function. O(log of the number of functions).
 */
void ksyms_format(uintptr_t address, char *text, size_t size);

/*
 * Writes the same as ksyms_format() for a return address. The name is that of the function with the
 * byte before address: a call that never returns may be the last instruction of its function, and
 * its return address is then the first byte of the next one.
 */
void ksyms_format_return(uintptr_t address, char *text, size_t size);

/*
 * Returns the CRC32 of the kernel's code, which tells builds apart. A panic prints it, so that
 * scripts/decode can tell whether a trace belongs to the kernel.elf that it was given. It is
 * computed when the kernel is linked: 0 in a kernel that is linked without the table.
 */
uint32_t ksyms_build(void);

#endif
