/*
 * kernel_block.h: a boot_info block that passes all checks, for tests to spoil.
 *
 * kernel/boot_info.c is in the program whole; what its boot_info_init() asks of the kernel is here
 * and is not called.
 */
#ifndef TESTS_HOST_KERNEL_BLOCK_H
#define TESTS_HOST_KERNEL_BLOCK_H

#include "kernel/boot_info.h"

#define BLOCK_VIRT 0xffffffff80000000ull
#define BLOCK_PHYS 0x200000ull
#define BLOCK_SIZE 0x66000ull

extern const struct boot_info_image block_image;

/* Without its CRC. */
void block_make(struct boot_info *info);

/* Gives it the CRC that fits. */
void block_seal(struct boot_info *info);

#endif
