/*
 * address_space.c: maps what the picture in paging.h shows, and does what mm/port.h demands of page
 * tables.
 */
#include "arch/x86_64/address_space.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/frame_access.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/paging_hotplug.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/probe_added.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/sections.h"
#include "arch/x86_64/vga.h"
#include "mm/memblock.h"
#include "mm/port.h"

static phys_addr_t image_phys; /* of __kernel_start */

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	paging_map_mem_map(virt, phys, size);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	paging_map_zero(virt, size);
}

/* No TLB holds a page that is not present. So only port_unmap_frames() must flush. */
void port_map_frames(pfn_t pfn, uint64_t nr)
{
	paging_set_present((uintptr_t)phys_to_virt(PFN_PHYS(pfn)), nr, true);
}

void port_unmap_frames(pfn_t pfn, uint64_t nr)
{
	uintptr_t virt = (uintptr_t)phys_to_virt(PFN_PHYS(pfn));

	paging_set_present(virt, nr, false);
	for (uint64_t i = 0; i < nr; i++)
		invlpg(virt + i * PAGE_SIZE);
}

uint64_t port_tables_of(phys_addr_t base, uint64_t size)
{
	return paging_tables_of(base, size);
}

bool port_probe_memory(phys_addr_t base, uint64_t size)
{
	bool there;

	if (base + size > address_space_limit())
		return false;
	there = probe_added_memory(base, size);
	frame_hide();
	return there;
}

int port_map_memory(const struct port_memory *m)
{
	int error = paging_map_memory(m);

	frame_hide();
	return error;
}

void port_unmap_memory(const struct port_memory *m)
{
	paging_unmap_memory(m);
}

/*
 * Makes this CPU forget all translations, global ones too, and all that it knows of the tables: a
 * change of CR4.PGE does, and loading CR3 where no page is global (SDM 3A, 4.10.4.1).
 */
static void flush_here(void *unused)
{
	uint64_t cr4 = read_cr4();

	(void)unused;
	if (cr4 & CR4_PGE) {
		write_cr4(cr4 & ~CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
}

/* A flush of everything is simpler than one of each page, and cheaper from a few pages on. */
void port_flush_memory(const struct port_memory *m)
{
	(void)m;
	port_on_each_cpu(flush_here, NULL);
}

phys_addr_t address_space_limit(void)
{
	return (phys_addr_t)1 << cpu_features.phys_bits;
}

/* Maps the part [start, end) of the image with protection prot. */
static void map_section(const char *start, const char *end, unsigned int prot)
{
	paging_map((uintptr_t)start, image_phys + (phys_addr_t)(start - __kernel_start),
		   (uint64_t)(end - start), prot);
}

/* Maps the image, except the guard pages. kernel.ld begins and ends each part at a page border. */
static void map_image(void)
{
	map_section(__text_start, __text_end, PAGING_EXEC);
	map_section(__rodata_start, __rodata_end, 0);
	map_section(__data_start, __data_end, PAGING_WRITE | PAGING_SMALL);
	map_section(__ksyms_start, __ksyms_end, 0);
	for (unsigned int i = 0; i < NR_STACKS; i++)
		paging_unmap_page((uintptr_t)boot_stacks[i].guard);
}

void address_space_init(phys_addr_t kernel_phys, bool small_direct_map)
{
	struct paging_config config = {
		.nx = cpu_features.nx,
		.pdpe1gb = cpu_features.pdpe1gb,
		.small_direct_map = small_direct_map,
		.ro_base = kernel_phys,
		.ro_size = (uintptr_t)__rodata_end - (uintptr_t)__kernel_start,
	};

	image_phys = kernel_phys;
	paging_init(&config);
	map_image();
	paging_direct_map();
	write_cr3(paging_root());
	vga_remap();
	frame_access_init();
	write_cr0(read_cr0() | CR0_WP);
	if (cpu_features.pge)
		write_cr4(read_cr4() | CR4_PGE);
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
}

/* Returns whether each page of [start, end) that is mapped has just these of PTE_WRITE and PTE_NX.
   `unmapped` is the answer for a page that is not mapped. */
static bool pages_are(uintptr_t start, uintptr_t end, uint64_t bits, bool unmapped)
{
	uint64_t mask = PTE_WRITE | (cpu_features.nx ? PTE_NX : 0);
	struct paging_leaf leaf;

	for (uintptr_t virt = start; virt < end; virt += PAGE_SIZE)
		if (paging_walk(virt, &leaf) ? (leaf.entry & mask) != (bits & mask) : !unmapped)
			return false;
	return true;
}

/* Returns whether each page of [start, end) is mapped with just these of PTE_WRITE and PTE_NX. */
static bool section_is(uintptr_t start, uintptr_t end, uint64_t bits)
{
	return pages_are(start, end, bits, false);
}

/*
 * Returns whether no guard page of a CPU is mapped, and every stack of it is mapped, writable and
 * not executable.
 */
static bool stacks_are_guarded(const struct percpu *cpu)
{
	struct paging_leaf leaf;

	for (unsigned int i = 0; i < NR_STACKS; i++) {
		const struct kernel_stack *stack = &cpu->stacks[i];

		if (paging_walk((uintptr_t)stack->guard, &leaf) ||
		    !section_is((uintptr_t)stack->bottom, (uintptr_t)stack->top,
				PTE_WRITE | PTE_NX))
			return false;
	}
	return true;
}

unsigned int address_space_check(void)
{
	uintptr_t alias = (uintptr_t)phys_to_virt(image_phys);
	struct paging_leaf leaf;
	unsigned int broken = 0;

	if (paging_walk(0, &leaf))
		broken |= ADDRESS_SPACE_PAGE_ZERO;
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		if (percpus[cpu] && !stacks_are_guarded(percpus[cpu]))
			broken |= ADDRESS_SPACE_GUARD;
	if (!section_is((uintptr_t)__text_start, (uintptr_t)__text_end, 0))
		broken |= ADDRESS_SPACE_TEXT;
	if (!section_is((uintptr_t)__rodata_start, (uintptr_t)__rodata_end, PTE_NX))
		broken |= ADDRESS_SPACE_DATA;
	/* Frames that memmap= has taken from the RAM are not in the direct map, and so cannot be
	   written by it. */
	if (!pages_are(alias, alias + (uintptr_t)__rodata_end - (uintptr_t)__kernel_start, PTE_NX,
		       true))
		broken |= ADDRESS_SPACE_DIRECT_MAP;
	return broken;
}
