/*
 * fuzz_elf.c: fuzzes stage2/elf.c: a file that it accepts must be loadable as it says.
 *
 *   byte 0          bit 0: the file has no trailer; upper 4 bits: the number of pages of zeros that
 *                   follow its beginning
 *   byte 1          the size of the buffer for the message, less 1
 *   then            the beginning of the file: ELF header, program headers
 *
 * The file gets a trailer that fits, which a fuzzer would hardly ever find. A file that is accepted
 * is read once more here, with <elf.h>'s structures, and compared segment by segment.
 */
#include <elf.h>

#include "stage2/elf.h"
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/kernel_file.h"

#define PAGE 0x1000u

static void check_segment(const Elf64_Phdr *ph, const struct elf_segment *s, uint32_t size,
			  const struct elf_image *image)
{
	FUZZ_CHECK(!(ph->p_flags & PF_W) || !(ph->p_flags & PF_X));
	FUZZ_CHECK(s->offset == ph->p_offset && s->file_size == ph->p_filesz);
	FUZZ_CHECK(image->virt + s->memory == ph->p_vaddr && s->memory_size == ph->p_memsz);
	FUZZ_CHECK((uint64_t)s->offset + s->file_size <= size);
	FUZZ_CHECK(s->file_size <= s->memory_size && s->memory_size > 0);
	FUZZ_CHECK((uint64_t)s->memory + s->memory_size <= image->size);
	FUZZ_CHECK(s->offset % PAGE == s->memory % PAGE);
}

/*
 * Checks that the image has the segments of the file, all of them, sorted and disjoint, and that
 * the entry point lies in executable bytes that come from the file.
 */
static void check_segments(const uint8_t *file, uint32_t size, const struct elf_image *image)
{
	bool entry_inside = false;
	uint64_t end = 0;
	uint32_t nr = 0;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	memcpy(&eh, file, sizeof(eh));
	for (uint32_t n = 0; n < eh.e_phnum; n++) {
		memcpy(&ph, file + eh.e_phoff + n * sizeof(ph), sizeof(ph));
		FUZZ_CHECK(ph.p_type != PT_INTERP);
		if (ph.p_type != PT_LOAD || ph.p_memsz == 0)
			continue;
		FUZZ_CHECK(nr < image->nr_segments);
		FUZZ_CHECK(image->segments[nr].memory >= end);
		check_segment(&ph, &image->segments[nr], size, image);
		end = (uint64_t)image->segments[nr].memory + image->segments[nr].memory_size;
		entry_inside |= (ph.p_flags & PF_X) && eh.e_entry >= ph.p_vaddr &&
				eh.e_entry < ph.p_vaddr + ph.p_filesz;
		nr++;
	}
	FUZZ_CHECK(nr == image->nr_segments && nr > 0 && nr <= ELF_MAX_SEGMENTS);
	FUZZ_CHECK(entry_inside && image->entry == eh.e_entry);
	FUZZ_CHECK(image->segments[0].memory == 0 && image->size - end < PAGE);
}

static void check_image(const uint8_t *file, uint32_t size, const struct elf_image *image)
{
	FUZZ_CHECK(size >= sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + TRAILER_BYTES);
	FUZZ_CHECK(memcmp(file + size - TRAILER_BYTES, "1stpSEAL", 8) == 0);
	FUZZ_CHECK(image->virt >= ELF_LOWEST && image->virt % ELF_IMAGE_ALIGN == 0);
	FUZZ_CHECK(image->size > 0 && image->size % PAGE == 0 && image->size <= ELF_MAX_MEMORY);
	FUZZ_CHECK(image->size - 1 <= UINT64_MAX - image->virt);
	check_segments(file, size, image);
}

/* Checks that an accepted file is refused after this bit has been flipped. */
static void check_damage(uint8_t *file, uint32_t size, uint32_t bit)
{
	struct elf_image image;
	char why[100];

	file[bit / 8 % size] ^= (uint8_t)(1u << bit % 8);
	FUZZ_CHECK(!elf_check(file, size, &image, why, sizeof(why)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_size)
{
	struct fuzz_input input = { bytes, bytes_size };
	uint8_t first = (uint8_t)fuzz_take(&input, 1);
	size_t why_size = fuzz_take(&input, 1) + 1;
	uint32_t head = (uint32_t)input.left, pages = first >> 4;
	uint32_t size = head + pages * PAGE + (first & 1 ? 0 : TRAILER_BYTES);
	uint8_t *file = fuzz_alloc(size);
	char *why = fuzz_alloc(why_size);
	struct elf_image image;

	memcpy(file, input.at, head);
	memset(file + head, 0, size - head);
	if (!(first & 1))
		kernel_seal(file, size - TRAILER_BYTES);
	why[0] = '\0';
	if (elf_check(file, size, &image, why, why_size)) {
		check_image(file, size, &image);
		check_damage(file, size, (uint32_t)bytes_size * 7919);
	} else {
		FUZZ_CHECK(strnlen(why, why_size) < why_size && (why_size == 1 || why[0]));
	}
	free(why);
	free(file);
	return 0;
}
