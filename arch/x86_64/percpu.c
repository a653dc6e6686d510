/*
 * percpu.c: the memory of the areas.
 *
 * An area takes 8 frames in a row, of the direct map. The stacks of a CPU other than CPU 0 take 16
 * frames in a row, which are mapped among the windows, each stack above a page that is not mapped.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h" /* first: it has MM_MAX_CPUS, which mm/port.h would define */
#include "arch/x86_64/percpu.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/paging.h"
#include "mm/cache.h"
#include "mm/cpu.h"
#include "mm/numa.h"

/* entry.asm places these symbols at PERCPU_CACHES. */
_Static_assert(offsetof(struct cpu_caches, table) == 0, "cpu_table");
_Static_assert(offsetof(struct cache_table, home) == 0, "cpu_home");

struct area {
	struct percpu cpu;
	char rest[PERCPU_CACHES - sizeof(struct percpu)];
	struct cpu_caches caches;
};
_Static_assert(offsetof(struct area, caches) == PERCPU_CACHES, "percpu.h");

#define AREA_ORDER  3
#define STACK_ORDER 4
_Static_assert(sizeof(struct area) <= PAGE_SIZE << AREA_ORDER, "");

struct area boot_area; /* entry.asm makes it CPU 0's */

struct percpu *percpus[MM_MAX_CPUS] = { &boot_area.cpu };

/* The frames of each stack, as in kernel.ld. */
static const struct {
	const char *name;
	unsigned int frames;
} shapes[NR_STACKS] = {
	[STACK_KERNEL] = { "kernel", 8 },
	[STACK_NMI] = { "NMI", 2 },
	[STACK_DOUBLE_FAULT] = { "double fault", 2 },
	[STACK_MACHINE_CHECK] = { "machine check", 2 },
};

void percpu_load(struct percpu *cpu)
{
	wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
}

void percpu_init(void)
{
	boot_area.cpu.stacks = boot_stacks;
	boot_area.cpu.online = true;
	mm_add_cpu(0, &boot_area.caches);
}

bool percpu_check(void)
{
	const struct percpu *self = this_cpu();
	const struct kernel_stack *stack = &self->stacks[STACK_KERNEL];
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return rdmsr(MSR_GS_BASE) == (uintptr_t)self && percpus[port_cpu_id()] == self &&
	       self->number == port_cpu_id() && self->apic_id == apic_id() &&
	       frame_caches[self->number] == &((const struct area *)self)->caches &&
	       here >= (uintptr_t)stack->bottom && here < (uintptr_t)stack->top;
}

/* Maps the stacks of a CPU on the frames from phys on. */
static void map_stacks(struct kernel_stack stacks[NR_STACKS], phys_addr_t phys)
{
	for (unsigned int i = 0; i < NR_STACKS; i++) {
		uint64_t size = shapes[i].frames * PAGE_SIZE;
		uintptr_t guard = paging_map_guarded(phys, size);

		stacks[i] = (struct kernel_stack){ shapes[i].name, (const char *)guard,
						   (const char *)guard + PAGE_SIZE,
						   (const char *)guard + PAGE_SIZE + size };
		phys += size;
	}
}

void percpu_free(struct percpu *cpu)
{
	struct kernel_stack *stacks = cpu->stacks;
	struct paging_leaf leaf;

	if (!paging_walk((uintptr_t)stacks[0].bottom, &leaf))
		panic("the stacks of CPU %u are not mapped", cpu->number);
	mm_remove_cpu(cpu->number);
	percpus[cpu->number] = NULL;
	for (unsigned int i = 0; i < NR_STACKS; i++)
		for (const char *page = stacks[i].bottom; page < stacks[i].top; page += PAGE_SIZE)
			paging_unmap_page((uintptr_t)page);
	port_flush_memory(NULL);
	__free_pages(pfn_to_page(PHYS_PFN(leaf.phys)), STACK_ORDER);
	__free_pages(virt_to_page(cpu), AREA_ORDER);
}

struct percpu *percpu_alloc(unsigned int number, uint32_t apic_id)
{
	int nid = cpu_to_node(number);
	struct page *stacks = alloc_pages_node(nid, GFP_KERNEL | __GFP_UNMOVABLE, STACK_ORDER);
	struct page *page =
	    alloc_pages_node(nid, GFP_KERNEL | __GFP_UNMOVABLE | __GFP_ZERO, AREA_ORDER);
	struct area *area;

	if (!stacks || !page) {
		if (stacks)
			__free_pages(stacks, STACK_ORDER);
		if (page)
			__free_pages(page, AREA_ORDER);
		return NULL;
	}
	area = page_address(page);
	area->cpu.self = &area->cpu;
	area->cpu.number = number;
	area->cpu.apic_id = apic_id;
	/* The table of the stacks follows the caches. */
	_Static_assert(
	    sizeof(*area) + NR_STACKS * sizeof(struct kernel_stack) <= PAGE_SIZE << AREA_ORDER, "");
	area->cpu.stacks = (struct kernel_stack *)(area + 1);
	map_stacks(area->cpu.stacks, page_to_phys(stacks));
	percpus[number] = &area->cpu;
	mm_add_cpu(number, &area->caches);
	return &area->cpu;
}
