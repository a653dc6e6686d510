/*
 * elf.h: checks whether a file is a kernel that stage2 can load.
 *
 * KERNEL.ELF is an ELF64 executable for x86-64, followed by a trailer of 16 bytes that
 * scripts/seal-kernel.py appends: "1stpSEAL", then the length and the CRC32 of everything before
 * the trailer. Pure functions on the caller's memory, which host tests compile too.
 */
#ifndef FIRSTPAGE_STAGE2_ELF_H
#define FIRSTPAGE_STAGE2_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 8
#define ELF_MAX_MEMORY   0x4000000u /* 64 MiB: a larger image must be a mistake */
#define ELF_PAGE         0x1000u
#define ELF_IMAGE_ALIGN  0x200000u             /* alignment of the lowest address: 2 MiB pages */
#define ELF_LOWEST       0xffffffff80000000ull /* the top 2 GiB, which gcc's kernel model uses */

/* A segment to load. Sizes and offsets are in bytes. */
struct elf_segment {
	uint32_t offset; /* in the file */
	uint32_t file_size;
	uint32_t memory; /* offset from the image's first byte */
	uint32_t memory_size;
};

struct elf_image {
	uint64_t virt;  /* lowest virtual address */
	uint64_t entry; /* virtual address of the first instruction */
	uint32_t size;  /* bytes in memory from virt on, whole pages */
	uint32_t nr_segments;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
};

/*
 * Checks the file (size bytes) and fills *image. Returns true if stage2 can load it:
 *
 *   each segment lies inside the file and in the top 2 GiB, is not both writable and executable,
 *   and has the same offset within a page in the file and in memory;
 *   the segments are sorted by address, do not overlap, and span at most ELF_MAX_MEMORY;
 *   the entry point is in executable bytes of the file;
 *   the trailer has the right length and CRC32.
 *
 * Otherwise returns false and writes the reason to why, at most why_size bytes.
 */
bool elf_check(const uint8_t *file, uint32_t size, struct elf_image *image, char *why,
	       size_t why_size);

#endif
