/*
 * elf.h: is this file a kernel that can be placed? Pure: for stage2 and host tests alike.
 *
 * KERNEL.ELF is an ELF64 executable for x86-64, followed by a trailer of 16 bytes that
 * scripts/seal-kernel.py adds: "1stpSEAL", the length of what is before it, its CRC32.
 */
#ifndef FIRSTPAGE_STAGE2_ELF_H
#define FIRSTPAGE_STAGE2_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 8
#define ELF_MAX_MEMORY   0x4000000u /* 64 MiB: more is a mistake, not a kernel */
#define ELF_PAGE         0x1000u
#define ELF_IMAGE_ALIGN  0x200000u             /* of the lowest address, for 2 MiB pages */
#define ELF_LOWEST       0xffffffff80000000ull /* the top 2 GiB: the kernel code model's */

struct elf_segment {
	uint32_t offset; /* in the file */
	uint32_t file_size;
	uint32_t memory; /* from the image's first byte */
	uint32_t memory_size;
};

struct elf_image {
	uint64_t virt;  /* lowest address */
	uint64_t entry; /* virtual */
	uint32_t size;  /* bytes in memory from virt, whole pages */
	uint32_t nr_segments;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
};

/*
 * Fills image from the file's size bytes and returns true when it can be placed: each segment
 * inside file and image, sorted, apart, congruent to its page, not both writable and executable,
 * the entry in executable bytes; and the trailer right. Otherwise false, and why in words, of
 * at most why_size bytes.
 */
bool elf_check(const uint8_t *file, uint32_t size, struct elf_image *image, char *why,
	       size_t why_size);

#endif
