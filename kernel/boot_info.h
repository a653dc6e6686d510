/*
 * boot_info.h: the kernel's copy of the block that stage2 passes to it, checked.
 */
#ifndef KERNEL_BOOT_INFO_H
#define KERNEL_BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "include/boot_info.h"
#include "mm/types.h"

/* The copy. All its bytes are 0 before boot_info_init(). */
extern struct boot_info boot_info;

/*
 * Copies the block at phys into boot_info and checks it as boot_info_is_wrong() does. Panics with
 * the name and value of the first field that is wrong: the block is then damaged, or comes from a
 * loader of another build.
 */
void boot_info_init(phys_addr_t phys);

/*
 * Prints the last BIOS calls that stage2 made, but at most max_calls of them: a line with the
 * numbers, then a line for each call, the oldest first.
 */
void boot_info_print_calls(print_fn print, uint32_t max_calls);

/* Where the kernel's image was linked, its size in bytes and its entry, by its own symbols. */
struct boot_info_image {
	uint64_t virt, size, entry;
};

/*
 * Returns whether info is unusable for the kernel that image describes, and then writes what is
 * wrong with it to reason, size bytes. Checks magic, version, size and CRC, the bounds of scalar
 * fields, the kernel's place, the ranges and the command line. Does not check the time stamps and
 * the record of BIOS calls, which are only printed, or the E820 entries, which e820_setup()
 * corrects. Changes info->crc32 while it computes the checksum, and restores it.
 */
bool boot_info_is_wrong(struct boot_info *info, const struct boot_info_image *image, char *reason,
			size_t size);

#endif
