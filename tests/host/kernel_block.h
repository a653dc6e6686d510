/*
 * kernel_block.h: makes a boot_info block that passes all checks, for tests to spoil.
 *
 * All of kernel/boot_info.c is linked into the program. kernel_block.c also has the symbols of the
 * kernel that its boot_info_init() needs.
 */
#ifndef TESTS_HOST_KERNEL_BLOCK_H
#define TESTS_HOST_KERNEL_BLOCK_H

#include <setjmp.h>

#include "kernel/boot_info.h"

#define BLOCK_VIRT 0xffffffff80000000ull
#define BLOCK_PHYS 0x200000ull
#define BLOCK_SIZE 0x66000ull

extern const struct boot_info_image block_image;

/* panic() stores its message and jumps, if there is where to; otherwise it ends the program. */
extern char block_panic_text[200];
extern jmp_buf *block_panic_jump;

/* Makes a block that is right except for its CRC, which block_seal() must add. */
void block_make(struct boot_info *info);

/* Gives the block the CRC that fits. */
void block_seal(struct boot_info *info);

#endif
