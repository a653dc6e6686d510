/*
 * memory.c: the simulated machine's RAM and descriptors, where WebAssembly has memory for them.
 * Only what the code looks at gets any, so that a machine of terabytes fits.
 *
 * RAM. A *piece* is RAM that has memory. memblock reserves what it hands out before anything is
 * written there, so a new piece reaches from the address that is asked for up to the end of what is
 * reserved, or up to the next piece or descriptors. memblock goes from high addresses to low ones,
 * so a piece has room below it, and what is asked for there becomes a part of it.
 *
 * When that room is used up, another piece begins. An allocation may reach from there into the
 * piece above: it may end in the frame in which the one before begins, or cover an array of
 * memblock's that was given back. Its address is asked for at its start only, so it goes on in the
 * spare memory that each piece has above it. No room costs anything while it is not used, but
 * browsers count it: all memory of an instance has less than 16 GiB of addresses.
 *
 * Descriptors. Those of a block (512 frames) get memory together, when the first of them is looked
 * at. Descriptors of holes do, too, where native code shares one page of zeros: nobody writes them.
 */
#include "tools/page/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/memblock.h"
#include "mm/page.h"

/* ---- memory ---- */

#define WASM_PAGE 65536ull

void *page_memory(uint64_t size)
{
	uint64_t pages = (size + WASM_PAGE - 1) / WASM_PAGE;
	uint64_t before = __builtin_wasm_memory_grow(0, pages);

	if (before == ~0ull) {
		fprintf(stderr, "replay: the browser has no memory left for this machine\n");
		abort();
	}
	return (void *)(before * WASM_PAGE);
}

/* ---- RAM ---- */

#define MAX_PIECES   16384
#define ROOM_BELOW   (4ull << 20) /* below a piece */

/* The size of a piece that is not reserved yet: it is to hold one of memblock's arrays. */
#define UNKNOWN_SIZE (1ull << 18)
#define SPARE_ABOVE  UNKNOWN_SIZE

struct piece {
	uint64_t phys, size;
	uintptr_t virt;
	uintptr_t room; /* where the room below virt begins */
};

/* Those with memory, in the order of their addresses. */
static struct piece pieces[MAX_PIECES];
static unsigned int nr_pieces;

/* RAM that holds descriptors, which have memory elsewhere. */
static struct piece windows[MAX_PIECES];
static unsigned int nr_windows;

/* Returns how many of the nr pieces, which are sorted, begin at or below phys. */
static unsigned int count_below(const struct piece *list, unsigned int nr, uint64_t phys)
{
	unsigned int low = 0;

	while (low < nr) {
		unsigned int middle = low + (nr - low) / 2;

		if (list[middle].phys <= phys)
			low = middle + 1;
		else
			nr = middle;
	}
	return low;
}

/* Adds a piece to a list. Returns where it is. */
static struct piece *insert(struct piece *list, unsigned int *nr, struct piece piece)
{
	unsigned int at = count_below(list, *nr, piece.phys);

	if (*nr == MAX_PIECES) {
		fprintf(stderr, "replay: this machine's RAM is in too many pieces for the page\n");
		abort();
	}
	memmove(&list[at + 1], &list[at], (*nr - at) * sizeof(*list));
	list[at] = piece;
	++*nr;
	return &list[at];
}

/* Returns where memory that is reserved around phys ends, or ends at the latest. */
static uint64_t end_of_use(uint64_t phys)
{
	struct memblock_region *r;

	for_each_reserved_mem_region(r)
		if (phys - r->base < r->size)
			return PAGE_ALIGN(r->base + r->size);
	return (phys & ~(PAGE_SIZE - 1)) + UNKNOWN_SIZE;
}

/* Returns the lower one of `end` and the start of the first piece above phys. */
static uint64_t end_before(const struct piece *list, unsigned int nr, uint64_t phys, uint64_t end)
{
	unsigned int next = count_below(list, nr, phys);

	return next < nr && list[next].phys < end ? list[next].phys : end;
}

/* Returns the size of the room to keep below a piece that begins at base. */
static uint64_t room_below(uint64_t base)
{
	struct memblock_region *r;

	for_each_mem_region(r)
		if (base - r->base < r->size)
			return base - r->base < ROOM_BELOW ? base - r->base : ROOM_BELOW;
	return 0;
}

/* Returns a new piece of size bytes at base. */
static struct piece *new_piece(uint64_t base, uint64_t size)
{
	uint64_t room = room_below(base);
	uintptr_t virt = (uintptr_t)page_memory(room + size + SPARE_ABOVE);

	return insert(pieces, &nr_pieces, (struct piece){ base, size, virt + room, virt });
}

/* Gives memory to RAM from the frame of phys on. Returns its piece. */
static struct piece *add_piece(uint64_t phys)
{
	uint64_t base = phys & ~(PAGE_SIZE - 1), end = end_of_use(phys), size;
	struct piece *above = &pieces[count_below(pieces, nr_pieces, phys)];

	end = end_before(windows, nr_windows, phys, end);
	size = end_before(pieces, nr_pieces, phys, end) - base;
	if (above == &pieces[nr_pieces] || above->phys != base + size ||
	    above->virt - above->room < size)
		return new_piece(base, size);
	above->phys = base;
	above->size += size;
	above->virt -= size;
	return above;
}

void *page_ram(uint64_t phys)
{
	unsigned int nr = count_below(pieces, nr_pieces, phys);
	struct piece *piece = nr ? &pieces[nr - 1] : NULL;

	if (!piece || phys - piece->phys >= piece->size)
		piece = add_piece(phys);
	return (void *)(uintptr_t)(piece->virt + (phys - piece->phys));
}

/* Only memory that page_ram() has returned, and memblock's static arrays, are asked for. */
uint64_t page_ram_phys(const volatile void *virt)
{
	for (unsigned int i = 0; i < nr_pieces; i++)
		if ((uintptr_t)virt - pieces[i].virt < pieces[i].size)
			return pieces[i].phys + ((uintptr_t)virt - pieces[i].virt);
	return UINT64_MAX;
}

/* The linker puts this in place of sim.c's function, which it calls. */
void __real_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);
void __wrap_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size);

void __wrap_port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	insert(windows, &nr_windows, (struct piece){ phys, size, virt, virt });
	__real_port_map_mem_map(virt, phys, size);
}

/* ---- descriptors ---- */

#define BLOCK_PAGES 512
#define CHUNK_SIZE  (BLOCK_PAGES * sizeof(struct page))
#define NR_BLOCKS   (MM_MAX_PFN / BLOCK_PAGES)
#define MEMORY_MAX  (16ull << 30) /* the most that browsers give to an instance */
#define CHUNKS_MAX  (1u << 18)    /* 2 GiB: what a tab should not go beyond */
#define GROUP       64            /* chunks that get memory together */

/* For each GiB a table of its blocks' descriptors, or NULL. */
static struct page **chunks[NR_BLOCKS / BLOCK_PAGES];

/* The blocks of chunks, by the chunk's address. */
static uint32_t blocks[MEMORY_MAX / CHUNK_SIZE];

static uintptr_t next_chunk, end_of_chunks;
static unsigned int nr_chunks;

static struct page *new_chunk(uint64_t block)
{
	uintptr_t chunk;

	if (next_chunk == end_of_chunks) {
		next_chunk = (uintptr_t)page_memory(GROUP * CHUNK_SIZE);
		end_of_chunks = next_chunk + GROUP * CHUNK_SIZE;
	}
	chunk = next_chunk;
	if (++nr_chunks > CHUNKS_MAX) {
		fprintf(stderr,
			"replay: this touches more than 2 GiB of mem_map, too much for the "
			"page; build/host/replay and build/host/page_work have no such limit\n");
		abort();
	}
	next_chunk += CHUNK_SIZE;
	blocks[chunk / CHUNK_SIZE] = (uint32_t)block;
	return (struct page *)chunk;
}

void *page_descriptor(uint64_t pfn)
{
	uint64_t block = pfn / BLOCK_PAGES;
	struct page ***table = &chunks[block / BLOCK_PAGES], **chunk;

	if (!*table)
		*table = calloc(BLOCK_PAGES, sizeof(struct page *));
	chunk = &(*table)[block % BLOCK_PAGES];
	if (!*chunk)
		*chunk = new_chunk(block);
	return *chunk + pfn % BLOCK_PAGES;
}

uint64_t page_descriptor_pfn(const volatile void *page)
{
	uintptr_t virt = (uintptr_t)page;

	return (uint64_t)blocks[virt / CHUNK_SIZE] * BLOCK_PAGES +
	       virt % CHUNK_SIZE / sizeof(struct page);
}
