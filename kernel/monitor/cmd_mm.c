/*
 * cmd_mm.c: the monitor's commands about memory. Those for which Linux has a file in /proc or in
 * debugfs print in the form of that file.
 */
#include "kernel/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/probe.h"
#include "kernel/memory/report.h"
#include "kernel/memory/setup.h"
#include "kernel/memory/steps.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/monitor.h"
#include "kernel/parse.h"
#include "kernel/test/bench.h"
#include "kernel/test/selftest.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/cache.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/zone.h"

/* The owner word of allocations made by `alloc`, "monitor"; `release` frees no others. */
#define MONITOR_OWNER 0x6d6f6e69746f72ul

static void print_range(const char *what, uint64_t base, uint64_t size)
{
	console_printf("%s [mem 0x%016llx-0x%016llx]", what, ULL(base), ULL(base + size - 1));
}

static int cmd_e820(int argc, char **argv)
{
	char type[E820_TYPE_TEXT];

	(void)argc, (void)argv;
	console_printf("raw, %u entries, as the firmware gave them:\n", boot_info.e820_count);
	for (uint32_t i = 0; i < boot_info.e820_count; i++) {
		const struct e820_entry *e = &boot_info.e820[i];

		print_range("BIOS-e820:", e->base, e->size);
		console_printf(" %s", e820_type_text(e->type, type));
		if (e->length >= 24)
			console_printf(", attributes 0x%x", e->attributes);
		console_printf("\n");
	}
	console_printf("corrected, %u ranges, %u corrections:\n", e820_map.nr_ranges,
		       e820_map.nr_corrections);
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		print_range("e820:", e820_map.ranges[i].base, e820_map.ranges[i].size);
		console_printf(" %s\n", e820_type_text(e820_map.ranges[i].type, type));
	}
	report_corrections(console_printf);
	probe_print(console_printf);
	return 0;
}

static int cmd_iomem(int argc, char **argv)
{
	(void)argc, (void)argv;
	report_iomem(console_printf);
	return 0;
}

static int cmd_buddyinfo(int argc, char **argv)
{
	(void)argc, (void)argv;
	for_each_populated_zone(z) {
		uint64_t counts[NR_ORDERS];

		zone_free_blocks(z, counts);
		console_printf("Node %d, zone %8s ", z->node, z->name);
		for (unsigned int order = 0; order < NR_ORDERS; order++)
			console_printf("%6llu ", ULL(counts[order]));
		console_printf("\n");
	}
	return 0;
}

static int cmd_zoneinfo(int argc, char **argv)
{
	(void)argc, (void)argv;
	for_each_populated_zone(z) {
		console_printf("Node %d, zone %8s\n", z->node, z->name);
		console_printf("  pages free     %llu\n", ULL(zone_nr_free_pages(z)));
		console_printf("        spanned  %llu\n", ULL(z->end_pfn - z->start_pfn));
		console_printf("        present  %llu\n", ULL(z->present));
		console_printf("        managed  %llu\n", ULL(z->managed));
		console_printf("        protection: (");
		for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
			console_printf("%s%llu", type ? ", " : "", ULL(z->lowmem_reserve[type]));
		console_printf(")\n");
		console_printf("  start_pfn:           %llu\n", ULL(z->start_pfn));
	}
	return 0;
}

static void meminfo_line(const char *name, uint64_t kib)
{
	console_printf("%-16s%8llu kB\n", name, ULL(kib));
}

/* Prints a node's sums as the file meminfo of Linux's /sys/devices/system/node/ does. */
static void meminfo_node(int nid)
{
	console_printf("Node %d ", nid);
	meminfo_line("MemTotal:", node_managed_pages(nid) << (PAGE_SHIFT - 10));
	console_printf("Node %d ", nid);
	meminfo_line("MemFree:", node_free_pages(nid) << (PAGE_SHIFT - 10));
}

static int cmd_meminfo(int argc, char **argv)
{
	uint64_t managed = 0, nr_free = 0;

	(void)argc, (void)argv;
	for_each_zone(z) {
		managed += z->managed;
		nr_free += zone_nr_free_pages(z);
	}
	meminfo_line("MemTotal:", managed << (PAGE_SHIFT - 10));
	meminfo_line("MemFree:", nr_free << (PAGE_SHIFT - 10));
	meminfo_line("MemAvailable:", nr_free << (PAGE_SHIFT - 10));
	meminfo_line(
	    "MemMap:",
	    (mm_report.mem_map_bytes + hotplug_bytes() / PAGE_SIZE * sizeof(struct page)) >> 10);
	meminfo_line("MemMapTouched:", mem_map_touched() >> 10);
	if (mm_report.count_page_table_bytes)
		meminfo_line("PageTables:", mm_report.count_page_table_bytes() >> 10);
	meminfo_line("Allocator:", zones_bytes >> 10);
	for_each_online_node(nid)
		meminfo_node(nid);
	return 0;
}

static const char *memblock_flag_name(enum memblock_flags flags)
{
	switch ((unsigned int)flags) {
	case MEMBLOCK_NONE:
		return "NONE";
	case MEMBLOCK_HOTPLUG:
		return "HOTPLUG";
	case MEMBLOCK_NOMAP:
		return "NOMAP";
	default:
		return "other flags";
	}
}

/* Prints one of memblock's types as Linux's files in /sys/kernel/debug/memblock/ do. */
static void print_memblock(const struct memblock_type *type)
{
	console_printf("%s\n", type->name);
	for (unsigned long i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		console_printf("%4lu: 0x%016llx..0x%016llx ", i, ULL(r->base),
			       ULL(r->base + r->size - 1));
		if (numa_valid_node(memblock_get_region_node(r)))
			console_printf("%4d ", memblock_get_region_node(r));
		else
			console_printf("   x ");
		console_printf("%s\n", memblock_flag_name(r->flags));
	}
}

static int cmd_memblock(int argc, char **argv)
{
	(void)argc, (void)argv;
	print_memblock(&memblock.memory);
	print_memblock(&memblock.reserved);
	return 0;
}

static int cmd_free(int argc, char **argv)
{
	char zone[ZONE_TEXT];
	pfn_t start = 0, end;

	(void)argc, (void)argv;
	/* After a panic a command only reads; the cached frames are then counted below. */
	if (!monitor_has_panicked())
		drain_all_pages();
	for (; next_free_range(&start, &end); start = end) {
		print_range("free", PFN_PHYS(start), PFN_PHYS(end - start));
		console_printf("\n");
	}
	for_each_zone(z)
		if (cache_frames(z))
			console_printf("and %llu frames of zone %s in frame caches\n",
				       ULL(cache_frames(z)), zone_text(z, zone));
	return 0;
}

static pfn_t last_allocated = PFN_NONE; /* by alloc, and not released by its number since */

/* Reads word as a frame number. Returns false, after a message, if it is none. */
static bool parse_pfn(const char *word, pfn_t *pfn)
{
	if (parse_number(word, pfn) && *pfn < MM_MAX_PFN)
		return true;
	console_printf("%s is not a frame number below 0x%llx\n", word, ULL(MM_MAX_PFN));
	return false;
}

static int cmd_page(int argc, char **argv)
{
	const struct page *head;
	char zone[ZONE_TEXT];
	pfn_t pfn;

	(void)argc;
	if (!parse_pfn(argv[1], &pfn))
		return 1;
	console_printf("pfn 0x%llx [mem 0x%llx-0x%llx] zone %s: %s\n", ULL(pfn), ULL(PFN_PHYS(pfn)),
		       ULL(PFN_PHYS(pfn + 1) - 1), zone_text(pfn_zone(pfn), zone),
		       page_state_name(page_state(pfn)));
	head = page_head(pfn);
	if (head)
		console_printf("head pfn 0x%llx order %u count %u owner 0x%lx\n",
			       ULL(page_to_pfn(head)), page_order(head), page_count(head),
			       page_private(head));
	page_owner_print(pfn, console_printf);
	return 0;
}

static const struct {
	const char *name;
	gfp_t gfp;
} gfp_names[] = {
	{ "KERNEL", GFP_KERNEL }, { "ATOMIC", GFP_ATOMIC },         { "DMA32", GFP_DMA32 },
	{ "DMA", GFP_DMA },       { "ZERO", __GFP_ZERO },           { "THISNODE", __GFP_THISNODE },
	{ "HIGH", __GFP_HIGH },   { "UNMOVABLE", __GFP_UNMOVABLE },
};

#define NR_FLAGS (sizeof(gfp_names) / sizeof(gfp_names[0]))

/*
 * Adds to *gfp the flag that the first `length` characters of word name, with or without GFP_ or
 * __GFP_ before it. Returns false if there is no such flag.
 */
static bool parse_flag(const char *word, size_t length, gfp_t *gfp)
{
	static const char *const prefixes[] = { "__GFP_", "GFP_" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(prefixes[i]);

		if (length > n && !strncmp(word, prefixes[i], n)) {
			word += n;
			length -= n;
			break;
		}
	}
	for (size_t i = 0; i < NR_FLAGS; i++)
		if (strlen(gfp_names[i].name) == length &&
		    !strncmp(word, gfp_names[i].name, length)) {
			*gfp |= gfp_names[i].gfp;
			return true;
		}
	return false;
}

static const char *alloc_word(int nr, size_t i)
{
	return nr > 1 && i < NR_FLAGS ? gfp_names[i].name : NULL;
}

/* Adds to *gfp the flags that word joins by |. Returns false, after a message, if one is wrong. */
static bool parse_flags(const char *word, gfp_t *gfp)
{
	for (const char *at = word;; at++) {
		size_t length = 0;

		while (at[length] && at[length] != '|')
			length++;
		if (!length) {
			console_printf("%s: a flag is missing %s |\n", word,
				       *at || at == word ? "before" : "after");
			return false;
		}
		if (!parse_flag(at, length, gfp)) {
			console_printf("%.*s is not one of", (int)length, at);
			for (size_t i = 0; i < NR_FLAGS; i++)
				console_printf(" %s", gfp_names[i].name);
			console_printf("\n");
			return false;
		}
		at += length;
		if (!*at)
			return true;
	}
}

/* Returns whether a zone has a free block of this order or a larger one. */
static bool has_block(const struct zone *z, unsigned int order)
{
	uint64_t counts[NR_ORDERS], blocks = 0;

	zone_free_blocks(z, counts);
	for (; order < NR_ORDERS; order++)
		blocks += counts[order];
	return blocks > 0;
}

/* Says why alloc_pages() returned NULL: in which zones it looked, and which of them keep a block.
 */
static void explain_refusal(gfp_t gfp, unsigned int order)
{
	struct fallback f = fallback_of(numa_mem_id(), gfp);
	char text[ZONE_TEXT];
	struct zone *z;

	console_printf("no free block of order %u; zones that may serve this request:", order);
	for (bool some = false; (z = fallback_next(&f)) || !some; some = true) {
		console_printf("%s %s", some ? "," : "", z ? zone_text(z, text) : "none");
		if (!z)
			break;
		if (has_block(z, order))
			console_printf(" (has one, but keeps %llu frames for others)",
				       ULL(zone_keep(z, gfp)));
	}
	console_printf("\n");
}

static int cmd_alloc(int argc, char **argv)
{
	gfp_t gfp = GFP_KERNEL;
	uint64_t order;
	struct page *page;

	if (!command_number(argv[1], "an order", (uint64_t)MAX_PAGE_ORDER, &order))
		return 1;
	for (int i = 2; i < argc; i++)
		if (!parse_flags(argv[i], &gfp))
			return 1;
	if ((gfp & GFP_ZONE_BITS) == GFP_ZONE_BITS) {
		console_printf("DMA and DMA32 are different zones: only one of them is possible\n");
		return 1;
	}
	page = alloc_pages(gfp, (unsigned int)order);
	if (!page) {
		explain_refusal(gfp, (unsigned int)order);
		return 1;
	}
	last_allocated = page_to_pfn(page);
	set_page_private(page, MONITOR_OWNER);
	console_printf("pfn 0x%llx order %llu zone %s", ULL(page_to_pfn(page)), ULL(order),
		       page_zone(page)->name);
	print_range("", page_to_phys(page), (uint64_t)PAGE_SIZE << order);
	console_printf("\n");
	return 0;
}

static int cmd_release(int argc, char **argv)
{
	struct page *head;
	unsigned int order;
	pfn_t pfn;

	(void)argc;
	if (!strcmp(argv[1], "last"))
		pfn = last_allocated;
	else if (!parse_pfn(argv[1], &pfn))
		return 1;
	head = pfn == PFN_NONE ? NULL : page_head(pfn);
	if (!head || page_to_pfn(head) != pfn || page_private(head) != MONITOR_OWNER) {
		if (pfn == PFN_NONE)
			console_printf("alloc has allocated nothing since the last release\n");
		else
			console_printf(
			    "pfn 0x%llx is not the first frame of an allocation by alloc\n",
			    ULL(pfn));
		return 1;
	}
	order = page_order(head);
	__free_pages(head, order);
	if (pfn == last_allocated)
		last_allocated = PFN_NONE;
	console_printf("released pfn 0x%llx order %u\n", ULL(pfn), order);
	return 0;
}

static const char *release_word(int nr, size_t i)
{
	return nr == 1 && !i ? "last" : NULL;
}

static int cmd_selftest(int argc, char **argv)
{
	(void)argc, (void)argv;
	return selftest();
}

static const char *bench_word(int nr, size_t i)
{
	if (nr != 1)
		return NULL;
	return i ? bench_id(i - 1) : "list";
}

/* Returns whether a row has an id that begins so. */
static bool has_row(const char *begin)
{
	const char *id;

	for (size_t i = 0; (id = bench_id(i)); i++)
		if (!strncmp(id, begin, strlen(begin)))
			return true;
	return false;
}

/* Prints the ids of the rows, as many in a line as a screen has room for. */
static void list_rows(void)
{
	const char *id;

	for (size_t i = 0, column = 0; (id = bench_id(i)); i++) {
		size_t length = strlen(id) + 1;

		column = column + length > 79 ? 0 : column;
		console_printf("%s%s", !i ? "" : column ? " " : "\n", id);
		column += length;
	}
	console_printf("\n");
}

static int cmd_bench(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list")) {
		list_rows();
		return 0;
	}
	if (argc == 2 && !has_row(argv[1])) {
		console_printf("%s: no row has an id that begins so; bench list prints them\n",
			       argv[1]);
		return 1;
	}
	return bench(argc == 2 ? argv[1] : NULL);
}

const struct command mm_commands[] = {
	{ "e820", "", "the firmware's memory map",
	  "The firmware's map as it gave it, the corrected one, and each correction.", NULL,
	  cmd_e820, .time = ALWAYS },
	{ "iomem", "", "physical memory by use", "Physical memory by use, as Linux's /proc/iomem.",
	  NULL, cmd_iomem, .time = ALWAYS },
	{ "memblock", "", "memblock's two arrays",
	  "Memory and reserved, as in Linux's /sys/kernel/debug/memblock.", NULL, cmd_memblock,
	  .time = ALWAYS },
	{ "buddyinfo", "", "free blocks of each order",
	  "Free blocks of order 0 to 18 in each zone, as Linux's /proc/buddyinfo.", NULL,
	  cmd_buddyinfo, .time = ALWAYS },
	{ "zoneinfo", "", "frames of each zone", "Frames of each zone, as Linux's /proc/zoneinfo.",
	  NULL, cmd_zoneinfo, .time = ALWAYS },
	{ "meminfo", "", "totals, and each node's",
	  "Totals, as Linux's /proc/meminfo, and those of each node.", NULL, cmd_meminfo,
	  .time = ALWAYS },
	{ "free", "", "every free range", "Maximal free ranges, one a line.", NULL, cmd_free,
	  .time = ALWAYS },
	{ "page", "PFN", "what a frame is used for",
	  "The state of frame number PFN, and the allocation that holds it.", "0x200", cmd_page,
	  .time = ALWAYS, .min_args = 1, .max_args = 1 },
	{ "alloc", "ORDER [FLAG|FLAG...]", "allocates 2^ORDER frames",
	  "Allocates 2^ORDER frames, ORDER 0 to 18. FLAG, with or without GFP_, is one of\n"
	  "KERNEL ATOMIC ZERO THISNODE HIGH UNMOVABLE, DMA (below 16 MiB), DMA32 (4 GiB).",
	  "3 DMA32|ZERO", cmd_alloc, .time = UNTIL_PANIC, .min_args = 1, .max_args = 1 + NR_FLAGS,
	  .word = alloc_word },
	{ "release", "PFN|last", "frees what alloc allocated",
	  "Frees an allocation that alloc has made: the one whose first frame is PFN, or\n"
	  "the last one.",
	  "last", cmd_release, .time = UNTIL_PANIC, .min_args = 1, .max_args = 1,
	  .word = release_word },
	{ "selftest", "", "tests memory and allocator",
	  "Tests the memory in place and the allocator on all CPUs; prints KTAP.", NULL,
	  cmd_selftest, .time = UNTIL_PANIC },
	{ "bench", "[ID|list]", "what the allocator costs",
	  "Measures the allocator on this machine, in ticks of its clock: the row ID, the\n"
	  "rows whose ids begin so, or all; list: prints the ids.",
	  "pair0", cmd_bench, .time = UNTIL_PANIC, .max_args = 1, .word = bench_word },
	{ .name = NULL },
};
