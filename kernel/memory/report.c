#include "kernel/memory/report.h"

#include "arch/x86_64/paging.h"
#include "arch/x86_64/sections.h"
#include "kernel/console/log.h"
#include "kernel/memory/setup.h"
#include "kernel/memory/steps.h"
#include "lib/format.h"
#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page.h"
#include "mm/page_state.h"
#include "mm/zone.h"

void report_corrections(print_fn print)
{
	for (uint32_t i = 0; i < e820_map.nr_corrections && i < E820_MAX_CORRECTIONS; i++) {
		const struct e820_correction *c = &e820_map.corrections[i];

		print("correction: entry %u, %s: [mem 0x%016llx-0x%016llx]\n", c->entry,
		      e820_what_name(c->what), ULL(c->base), ULL(c->base + c->size - 1));
	}
	if (e820_map.nr_corrections > E820_MAX_CORRECTIONS)
		print("correction: and %u more\n", e820_map.nr_corrections - E820_MAX_CORRECTIONS);
}

static const char *iomem_name(uint32_t type)
{
	switch (type) {
	case E820_TYPE_RAM:
		return "System RAM";
	case E820_TYPE_ACPI:
		return "ACPI Tables";
	case E820_TYPE_NVS:
		return "ACPI Non-volatile Storage";
	case E820_TYPE_UNUSABLE:
		return "Unusable memory";
	case E820_TYPE_PMEM:
		return "Persistent Memory";
	case E820_TYPE_PRAM:
		return "Persistent Memory (legacy)";
	default:
		return "Reserved";
	}
}

static void iomem_line(print_fn print, const char *indent, uint64_t base, uint64_t end,
		       const char *name)
{
	print("%s%08llx-%08llx : %s\n", indent, ULL(base), ULL(end - 1), name);
}

/* Prints the memory that was added, of [from, to), which the firmware's map does not have. */
static void iomem_added(print_fn print, phys_addr_t from, phys_addr_t to)
{
	struct memblock_region *region;

	for_each_mem_region(region)
		if (memblock_is_hotpluggable(region) && region->base >= from && region->base < to)
			iomem_line(print, "", region->base, region->base + region->size,
				   "System RAM");
}

void report_iomem(print_fn print)
{
	struct mm_image_part parts[MM_IMAGE_PARTS];
	unsigned int nr = mm_image_parts(parts);
	phys_addr_t end = 0; /* of the range before */

	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];

		iomem_added(print, end, r->base);
		end = r->base + r->size;
		iomem_line(print, "", r->base, r->base + r->size, iomem_name(r->type));
		for (unsigned int j = 0; j < nr; j++)
			if (parts[j].base >= r->base && parts[j].base - r->base < r->size)
				iomem_line(print, "  ", parts[j].base, parts[j].end, parts[j].name);
	}
	iomem_added(print, end, PHYS_ADDR_MAX);
}

const char *zone_text(const struct zone *z, char text[ZONE_TEXT])
{
	if (z->present && nr_node_ids() > 1)
		fmt_snprintf(text, ZONE_TEXT, "%s of node %d", z->name, z->node);
	else
		fmt_snprintf(text, ZONE_TEXT, "%s", z->name);
	return text;
}

static void print_zone_state(const struct zone *z)
{
	char zone[ZONE_TEXT];

	printk("zone %-6s%s %llu frames free of %llu, %llu in frame caches%s\n", zone_text(z, zone),
	       nr_node_ids() > 1 ? ":" : "", ULL(z->nr_free), ULL(z->managed), ULL(cache_frames(z)),
	       z->lock.taken ? ", locked" : "");
}

void report_state(void)
{
	uint64_t managed = 0, nr_free = 0;

	if (!memblock.memory.total_size)
		return;
	for_each_zone(z) {
		managed += z->managed;
		nr_free += zone_nr_free_pages(z);
	}
	printk("Memory: %lluK/%lluK free, memblock has %lluK, %lluK of them reserved\n",
	       ULL(nr_free << 2), ULL(managed << 2), ULL(memblock_phys_mem_size() >> 10),
	       ULL(memblock_reserved_size() >> 10));
	for_each_zone(z)
		if (z->managed)
			print_zone_state(z);
}

/* Logs what the allocator knows of the frame at phys. */
static void report_phys(phys_addr_t phys)
{
	pfn_t pfn = PHYS_PFN(phys);
	const struct page *head;
	char zone[ZONE_TEXT];

	if (pfn >= MM_MAX_PFN)
		return;
	head = page_head(pfn);
	printk("physical 0x%llx: frame 0x%llx, zone %s, %s\n", ULL(phys), ULL(pfn),
	       zone_text(pfn_zone(pfn), zone), page_state_name(page_state(pfn)));
	if (head)
		printk("  in the allocation at frame 0x%llx of order %u, %u references\n",
		       ULL(page_to_pfn(head)), page_order(head), page_count(head));
	page_owner_print(pfn, printk);
}

void report_address(uintptr_t virt)
{
	const struct kernel_stack *stack = stack_guarded_by(virt);
	struct paging_leaf leaf;

	if (stack)
		printk("0x%lx is in the guard page of the %s stack: it has overflowed\n", virt,
		       stack->name);
	else if (virt < PAGE_SIZE)
		printk("0x%lx is in page 0: a null pointer\n", virt);
	if (!mm_report.count_page_table_bytes)
		return;
	if (!paging_walk(virt, &leaf)) {
		printk("0x%lx is not mapped\n", virt);
		if (virt >= MM_DIRECT_MAP && virt - MM_DIRECT_MAP < PFN_PHYS(MM_MAX_PFN))
			report_phys(virt - MM_DIRECT_MAP);
		return;
	}
	printk("0x%lx is mapped by a page of %llu KiB, entry 0x%016llx\n", virt,
	       ULL(leaf.size >> 10), ULL(leaf.entry));
	report_phys(leaf.phys);
}
