/*
 * boot_info.h: the kernel's own, checked copy of what stage2 said.
 */
#ifndef KERNEL_BOOT_INFO_H
#define KERNEL_BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "include/boot_info.h"
#include "mm/types.h"

extern struct boot_info boot_info;

/*
 * Copies the block at phys and checks all of it. When a field is wrong, says which and what it
 * holds, and panics: a loader of another build must not be guessed at.
 */
void boot_info_init(phys_addr_t phys);

/* The last BIOS calls that stage2 made, a line each, at most `most` of them. */
void boot_info_print_calls(print_fn print, uint32_t most);

/*
 * The first thing wrong with a copy, as text in reason; false when nothing is. kernel_virt, size
 * and entry are what the image itself knows.
 */
struct boot_info_image {
	uint64_t virt, size, entry;
};
bool boot_info_is_wrong(struct boot_info *info, const struct boot_info_image *image, char *reason,
			size_t size);

#endif
