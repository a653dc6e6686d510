/* SPDX-License-Identifier: MIT */
/*
 * ranges.h: set-up from an array of ranges, as boot loaders pass them: base, length, type.
 *
 *   ranges_to_memblock(ranges, nr);   what is RAM, and what of it is in use
 *   ...                               nodes, if there are several: mm/numa.h
 *   ...                               the direct map, if there is none: page_tables.h
 *   mm_debug_init(options);           if wanted: mm/debug.h
 *   ranges_start(seed);               mem_map, zones, hand-over: alloc_pages() works
 *   ...                               what the loader left is no longer used
 *   ranges_give_back();               its memory becomes free
 *
 * The array may have any order, and ranges may overlap: of two types for one byte the one that is
 * lower in the table below counts. A frame that is not all RAM is not used.
 */
#ifndef CONTRIB_RANGES_H
#define CONTRIB_RANGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The types, with the numbers of the Limine boot protocol (its memory map feature). Any other
 * number counts as MEMORY_RESERVED. What is no RAM for mm/ does not get into memblock, so the
 * direct map of page_tables.h does not show it.
 */
enum memory_type {
	MEMORY_USABLE = 0,   /* free */
	MEMORY_LOADER = 5,   /* RAM, reserved until ranges_give_back(): bootloader reclaimable */
	MEMORY_IMAGE = 6,    /* RAM, reserved for ever: executable and modules */
	MEMORY_ACPI = 2,     /* as MEMORY_IMAGE: ACPI reclaimable */
	MEMORY_RESERVED = 1, /* no RAM for mm/, as are those that follow */
	MEMORY_NVS = 3,      /* ACPI NVS */
	MEMORY_BAD = 4,      /* bad memory */
	MEMORY_FRAMEBUFFER = 7,
};

/*
 * Returns the type for a type number of the BIOS's map (E820), of PVH's or of Multiboot's, which
 * agree: 1 is usable there, and reserved in Limine's map. Those maps do not say what the loader has
 * put into RAM. So the kernel adds to the array its own image and modules as MEMORY_IMAGE, and what
 * it still uses of the loader as MEMORY_LOADER.
 */
enum memory_type memory_type_of_e820(uint32_t type);

/*
 * A range [base, base + length) of physical addresses, laid out as Limine's entry. Limine passes an
 * array of pointers to entries in memory of type 5, so the entries must be copied.
 */
struct memory_range {
	uint64_t base;
	uint64_t length;
	uint64_t type; /* enum memory_type */
};

/*
 * Passes nr ranges to memblock, all as node 0. Frame 0 and frames from MM_MAX_PFN on are not used.
 * Panics when there is no RAM for mm/, or when one of memblock's arrays is full: they have room for
 * 128 regions, unless the configuration of mm/ defines INIT_MEMBLOCK_MEMORY_REGIONS or
 * INIT_MEMBLOCK_RESERVED_REGIONS. Ranges that do not touch each other take a region each; those of
 * MEMORY_LOADER, MEMORY_IMAGE and MEMORY_ACPI, and frame 0, take one in the array of reserved
 * regions as well. Accesses no memory but the array, so it may be called before there is a direct
 * map. Afterwards the kernel may reserve more by memblock_reserve(), and assign nodes by
 * memblock_set_node().
 */
void ranges_to_memblock(const struct memory_range *ranges, size_t nr);

/*
 * Starts the allocator: makes the calls from memblock_allow_resize() to zones_finish(), in their
 * order. seed is a number that differs from boot to boot, such as the time stamp counter.
 *
 * The direct map must show all memory of memblock. Panics when MM_DIRECT_MAP and the end of RAM add
 * up to more than an address can be. A kernel whose direct map ends before RAM does removes the
 * rest by memblock_remove(), after ranges_to_memblock(). If options of mm/debug.h are wanted,
 * mm_debug_init() comes directly before this call; MM_DEBUG_PAGEALLOC needs a direct map of 4 KiB
 * pages, not the large ones of page_tables.h.
 */
void ranges_start(uint64_t seed);

/*
 * Gives the whole frames of MEMORY_LOADER to the allocator, and returns how many bytes these are.
 * No CPU may use anything in this memory any more: its page tables, stack and GDT, and what else
 * the loader has passed, must lie elsewhere. Only one CPU may call this, after ranges_start(). A
 * second call gives nothing.
 *
 * To keep a part reserved for ever, call memblock_phys_free() and then memblock_reserve() for its
 * frames before ranges_start().
 */
uint64_t ranges_give_back(void);

#endif
