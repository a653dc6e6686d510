#include "kernel/picture/words.h"

#include <stdarg.h>

#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "mm/zone.h"

/* The end of a line that add() appends to, and the bytes left there. */
struct text {
	char *at;
	size_t room;
};

/* Appends formatted text to the line, cut where the line is full. */
__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	size_t length;

	va_start(ap, fmt);
	length = (size_t)fmt_vsnprintf(text->at, text->room, fmt, ap);
	va_end(ap);
	if (length >= text->room)
		length = text->room - 1;
	text->at += length;
	text->room -= length;
}

static struct text line_of(struct picture_words *words, unsigned int line)
{
	return (struct text){ words->line[line], sizeof(words->line[line]) };
}

/* Appends a range of bytes; last is its last byte. */
static void add_range(struct text *text, phys_addr_t base, phys_addr_t last)
{
	add(text, "[mem 0x%llx-0x%llx]", ULL(base), ULL(last));
}

/* Appends how many of nr entries are not shown: all but the first. */
static void add_more(struct text *text, unsigned long nr)
{
	if (nr > 1)
		add(text, " (+%lu)", nr - 1);
}

/* Returns whether the bytes [base, base + size) and [first, last] have any in common. */
static bool touches(phys_addr_t base, phys_addr_t size, phys_addr_t first, phys_addr_t last)
{
	return size && base <= last && base + (size - 1) >= first;
}

/* ---- the range ---- */

/* Appends the names of the zones whose span has frames of [start, end), each once. */
static void add_zones(struct text *text, pfn_t start, pfn_t end)
{
	const char *before = ", ";

	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		for_each_zone(z) {
			if (z->type != type || z->start_pfn >= end || start >= z->end_pfn)
				continue;
			add(text, "%s%s", before, z->name);
			before = " ";
			break;
		}
}

/* Appends the nodes that have RAM among the frames [start, end), if the machine has several. */
static void add_nodes(struct text *text, pfn_t start, pfn_t end)
{
	uint64_t nodes = picture_nodes(start, end);
	char numbers[NODES_TEXT];

	if (nodes && picture_has_nodes())
		add(text, ", node%s %s", nodes & (nodes - 1) ? "s" : "",
		    picture_nodes_text(nodes, numbers));
}

/* Returns how many blocks of the frames [start, end) are free as a whole. */
static uint64_t whole_blocks(pfn_t start, pfn_t end)
{
	uint64_t whole = 0;

	for (pfn_t pfn = start; pfn < end; pfn += BLOCK_FRAMES)
		whole += nr_free_in_range(pfn, pfn + BLOCK_FRAMES) == BLOCK_FRAMES;
	return whole;
}

/*
 * Appends how many frames are free in the block that the frames [start, end) lie in, or, if they
 * are more than a block, how many blocks are free as a whole.
 */
static void add_blocks(struct text *text, pfn_t start, pfn_t end)
{
	pfn_t first = start & ~(BLOCK_FRAMES - 1);

	if (end - start > BLOCK_FRAMES)
		add(text, "; whole blocks: %llu of %llu", ULL(whole_blocks(start, end)),
		    ULL((end - start + BLOCK_FRAMES - 1) / BLOCK_FRAMES));
	else
		add(text, "; block 0x%llx: %llu of %llu free", ULL(first),
		    ULL(nr_free_in_range(first, first + BLOCK_FRAMES)), ULL(BLOCK_FRAMES));
}

static void describe_range(struct text *text, pfn_t start, pfn_t end)
{
	const struct picture_area area = picture_area_at(start);
	char size[SIZE_TEXT];

	add_range(text, PFN_PHYS(start), PFN_PHYS(end) - 1);
	add(text, " %s", picture_size_text(end - start, size));
	add_zones(text, start, end);
	add_nodes(text, start, end);
	if (area.mixed || area.end < end)
		add_blocks(text, start, end);
}

/* ---- what the range holds ---- */

/* Appends the number of frames of each kind, without it if all are of one. */
static void describe_mix(struct text *text, pfn_t start, pfn_t end)
{
	struct picture_cell cell;
	const char *before = "";

	picture_count(start, end, &cell);
	for (unsigned int kind = NR_KINDS; kind-- > 0;) {
		if (!cell.frames[kind])
			continue;
		add(text, "%s%s", before, picture_kind_names[kind]);
		if (cell.frames[kind] != end - start)
			add(text, " %llu", ULL(cell.frames[kind]));
		before = ", ";
	}
}

/* Appends the page state of the frame pfn, or the allocation that it is part of. */
static void add_descriptor(struct text *text, pfn_t pfn)
{
	const struct page *head = page_head(pfn);

	if (!head)
		add(text, "; page: %s", page_state_name(page_state(pfn)));
	else
		add(text, "; page: head 0x%llx order %u count %u %s owner 0x%lx",
		    ULL(page_to_pfn(head)), page_order(head), page_count(head),
		    page_zone(head)->name, page_private(head));
}

/* ---- the range in the firmware's map and in memblock ---- */

static void add_type(struct text *text, uint32_t type)
{
	char name[E820_TYPE_TEXT];

	add(text, " %s", e820_type_text(type, name));
}

/* Appends the first of the firmware's entries that touches the bytes [first, last]. */
static void describe_raw(struct text *text, phys_addr_t first, phys_addr_t last,
			 const struct e820_entry *raw, uint32_t nr_raw)
{
	unsigned long nr = 0;

	for (uint32_t i = 0; i < nr_raw; i++) {
		if (!touches(raw[i].base, raw[i].size, first, last) || nr++)
			continue;
		add(text, "entry %u", i);
		add_type(text, raw[i].type);
	}
	if (!nr)
		add(text, "no entry");
	add_more(text, nr);
}

/* Appends the first range of the corrected map that touches the bytes [first, last]. */
static void describe_corrected(struct text *text, phys_addr_t first, phys_addr_t last)
{
	unsigned long nr = 0;

	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		if (!touches(r->base, r->size, first, last) || nr++)
			continue;
		add(text, "; corrected %u ", i);
		add_range(text, r->base, r->base + (r->size - 1));
		add_type(text, r->type);
	}
	add_more(text, nr);
}

/* Appends the first region of a type of memblock that touches the bytes [first, last]. */
static void describe_memblock(struct text *text, const struct memblock_type *type,
			      phys_addr_t first, phys_addr_t last)
{
	unsigned long nr = 0;

	add(text, "memblock: ");
	for (unsigned long i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		if (!touches(r->base, r->size, first, last) || nr++)
			continue;
		add(text, "%s %lu ", type->name, i);
		add_range(text, r->base, r->base + (r->size - 1));
	}
	if (!nr)
		add(text, "no %s", type->name);
	add_more(text, nr);
}

void picture_describe(struct picture_words *words, pfn_t start, pfn_t end,
		      const struct e820_entry *raw, uint32_t nr_raw)
{
	phys_addr_t first = PFN_PHYS(start), last = PFN_PHYS(end) - 1;
	struct text line = line_of(words, 0);

	describe_range(&line, start, end);
	line = line_of(words, 1);
	describe_mix(&line, start, end);
	if (end - start == 1)
		add_descriptor(&line, start);
	line = line_of(words, 2);
	add(&line, "E820: ");
	describe_raw(&line, first, last, raw, nr_raw);
	describe_corrected(&line, first, last);
	line = line_of(words, 3);
	describe_memblock(&line, &memblock.memory, first, last);
	line = line_of(words, 4);
	describe_memblock(&line, &memblock.reserved, first, last);
}
