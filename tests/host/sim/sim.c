#include "tests/host/sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86_64/frame_access.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/paging_hotplug.h"
#include "arch/x86_64/probe_added.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/memblock.h"
#include "mm/page.h"
#include "mm/zone.h"
#include "tools/replay/mapfile.h"

#ifdef SIM_MSAN
#include <sanitizer/msan_interface.h>
#include <sys/syscall.h>
#include <unistd.h>
/* The sanitizer's own mmap() marks every byte of a mapping, which takes minutes for terabytes. */
#define mmap(...)   ((void *)syscall(SYS_mmap, __VA_ARGS__))
#define munmap(...) ((int)syscall(SYS_munmap, __VA_ARGS__))
#endif

FILE *sim_log;
_Thread_local jmp_buf *sim_panic_jump;
_Thread_local char sim_panic_text[256];
uint64_t sim_mem_map_bytes;
uint64_t sim_left_out;
bool sim_collect_holds;
phys_addr_t sim_no_ram_below;

static uint64_t mapped; /* the end of RAM, that which was added included */
static bool dirty_descriptors;

/* The bytes at both ends of RAM that are poisoned: the allocator's metadata lies there. */
#define POISON_RAM (64ull << 20)

int printk(const char *fmt, ...)
{
	va_list ap;
	int n = 0;

	va_start(ap, fmt);
	if (sim_log)
		n = vfprintf(sim_log, fmt, ap);
	va_end(ap);
	return n;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sim_panic_text, sizeof(sim_panic_text), fmt, ap);
	va_end(ap);
	sim_irqs(true); /* the panic may have been under a lock */
	if (sim_panic_jump)
		longjmp(*sim_panic_jump, 1);
	fprintf(stderr, "panic: %s\n", sim_panic_text);
	abort();
}

void dump_stack(void)
{
}

bool slab_is_available(void)
{
	return false;
}

void *kmalloc(size_t size, unsigned int gfp)
{
	(void)gfp;
	return malloc(size);
}

void kfree(const void *ptr)
{
	free((void *)(uintptr_t)ptr);
}

/*
 * The ranges that are poisoned for MemorySanitizer: it reports a branch on a byte of them that was
 * not written since the boot.
 */
static struct {
	uintptr_t virt;
	uint64_t size;
} poisoned[64];
static unsigned int nr_poisoned;

static void poison(uintptr_t virt, uint64_t size)
{
	if (nr_poisoned == sizeof(poisoned) / sizeof(poisoned[0]))
		return;
	poisoned[nr_poisoned].virt = virt;
	poisoned[nr_poisoned++].size = size;
#ifdef SIM_MSAN
	__msan_poison((void *)virt, size);
#endif
}

static void unpoison_number(unsigned int i)
{
#ifdef SIM_MSAN
	__msan_unpoison((void *)poisoned[i].virt, poisoned[i].size);
#endif
	poisoned[i] = poisoned[--nr_poisoned];
}

/* Takes back poison(virt, …). */
static void unpoison(uintptr_t virt)
{
	for (unsigned int i = nr_poisoned; i--;)
		if (poisoned[i].virt == virt)
			unpoison_number(i);
}

static void unpoison_all(void)
{
	while (nr_poisoned)
		unpoison_number(nr_poisoned - 1);
}

static void map_fixed(uintptr_t virt, uint64_t size, int prot)
{
	void *at = mmap((void *)virt, size, prot,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	if (at != (void *)virt) {
		perror("mmap of simulated memory");
		exit(3);
	}
}

static void protect(void *virt, uint64_t size, int prot)
{
	if (mprotect(virt, size, prot)) {
		perror("mprotect of simulated memory");
		exit(3);
	}
}

/*
 * Fills descriptors with what a warm reset leaves behind: values that would be valid if their
 * cookie were that of this boot.
 */
static void fill_with_garbage(uintptr_t virt, uint64_t size)
{
	for (struct page *page = (struct page *)virt; (uintptr_t)page < virt + size; page++) {
		page->state = 0xbad1000000000001ull | (uint64_t)(page_to_pfn(page) % 19) << 32;
		set_page_private(page, 0x5a5a5a5a5a5a5a5aul);
	}
}

static void map_descriptors(uintptr_t virt, uint64_t size)
{
	map_fixed(virt, size, PROT_READ | PROT_WRITE);
	if (dirty_descriptors)
		fill_with_garbage(virt, size);
	poison(virt, size);
}

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	paging_map_mem_map(virt, phys, size);
	map_descriptors(virt, size);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	uintptr_t end = MEM_MAP_BASE + SIM_WINDOW_SIZE;

	paging_map_zero(virt, size);
	if (virt < end)
		map_fixed(virt, end - virt < size ? end - virt : size, PROT_READ);
}

uint64_t port_tables_of(phys_addr_t base, uint64_t size)
{
	return paging_tables_of(base, size);
}

/* The host can access RAM while this machine is about to map it, at the same address as later. */
void *frame_show(phys_addr_t phys)
{
	return phys_to_virt(phys);
}

void frame_write(phys_addr_t phys, uint64_t value)
{
	if (phys >= sim_no_ram_below)
		*(uint64_t *)frame_show(phys) = value;
}

uint64_t frame_read(phys_addr_t phys)
{
	return phys >= sim_no_ram_below ? *(uint64_t *)frame_show(phys) : ~0ull;
}

/* The host has no addresses for RAM from SIM_RAM_SIZE on, or for its descriptors. */
bool port_probe_memory(phys_addr_t base, uint64_t size)
{
	bool there;

	if (base + size > SIM_RAM_SIZE ||
	    PHYS_PFN(base + size) * sizeof(struct page) > SIM_WINDOW_SIZE)
		return false;
	map_fixed((uintptr_t)phys_to_virt(base), size, PROT_READ | PROT_WRITE);
	if (mapped < base + size)
		mapped = base + size;
	there = probe_added_memory(base, size);
	protect(phys_to_virt(base), size, PROT_NONE);
	return there;
}

/* Returns the address of the descriptors of a range, and sets *size to their size in bytes. */
static uintptr_t descriptors_of(const struct port_memory *m, uint64_t *size)
{
	*size = PHYS_PFN(m->size) * sizeof(struct page);
	return (uintptr_t)pfn_to_page(PHYS_PFN(m->base));
}

/*
 * port_probe_memory() has been called for this RAM, as its contract demands. Like RAM of the boot
 * it may hold garbage, and is poisoned at its end.
 */
int port_map_memory(const struct port_memory *m)
{
	uintptr_t virt = (uintptr_t)phys_to_virt(m->base + m->size);
	uint64_t nr = m->size < POISON_RAM ? m->size : POISON_RAM;

	protect(phys_to_virt(m->base), m->size, PROT_READ | PROT_WRITE);
	if (dirty_descriptors)
		memset((void *)(virt - nr), 0xa5, nr);
	poison(virt - nr, nr);
	if (paging_map_memory(m)) {
		unpoison(virt - nr);
		protect(phys_to_virt(m->base), m->size, PROT_NONE);
		return -ENOMEM;
	}
	virt = descriptors_of(m, &nr);
	map_descriptors(virt, nr);
	return 0;
}

void port_unmap_memory(const struct port_memory *m)
{
	uintptr_t end = (uintptr_t)phys_to_virt(m->base + m->size);
	uint64_t size;
	uintptr_t virt = descriptors_of(m, &size);

	paging_unmap_memory(m);
	unpoison(virt);
	map_fixed(virt, size, PROT_READ);
	unpoison(end - (m->size < POISON_RAM ? m->size : POISON_RAM));
	map_fixed((uintptr_t)phys_to_virt(m->base), m->size, PROT_NONE);
}

static void flush_nothing(void *unused)
{
	(void)unused;
}

void port_flush_memory(const struct port_memory *m)
{
	(void)m;
	port_on_each_cpu(flush_nothing, NULL);
}

/*
 * Makes nr frames from pfn on accessible or not, in the simulated page tables and in the host's:
 * an access to one that is not gets SIGSEGV.
 */
static void set_present(pfn_t pfn, uint64_t nr, bool accessible)
{
	void *virt = phys_to_virt(PFN_PHYS(pfn));

	paging_set_present((uintptr_t)virt, nr, accessible);
	protect(virt, nr << PAGE_SHIFT, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void port_map_frames(pfn_t pfn, uint64_t nr)
{
	set_present(pfn, nr, true);
}

void port_unmap_frames(pfn_t pfn, uint64_t nr)
{
	set_present(pfn, nr, false);
}

void port_site_name(uintptr_t site, char *text, size_t size)
{
	snprintf(text, size, "0x%lx", site);
}

void sim_map_ram(uint64_t size)
{
	if (size > SIM_RAM_SIZE)
		size = SIM_RAM_SIZE;
	map_fixed(SIM_RAM, size, PROT_READ | PROT_WRITE);
	mapped = size;
	mm_host_offset = SIM_RAM;
}

void sim_dirty(void)
{
	dirty_descriptors = true;
	memset((void *)SIM_RAM, 0xa5, mapped < 64 << 20 ? mapped : 64 << 20);
}

/* Empties memblock's list of a type, and returns it to the array with which the program began. */
static void empty_type(struct memblock_type *type)
{
	static struct {
		struct memblock_type *type;
		struct memblock_region *regions;
	} initial[2];

	for (unsigned int i = 0; i < 2; i++) {
		if (!initial[i].type) {
			initial[i].type = type;
			initial[i].regions = type->regions;
		}
		if (initial[i].type != type)
			continue;
		type->regions = initial[i].regions;
		break;
	}
	memset(type->regions, 0, INIT_MEMBLOCK_REGIONS * sizeof(*type->regions));
	type->cnt = 0;
	type->max = INIT_MEMBLOCK_REGIONS;
	type->total_size = 0;
}

void sim_reset(void)
{
	unpoison_all();
	empty_type(&memblock.memory);
	empty_type(&memblock.reserved);
	memblock_set_bottom_up(false);
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
	if (mapped)
		munmap((void *)SIM_RAM, mapped);
	munmap((void *)(uintptr_t)MEM_MAP_BASE, SIM_WINDOW_SIZE);
	mapped = 0;
	mm_host_offset = 0;
	dirty_descriptors = false;
	sim_no_ram_below = 0;
	numa_init();
	movable_node_enabled = false;
	zone_list[0] = NULL;
	for (unsigned int i = 0; i < NR_ZONE_NUMBERS; i++)
		state_zones[i] = &no_zone;
	memset(zone_owners, 0, sizeof(zone_owners));
}

static uint64_t end_of_ram(void)
{
	uint64_t end = PAGE_SIZE;

	for (uint32_t i = 0; i < e820_map.nr_ranges; i++) {
		const struct e820_range *range = &e820_map.ranges[i];

		if (range->type == E820_TYPE_RAM && range->base < SIM_RAM_SIZE)
			end = SIM_RAM_SIZE - range->base < range->size ? SIM_RAM_SIZE
								       : range->base + range->size;
	}
	return PAGE_ALIGN(end);
}

/*
 * Places the kernel where the loader does, at the lowest multiple of 2 MiB, from 2 MiB on and below
 * 4 GiB, at which there is RAM for it. Returns false when there is no such place.
 */
static bool place_kernel(uint64_t size, struct e820_taken *kernel)
{
	kernel->size = size;
	kernel->base = 0;
	if (size)
		kernel->base =
		    e820_find_ram(&e820_map, size, 2 << 20, 2 << 20, 1ull << 32, NULL, 0);
	return kernel->base != UINT64_MAX;
}

int sim_boot_memory(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
		    struct e820_taken *kernel, const char **error)
{
	struct memory_input in = {
		.raw = raw,
		.nr_raw = nr,
		.limit = SIM_RAM_SIZE,
		.given = options->nodes,
		.nr_given = options->nr_nodes,
		.srat = options->srat,
		.srat_size = options->srat_size,
		.slit = options->slit,
		.slit_size = options->slit_size,
	};
	struct paging_config paging = { .nx = true, .pdpe1gb = options->pdpe1gb };

	sim_reset();
	memory_correct(&in);
	if (!e820_bytes(&e820_map, E820_TYPE_RAM)) {
		*error = "the map has no usable RAM";
		return -1;
	}
	if (!place_kernel(options->kernel_size, kernel)) {
		*error = "no place for the kernel: no run of usable RAM between 2 MiB and 4 GiB is "
			 "long enough";
		return -1;
	}
	in.taken[0] = *kernel;
	in.nr_taken = kernel->size ? 1 : 0;
	paging.ro_base = kernel->base;
	paging.ro_size = kernel->size / 2 & ~(PAGE_SIZE - 1);
	paging.small_direct_map = options->debug & MM_DEBUG_PAGEALLOC;
	sim_map_ram(end_of_ram());
	if (options->dirty)
		sim_dirty();
	poison(SIM_RAM, mapped < POISON_RAM ? mapped : POISON_RAM);
	if (mapped > POISON_RAM)
		poison(SIM_RAM + mapped - POISON_RAM, POISON_RAM);
	sim_left_out = memory_to_memblock(&in);
	if (options->mem_limit)
		memblock_enforce_memory_limit(options->mem_limit);
	if (!memblock_phys_mem_size()) {
		*error = "the map has no usable RAM: no whole frame of it can be addressed";
		return -1;
	}
	memory_to_nodes(&in);
	paging_init(&paging);
	paging_direct_map();
	return 0;
}

void sim_boot_file(const char *name, const struct sim_options *options)
{
	static struct mapfile map;
	struct e820_taken kernel;
	const char *error = "cannot be read";

	if (!mapfile_read(&map, name) ||
	    sim_boot_memory(map.entries, map.nr, options, &kernel, &error))
		panic("%s: %s", name, error);
}

void sim_hand_over(const struct sim_options *options)
{
	sim_mem_map_bytes = mem_map_init();
	memory_hand_over(options->seed, options->debug);
}

int sim_boot(const struct e820_entry *raw, uint32_t nr, const struct sim_options *options,
	     struct e820_taken *kernel, const char **error)
{
	if (sim_boot_memory(raw, nr, options, kernel, error))
		return -1;
	sim_hand_over(options);
	return 0;
}

static uint32_t at_most(uint32_t n, uint32_t limit)
{
	return n < limit ? n : limit;
}

void sim_limit_caches(uint32_t frames, uint32_t runs)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		for_each_cache(i) {
			struct frame_cache *cache = cache_number(cpu, i);

			if (cache->zone == &no_zone)
				continue;
			cache->limit = cache->order ? at_most(runs, RUNS_MAX) : frames;
			cache->out_limit =
			    cache->order ? at_most(runs / 2, RUNS_OUT) : at_most(frames, CACHE_OUT);
		}
}

unsigned long sim_check_within_requests(void)
{
	static uint32_t shut[MM_MAX_CPUS][NR_CPU_CACHES];
	unsigned long violations = 0;

	for_each_cache_cpu(cpu)
		for_each_cache(i) {
			struct frame_cache *cache = cache_number(cpu, i);

			violations += cache->shut && (cache->limit || cache->out_limit);
			shut[cpu][i] = cache->shut;
			cache->shut = 0;
		}
	violations += mm_check();
	for_each_cache_cpu(cpu)
		for_each_cache(i)
			cache_number(cpu, i)->shut = shut[cpu][i];
	return violations;
}
