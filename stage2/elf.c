/*
 * elf.c: see elf.h. The structure is checked before the CRC, so that a developer who links another
 * kernel learns which rule it breaks. If the CRC is wrong too, the message has both reasons.
 */
#include "stage2/elf.h"

#include "lib/crc32.h"
#include "lib/format.h"
#include "lib/string.h"
#include "stage2/bytes.h"

/* Offsets and values of the ELF header (System V ABI, chapter 4; ELF-64 Object File Format 1.5). */
#define EH_CLASS      4
#define EH_DATA       5
#define EH_TYPE       16
#define EH_MACHINE    18
#define EH_ENTRY      24
#define EH_PHOFF      32
#define EH_PHSIZE     54
#define EH_PHNUM      56
#define EH_SIZE       64u
#define CLASS_64      2
#define DATA_LITTLE   1
#define TYPE_EXEC     2
#define MACHINE_X64   62

/* Offsets in a program header, and values. */
#define PH_TYPE       0
#define PH_FLAGS      4
#define PH_OFFSET     8
#define PH_VADDR      16
#define PH_FILESZ     32
#define PH_MEMSZ      40
#define PH_SIZE       56u
#define TYPE_LOAD     1
#define TYPE_INTERP   3
#define FLAG_X        1u
#define FLAG_W        2u

#define TRAILER_MAGIC "1stpSEAL"
#define TRAILER_SIZE  16u

struct check {
	const uint8_t *file;
	uint32_t size;
	struct elf_image *image;
	char *why;
	size_t why_size;
	uint64_t end;      /* virtual address after the last segment so far */
	bool entry_inside; /* a segment has the entry in executable bytes from the file */
};

#define REJECT(check, ...) (fmt_snprintf((check)->why, (check)->why_size, __VA_ARGS__), false)

static bool check_header(struct check *c)
{
	const uint8_t *file = c->file;

	if (c->size < EH_SIZE || memcmp(file,
					"\x7f"
					"ELF",
					4) != 0)
		return REJECT(c, "not an ELF file");
	if (file[EH_CLASS] != CLASS_64 || file[EH_DATA] != DATA_LITTLE)
		return REJECT(c, "not a 64-bit little-endian ELF file");
	if (get16(file + EH_MACHINE) != MACHINE_X64)
		return REJECT(c, "for machine %u, not x86-64 (62)", get16(file + EH_MACHINE));
	if (get16(file + EH_TYPE) != TYPE_EXEC)
		return REJECT(c, "of ELF type %u, not executable (2)", get16(file + EH_TYPE));
	if (get16(file + EH_PHSIZE) != PH_SIZE)
		return REJECT(c, "program headers of %u bytes, not 56", get16(file + EH_PHSIZE));
	if (get64(file + EH_PHOFF) > c->size ||
	    (uint64_t)get16(file + EH_PHNUM) * PH_SIZE > c->size - get64(file + EH_PHOFF))
		return REJECT(c, "program headers reach past the end of the file");
	c->image->entry = get64(file + EH_ENTRY);
	return true;
}

/* Checks segment n. The bounds come first, so that no later sum overflows. */
static bool check_segment(struct check *c, const uint8_t *ph, uint32_t n)
{
	uint64_t offset = get64(ph + PH_OFFSET), file_size = get64(ph + PH_FILESZ);
	uint64_t vaddr = get64(ph + PH_VADDR), memory_size = get64(ph + PH_MEMSZ);
	uint32_t flags = get32(ph + PH_FLAGS);

	if (offset > c->size || file_size > c->size - offset)
		return REJECT(c, "segment %u reaches past the end of the file", n);
	if (file_size > memory_size)
		return REJECT(c, "segment %u is larger in the file than in memory", n);
	if (vaddr < ELF_LOWEST || memory_size >= -vaddr)
		return REJECT(c, "segment %u is not in the top 2 GiB (address %#llx)", n,
			      (unsigned long long)vaddr);
	if (vaddr % ELF_PAGE != offset % ELF_PAGE)
		return REJECT(c, "segment %u is aligned differently in memory and in the file", n);
	if ((flags & FLAG_W) && (flags & FLAG_X))
		return REJECT(c, "segment %u is writable and executable", n);
	if (vaddr < c->end) /* 0 before the first one */
		return REJECT(c, "segment %u lies below the one before it or overlaps it", n);
	return true;
}

static bool add_segment(struct check *c, const uint8_t *ph, uint32_t n)
{
	struct elf_image *image = c->image;
	uint64_t vaddr = get64(ph + PH_VADDR), memory_size = get64(ph + PH_MEMSZ);

	if (image->nr_segments == ELF_MAX_SEGMENTS)
		return REJECT(c, "more than %d segments", ELF_MAX_SEGMENTS);
	if (image->nr_segments == 0)
		image->virt = vaddr;
	c->end = vaddr + memory_size;
	if (c->end - image->virt > ELF_MAX_MEMORY)
		return REJECT(c, "segment %u makes it larger than 64 MiB in memory", n);
	image->segments[image->nr_segments++] = (struct elf_segment){
		.offset = (uint32_t)get64(ph + PH_OFFSET),
		.file_size = (uint32_t)get64(ph + PH_FILESZ),
		.memory = (uint32_t)(vaddr - image->virt),
		.memory_size = (uint32_t)memory_size,
	};
	/* Below vaddr the difference wraps to -vaddr or more, which is more than any size here. */
	if ((get32(ph + PH_FLAGS) & FLAG_X) && image->entry - vaddr < get64(ph + PH_FILESZ))
		c->entry_inside = true;
	return true;
}

static bool check_segments(struct check *c)
{
	uint32_t count = get16(c->file + EH_PHNUM);
	const uint8_t *ph = c->file + get64(c->file + EH_PHOFF);

	for (uint32_t n = 0; n < count; n++, ph += PH_SIZE) {
		if (get32(ph + PH_TYPE) == TYPE_INTERP)
			return REJECT(c, "asks for a dynamic linker");
		if (get32(ph + PH_TYPE) != TYPE_LOAD || get64(ph + PH_MEMSZ) == 0)
			continue;
		if (!check_segment(c, ph, n) || !add_segment(c, ph, n))
			return false;
	}
	if (c->image->nr_segments == 0)
		return REJECT(c, "no segment to load");
	if (c->image->virt % ELF_IMAGE_ALIGN != 0)
		return REJECT(c, "linked at %#llx, not a multiple of 2 MiB",
			      (unsigned long long)c->image->virt);
	if (!c->entry_inside)
		return REJECT(c, "entry %#llx is in no executable segment",
			      (unsigned long long)c->image->entry);
	c->image->size = (uint32_t)(c->end - c->image->virt + ELF_PAGE - 1) & ~(ELF_PAGE - 1);
	return true;
}

/* Four bytes of the file, at any address. */
typedef uint32_t __attribute__((may_alias, aligned(1))) word_t;

/* remainders[k][n] is the CRC's remainder of the byte n with k zero bytes behind it. */
static uint32_t remainders[4][256];

static void fill_remainders(void)
{
	for (uint32_t n = 0; n < 256; n++) {
		uint8_t bytes[4] = { (uint8_t)n };

		for (uint32_t k = 0; k < 4; k++)
			remainders[k][n] = ~crc32_update(~0u, bytes, k + 1);
	}
}

/* Returns the CRC32 of the file: that of lib/crc32.h, but four bytes at a time, which takes a third
   of the instructions. Not inlined, because the loop needs all registers. */
static __attribute__((noinline)) uint32_t crc32_of_file(const uint8_t *file, uint32_t size)
{
	const word_t *word = (const word_t *)file;
	const word_t *end = word + size / 4;
	uint32_t crc = ~0u;

	if (remainders[0][1] == 0)
		fill_remainders();
	while (word < end) {
		crc ^= *word++;
		crc = remainders[3][crc & 255] ^ remainders[2][crc >> 8 & 255] ^
		      remainders[1][crc >> 16 & 255] ^ remainders[0][crc >> 24];
	}
	return crc32_update(~crc, word, size % 4);
}

static bool check_trailer(struct check *c)
{
	const uint8_t *trailer;
	uint32_t crc;

	if (c->size < TRAILER_SIZE)
		return REJECT(c, "only %u bytes long", c->size);
	trailer = c->file + c->size - TRAILER_SIZE;
	if (memcmp(trailer, TRAILER_MAGIC, 8) != 0)
		return REJECT(c, "cut short or never sealed: no trailer at its end");
	if (get32(trailer + 8) != c->size - TRAILER_SIZE)
		return REJECT(c, "damaged: %u bytes, sealed with %u", c->size - TRAILER_SIZE,
			      get32(trailer + 8));
	crc = crc32_of_file(c->file, c->size - TRAILER_SIZE);
	if (get32(trailer + 12) != crc)
		return REJECT(c, "damaged: CRC32 %08x, sealed with %08x", crc, get32(trailer + 12));
	return true;
}

bool elf_check(const uint8_t *file, uint32_t size, struct elf_image *image, char *why,
	       size_t why_size)
{
	struct check c = {
		.file = file,
		.size = size,
		.image = image,
		.why = why,
		.why_size = why_size,
		.end = 0,
		.entry_inside = false,
	};
	char seal[80] = "";

	memset(image, 0, sizeof(*image));
	if (check_header(&c) && check_segments(&c))
		return check_trailer(&c);
	c.why = seal;
	c.why_size = sizeof(seal);
	if (!check_trailer(&c))
		fmt_snprintf(why + strlen(why), why_size - strlen(why), "; %s", seal);
	return false;
}
