/*
 * setup.c: runs the steps of steps.c on this machine. It makes their input from boot_info, the
 * options and the CPU's limits, and logs what comes out.
 */
#include "kernel/memory/setup.h"

#include "arch/x86_64/acpi_tables.h"
#include "arch/x86_64/address_space.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/breakpoints.h"
#include "arch/x86_64/cpus.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/sections.h"
#include "kernel/boot_info.h"
#include "kernel/console/log.h"
#include "kernel/memory/memtest.h"
#include "kernel/memory/nodes.h"
#include "kernel/memory/probe.h"
#include "kernel/memory/report.h"
#include "kernel/memory/steps.h"
#include "kernel/options.h"
#include "lib/format.h"
#include "mm/debug.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/page.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define LOADER_END 0x80000ull /* 512 KiB: below lies what stage2 uses of low memory */

struct mm_report mm_report;

static struct memory_input input;

/* When the clock of mm_report.setup_cycles was last started. It is stopped while a step prints. */
static uint64_t since;

static void clock_on(void)
{
	since = arch_timestamp();
}

static void clock_off(void)
{
	mm_report.setup_cycles += arch_timestamp() - since;
}

static void log_range(const char *what, uint64_t base, uint64_t size, uint32_t type)
{
	char text[E820_TYPE_TEXT];

	printk("%s [mem 0x%016llx-0x%016llx] %s\n", what, ULL(base), ULL(base + size - 1),
	       e820_type_text(type, text));
}

/* Puts a range of memmap= behind the raw entries, if there is room. */
static void gather_memmap(const struct option_memmap *m)
{
	uint32_t at = (uint32_t)(input.raw - boot_info.e820) + input.nr_raw;

	if (at == E820_MAX_RAW)
		return;
	boot_info.e820[at] = (struct e820_entry){ m->base, m->size, m->type, 0, 20, 0 };
	input.nr_raw++;
}

/*
 * Makes the raw entries: the firmware's, unless exactmap was given, then those of memmap=, which
 * are put behind the firmware's in the same array.
 */
static void gather_entries(void)
{
	uint32_t nr_firmware = options.exactmap ? 0 : boot_info.e820_count, left_out;

	input.raw = boot_info.e820 + boot_info.e820_count - nr_firmware;
	input.nr_raw = nr_firmware;
	options_for_each_memmap(&options, gather_memmap);
	left_out = options.nr_memmaps - (input.nr_raw - nr_firmware);
	if (left_out)
		printk("memmap=: there is no room for the last %u of %u entries: ignored\n",
		       left_out, options.nr_memmaps);
}

/* memmap= may call the kernel's place anything. The image stays there, on frames that are no RAM
   for the allocator; stage2 has found it RAM by the firmware's map. */
static void check_image(void)
{
	phys_addr_t base = boot_info.kernel_phys, end = base + boot_info.kernel_size;

	if (e820_ram_until(&e820_map, base) < end)
		printk("the kernel's image [mem 0x%016llx-0x%016llx] is not all usable by memmap=: "
		       "it stays where it is, and these frames are not counted as RAM\n",
		       ULL(base), ULL(end - 1));
}

void e820_setup(void)
{
	printk("BIOS-provided physical RAM map:\n");
	for (uint32_t i = 0; i < boot_info.e820_count; i++) {
		const struct e820_entry *e = &boot_info.e820[i];

		log_range("BIOS-e820:", e->base, e->size, e->type);
	}
	gather_entries();
	clock_on();
	memory_correct(&input);
	clock_off();
	report_corrections(printk);
	check_image();
	if (!e820_bytes(&e820_map, E820_TYPE_RAM))
		panic("the memory map has no usable RAM");
}

/*
 * Returns where the low memory begins that the BIOS keeps for itself, the EBDA: the lower one of
 * what INT 12h and the word at 40:0Eh give. INT 12h may be far below the EBDA, by an option of the
 * BIOS's set-up; it is then believed as well. A value that makes no sense does not count: of INT
 * 12h one below what is always kept (0 is no answer), of the word one that is below 512 KiB, where
 * stage2 has run. Neither counts from 640 KiB on.
 */
static phys_addr_t ebda_start(void)
{
	const struct {
		phys_addr_t start, least;
	} sources[] = {
		{ (phys_addr_t)boot_info.int12_kib << 10, LOW_MEMORY_KEPT },
		{ (phys_addr_t)boot_info.ebda_segment << 4, LOADER_END },
	};
	phys_addr_t lowest = LOW_MEMORY_END;

	for (unsigned int i = 0; i < 2; i++)
		if (sources[i].start >= sources[i].least && sources[i].start < lowest)
			lowest = sources[i].start;
	if (lowest < LOADER_END)
		printk("INT 12h reports %u KiB of low memory: what lies above stays reserved\n",
		       boot_info.int12_kib);
	return lowest;
}

/* Returns whether a range of this kind stays in use after paging_setup(). */
static bool outlives_the_loader(uint32_t kind)
{
	return kind == RANGE_KERNEL;
}

/* Lists all that the loader occupies as taken, the loader's page tables among it: they are used
 * until paging_setup(). */
static void take_ranges(void)
{
	for (uint32_t i = 0; i < boot_info.range_count; i++) {
		input.taken[i].base = boot_info.ranges[i].base;
		input.taken[i].size = boot_info.ranges[i].size;
	}
	input.nr_taken = boot_info.range_count;
}

/*
 * Frees the loader's memory: boot_info was copied, and the loader's page tables are no longer used.
 * Low memory is reserved again afterwards: some of the loader's ranges lie there, and freeing them
 * has removed their part of that reservation.
 */
static void give_back_ranges(void)
{
	for (uint32_t i = 0; i < boot_info.range_count; i++)
		if (!outlives_the_loader(boot_info.ranges[i].kind))
			memblock_phys_free(boot_info.ranges[i].base, boot_info.ranges[i].size);
	memory_reserve_low(&input);
}
_Static_assert(MEMORY_MAX_TAKEN >= BOOT_INFO_MAX_RANGES, "input.taken holds them");

/*
 * Applies mem= to memblock, whose arrays are filled. Ignores a limit that is too low to boot with.
 * What is beyond whole frames does not count.
 */
static void limit_memory(void)
{
	uint64_t asked = options.mem_limit, least;

	if (!asked)
		return;
	least = memory_least_limit(boot_info.kernel_phys + boot_info.kernel_size);
	if (asked < least) {
		printk("mem=%llu (%lluK) is less than the kernel needs here, %llu (%lluK): "
		       "ignored%s\n",
		       ULL(asked), ULL(asked >> 10), ULL(least), ULL(least >> 10),
		       asked >> 20 == 0 ? "; without a suffix mem= counts bytes: mem=64M is 64 MiB"
					: "");
		options.mem_limit = 0;
		return;
	}
	memblock_enforce_memory_limit(PFN_PHYS(PFN_DOWN(asked)));
}

/*
 * Logs the map that memmap= and mem= have made of the firmware's: all of it, in Linux's form, since
 * programs that read a log take these lines for the machine's map.
 */
static void log_user_map(void)
{
	phys_addr_t end = options.mem_limit ? memblock_end_of_DRAM() : PHYS_ADDR_MAX;

	if (!options.mem_limit && !options.nr_memmaps && !options.exactmap)
		return;
	printk("user-defined physical RAM map:\n");
	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *r = &e820_map.ranges[i];
		bool cut = r->type == E820_TYPE_RAM && r->size > end - r->base;

		if (r->type != E820_TYPE_RAM || r->base < end)
			log_range("user:", r->base, cut ? end - r->base : r->size, r->type);
	}
}

void memblock_setup(void)
{
	input.ebda = ebda_start();
	input.limit = address_space_limit();
	memblock_debug = options.memblock_debug;
	/* Until paging_setup(): the direct map that entry.asm has made ends at 4 GiB. */
	memblock_set_current_limit((phys_addr_t)1 << 32);
	clock_on();
	take_ranges();
	mm_report.left_out = memory_to_memblock(&input);
	clock_off();
	limit_memory();
	log_user_map();
	if (mm_report.left_out)
		printk(
		    "%llu KiB of RAM are beyond what this CPU or the direct map reaches: left out\n",
		    ULL(mm_report.left_out >> 10));
	memblock_dump_all();
	bp_memblock();
}

void probe_setup(void)
{
	uint64_t start = arch_timestamp();

	probe_memory();
	mm_report.probe_cycles = arch_timestamp() - start;
}

/*
 * Makes the NUMA nodes. The tables of nodes are read while the loader's page tables map them, which
 * spares windows for them. RAM that is not there is gone from memblock by now, so memory can be
 * taken for what they say.
 */
static void nodes_setup(void)
{
	struct acpi_table srat, slit;

	acpi_tables_init(boot_info.rsdp);
	srat = acpi_find_doubtful("SRAT");
	slit = acpi_find_doubtful("SLIT");
	input.srat = srat.length ? srat.bytes : NULL;
	input.srat_size = srat.length;
	input.slit = slit.length ? slit.bytes : NULL;
	input.slit_size = slit.length;
	cpus_find();
	input.apic_ids = cpu_apic_ids();
	input.nr_cpus = cpus_listed();
	input.numa_off = options.numa_off;
	input.numa_fake = options.numa_fake;
	clock_on();
	memory_to_nodes(&input);
	clock_off();
	report_nodes(printk);
}

void paging_setup(void)
{
	nodes_setup();
	clock_on();
	address_space_init(boot_info.kernel_phys, options.debug & MM_DEBUG_PAGEALLOC);
	give_back_ranges();
	clock_off();
	mm_report.count_page_table_bytes = paging_table_bytes;
}

void memtest_setup(void)
{
	if (options.memtest_passes)
		early_memtest(options.memtest_passes);
}

void mem_map_setup(void)
{
	clock_on();
	mm_report.mem_map_bytes = mem_map_init();
	clock_off();
	bp_mem_map();
}

static void log_totals(void)
{
	uint64_t present = 0, nr_free = 0;

	for_each_zone(z) {
		present += z->present;
		nr_free += zone_nr_free_pages(z);
		if (z->present)
			printk("zone %-6s [mem 0x%016llx-0x%016llx], %llu frames\n", z->name,
			       ULL(PFN_PHYS(z->start_pfn)), ULL(PFN_PHYS(z->end_pfn) - 1),
			       ULL(z->present));
	}
	printk("Memory: %lluK/%lluK available (%lluK kernel image, %lluK mem_map, "
	       "%lluK page tables, %lluK allocator)\n",
	       ULL(nr_free << 2), ULL(present << 2), ULL(boot_info.kernel_size >> 10),
	       ULL(mm_report.mem_map_bytes >> 10), ULL(paging_table_bytes() >> 10),
	       ULL(zones_bytes >> 10));
}

void buddy_setup(void)
{
	struct page *first;

	clock_on();
	memory_hand_over(arch_timestamp(), options.debug);
	first = alloc_page(GFP_KERNEL);
	clock_off();
	if (!first)
		panic("no page is free after the hand-over");
	mm_report.mem_map_touched = mem_map_touched();
	__free_page(first);
	drain_caches();
	paging_use_allocator();
	bp_buddy();
	log_totals();
}

unsigned int mm_image_parts(struct mm_image_part parts[MM_IMAGE_PARTS])
{
	static const struct {
		const char *name, *start, *end;
	} sections[MM_IMAGE_PARTS] = {
		{ "Kernel code", __text_start, __text_end },
		{ "Kernel rodata", __rodata_start, __rodata_end },
		{ "Kernel data", __data_start, __data_end },
		{ "Kernel symbols", __ksyms_start, __ksyms_end },
	};
	const phys_addr_t phys_offset = boot_info.kernel_phys - (uintptr_t)__kernel_start;

	for (unsigned int i = 0; i < MM_IMAGE_PARTS; i++) {
		parts[i].name = sections[i].name;
		parts[i].base = (uintptr_t)sections[i].start + phys_offset;
		parts[i].end = (uintptr_t)sections[i].end + phys_offset;
	}
	return MM_IMAGE_PARTS;
}
