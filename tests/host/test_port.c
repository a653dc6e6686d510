/*
 * test_port.c: mm/ with a configuration of its own (port_all.h) and without MM_HOST, as a kernel
 * has it. Memory and descriptors are where the configuration's functions say: RAM is seen at
 * addresses that fall from one stretch to the next, the descriptors of blocks at addresses that
 * fall from one block to the next, with holes between them. A file plays RAM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "mm/check.h"
#include "mm/cpu.h"
#include "mm/gfp.h"
#include "mm/memblock.h"
#include "mm/numa.h"
#include "mm/page_state.h"
#include "mm/zone.h"

#define GIB          ((phys_addr_t)1 << 30)
#define RAM_END      (4 * GIB)
#define BLOCK        ((pfn_t)512) /* frames */
#define BLOCK_STRIDE (4 * BLOCK * sizeof(struct page))
#define NR_BLOCKS    (MM_MAX_PFN / BLOCK)

/* Two stretches of RAM, [0, 1.5 GiB) and [2 GiB, 4 GiB); the lower one is seen at higher addresses.
 */
#define LOW_END      (3 * GIB / 2)
#define HIGH_BASE    (2 * GIB)

static int ram_fd;
static unsigned int cpu;
static unsigned int nr_cpus = 2;
static void (*before_round)(void); /* called once, before port_on_each_cpu() does its work */

/* ---- the port ---- */

static bool irqs_off;
static bool has_number;     /* this CPU knows its number; not while the allocator is set up */
static uintptr_t mapped_to; /* where port_map_mem_map() and port_map_zero() go on */
static char log_text[4096], panic_text[512];
static jmp_buf panicked;

unsigned int test_cpu_id(void)
{
	if (!has_number)
		test_panic("the CPU is asked for its number before the first allocation");
	return cpu;
}

unsigned long test_irq_save(void)
{
	bool were_off = irqs_off;

	irqs_off = true;
	return were_off;
}

void test_irq_restore(unsigned long flags)
{
	if (!irqs_off)
		test_panic("interrupts are restored, and were on");
	irqs_off = flags;
}

int test_log(const char *fmt, ...)
{
	size_t length = strlen(log_text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(log_text + length, sizeof(log_text) - length, fmt, ap);
	va_end(ap);
	return 0;
}

void test_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	longjmp(panicked, 1);
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
	(void)size;
	(void)gfp;
	return NULL;
}

void kfree(const void *ptr)
{
	(void)ptr;
}

unsigned int port_nr_cpus(void)
{
	return nr_cpus;
}

bool port_may_wait(void)
{
	return !irqs_off;
}

void port_on_each_cpu(void (*function)(void *argument), void *argument)
{
	unsigned int own = cpu;

	if (before_round)
		before_round();
	for (cpu = 0; cpu < nr_cpus; cpu++)
		function(argument);
	cpu = own;
}

void port_map_frames(pfn_t pfn, uint64_t nr)
{
	(void)pfn;
	(void)nr;
}

void port_unmap_frames(pfn_t pfn, uint64_t nr)
{
	(void)pfn;
	(void)nr;
}

void port_site_name(uintptr_t site, char *text, size_t size)
{
	snprintf(text, size, "%#zx", (size_t)site);
}

/* Shows size bytes of the file, from offset phys on, at virt. */
static void show(char *virt, uint64_t size, phys_addr_t phys)
{
	assert_ptr_equal(
	    mmap(virt, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_fd, (off_t)phys),
	    virt);
}

/* Returns size bytes of address space that fault. */
static char *reserve(uint64_t size)
{
	char *area =
	    mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(area, MAP_FAILED);
	return area;
}

static void show_zeros(char *virt, uint64_t size)
{
	assert_ptr_equal(mmap(virt, size, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0),
			 virt);
}

/* Demands that the window is mapped from its base on, upwards, each address once, never 0 bytes. */
static void goes_on(uintptr_t virt, uint64_t size)
{
	assert_true(virt == mapped_to && size && !(size % PAGE_SIZE));
	mapped_to += size;
}

#ifdef TEST_PORT_PLAIN

uintptr_t test_direct_map, test_mem_map;

static void ram_init(void)
{
	char *virt = reserve(RAM_END);

	test_direct_map = (uintptr_t)virt + 0x1000;
	test_mem_map = (uintptr_t)reserve(MM_MAX_PFN * sizeof(struct page)) + 0x2000;
	show(virt, LOW_END, 0);
	show(virt + HIGH_BASE, RAM_END - HIGH_BASE, HIGH_BASE);
}

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	goes_on(virt, size);
	show((char *)virt, size, phys);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	goes_on(virt, size);
	show_zeros((char *)virt, size);
}

#else

static char *ram, *low, *descriptors;
static unsigned long nr_pinned, pins, holds;

static void ram_init(void)
{
	ram = reserve(RAM_END);
	low = ram + (RAM_END - HIGH_BASE); /* behind the higher stretch */
	descriptors = reserve((NR_BLOCKS + 1) * BLOCK_STRIDE);
	show(ram, RAM_END - HIGH_BASE, HIGH_BASE);
	show(low, LOW_END, 0);
}

void *test_phys_to_virt(uint64_t phys)
{
	return phys < LOW_END ? low + phys : ram + (phys - HIGH_BASE);
}

uint64_t test_virt_to_phys(const volatile void *virt)
{
	uintptr_t at = (uintptr_t)virt;

	return at >= (uintptr_t)low ? at - (uintptr_t)low : at - (uintptr_t)ram + HIGH_BASE;
}

void *test_pfn_to_page(uint64_t pfn)
{
	return descriptors + (NR_BLOCKS - pfn / BLOCK) * BLOCK_STRIDE +
	       pfn % BLOCK * sizeof(struct page);
}

uint64_t test_page_to_pfn(const void *page)
{
	size_t offset = (size_t)((const char *)page - descriptors);

	return (NR_BLOCKS - offset / BLOCK_STRIDE) * BLOCK +
	       offset % BLOCK_STRIDE / sizeof(struct page);
}

void port_map_mem_map(uintptr_t virt, phys_addr_t phys, uint64_t size)
{
	const uint64_t bytes = BLOCK * sizeof(struct page);

	goes_on(virt, size);
	for (; size; virt += bytes, phys += bytes, size -= bytes)
		show(test_pfn_to_page(virt / sizeof(struct page)), bytes, phys);
}

void port_map_zero(uintptr_t virt, uint64_t size)
{
	const uint64_t bytes = BLOCK * sizeof(struct page);

	goes_on(virt, size);
	for (; size; virt += bytes, size -= bytes)
		show_zeros(test_pfn_to_page(virt / sizeof(struct page)), bytes);
}

/* The cookie is how many pins the CPU has with this one, and says which CPU that is. */
unsigned long test_pin(void)
{
	pins++;
	return ++nr_pinned << 8 | cpu;
}

void test_unpin(unsigned long cookie)
{
	if (cookie != (nr_pinned-- << 8 | cpu))
		test_panic("the cookie is another pin's");
}

unsigned long test_lock_irqsave(struct test_lock *lock)
{
	unsigned long flags = test_irq_save();

	if (lock->next++ != lock->serving)
		test_panic("the only thread holds the lock already");
	lock->holds++;
	holds++;
	return flags;
}

void test_unlock_irqrestore(struct test_lock *lock, unsigned long flags)
{
	if (++lock->serving != lock->next)
		test_panic("a lock is released that is not held");
	test_irq_restore(flags);
}

#endif

/* ---- the tests ---- */

/* No RAM is seen, and the addresses that are variables are not set, until memblock knows it all. */
static int raise_allocator(void **state)
{
	static char memory_of_cpu[64 << 10] __attribute__((aligned(MM_LINE)));

	(void)state;
	ram_fd = memfd_create("ram", 0);
	assert_int_equal(ftruncate(ram_fd, (off_t)RAM_END), 0);
	if (setjmp(panicked))
		fail_msg("panic: %s", panic_text);
	memblock_allow_resize();
	memblock_add(0, LOW_END);
	memblock_add(HIGH_BASE, RAM_END - HIGH_BASE);
	memblock_reserve(0, PAGE_SIZE);
	memblock_set_node(0, PHYS_ADDR_MAX, &memblock.memory, 0);
	ram_init();
	numa_init();
	assert_int_equal(mm_cpu_bytes(), 27648); /* docs/lift.md says so */
	assert_true(mm_cpu_bytes() <= sizeof(memory_of_cpu));
	mm_add_cpu(1, memory_of_cpu);
	mapped_to = MEM_MAP_BASE;
	mem_map_init();
	assert_int_equal(mapped_to, MEM_MAP_BASE + MM_MAX_PFN * sizeof(struct page));
	zones_init(1);
	memblock_free_all();
	zones_finish();
	has_number = true;
	return 0;
}

/* Checks all invariants, and that interrupts are on, and all locks open. */
static void check_all(void)
{
	assert_false(irqs_off);
	assert_int_equal(mm_check(), 0);
	for_each_zone(z)
		assert_false(port_lock_is_taken(&z->lock));
}

#define FAIL_ON_PANIC()       \
	if (setjmp(panicked)) \
	fail_msg("panic: %s", panic_text)

static void frames_have_one_place_each(void **state)
{
	static const pfn_t pfns[] = { 0,
				      1,
				      BLOCK - 1,
				      BLOCK,
				      LOW_END / PAGE_SIZE - 1,
				      HIGH_BASE / PAGE_SIZE,
				      RAM_END / PAGE_SIZE - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(pfns) / sizeof(pfns[0]); i++) {
		struct page *page = pfn_to_page(pfns[i]);
		uint64_t word = 0;

		assert_int_equal(page_to_pfn(page), pfns[i]);
		assert_int_equal(virt_to_phys(page_address(page)), PFN_PHYS(pfns[i]));
		assert_ptr_equal(virt_to_page(page_address(page)), page);
		if (page_state(pfns[i]) != PAGE_FREE)
			continue;
		*(uint64_t *)page_address(page) = ~pfns[i];
		assert_int_equal(pread(ram_fd, &word, sizeof(word), (off_t)PFN_PHYS(pfns[i])), 8);
		assert_int_equal(word, ~pfns[i]);
	}
#ifndef TEST_PORT_PLAIN
	assert_true((uintptr_t)pfn_to_page(BLOCK) < (uintptr_t)pfn_to_page(0));
	assert_true((uintptr_t)phys_to_virt(HIGH_BASE) < (uintptr_t)phys_to_virt(0));
#endif
}

static void a_lock_is_taken_until_it_is_released(void **state)
{
	port_lock_t *lock = &zone_list[0]->lock;
	unsigned long flags;

	(void)state;
	FAIL_ON_PANIC();
	flags = port_lock_irqsave(lock);
	assert_true(port_lock_is_taken(lock) && irqs_off);
	port_unlock_irqrestore(lock, flags);
	assert_false(port_lock_is_taken(lock) || irqs_off);
	port_lock_irqsave(lock); /* as a CPU that was stopped leaves it */
	zones_break_locks();
	port_irq_restore(false);
	check_all();
}

static void a_gib_is_split_into_frames(void **state)
{
	uint64_t before = nr_free_pages();
	struct page *page;
	pfn_t pfn;

	(void)state;
	FAIL_ON_PANIC();
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	assert_non_null(page);
	pfn = page_to_pfn(page);
	split_page(page, MAX_PAGE_ORDER);
	check_all();
	for (pfn_t i = 0; i < (pfn_t)1 << MAX_PAGE_ORDER; i++) {
		assert_int_equal(page_order(pfn_to_page(pfn + i)), 0);
		__free_page(pfn_to_page(pfn + i));
	}
	check_all();
	assert_int_equal(nr_free_pages(), before);
}

static void a_range_crosses_blocks_and_gibs(void **state)
{
	pfn_t start = (3 * GIB - 3 * PAGE_SIZE) / PAGE_SIZE, end = start + 2 * BLOCK;
	uint64_t before = nr_free_pages();

	(void)state;
	FAIL_ON_PANIC();
	for (pfn_t pfn = start; pfn < end; pfn++)
		memset(page_address(pfn_to_page(pfn)), 0x5a, PAGE_SIZE);
	drain_all_pages();
	assert_int_equal(alloc_contig_range(start, end, MIGRATE_MOVABLE, __GFP_ZERO), 0);
	check_all();
	for (pfn_t pfn = start; pfn < end; pfn++) {
		const uint64_t *words = page_address(pfn_to_page(pfn));

		for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
			assert_int_equal(words[i], 0);
	}
	free_contig_range(start, end - start);
	check_all();
	assert_int_equal(nr_free_pages(), before);
}

static void third_cpu_comes(void)
{
	static char memory[64 << 10] __attribute__((aligned(MM_LINE)));

	before_round = NULL;
	mm_add_cpu(2, memory);
	nr_cpus = 3;
}

static void third_cpu_comes_in_next_round(void)
{
	before_round = third_cpu_comes;
}

__attribute__((noinline)) static void leave_garbage_on_the_stack(void)
{
	volatile char garbage[4096];

	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = -1;
}

/* The new CPU is not asked to shut its caches, but it is asked to reopen them. */
static void a_cpu_comes_while_caches_are_shut(void **state)
{
	(void)state;
	FAIL_ON_PANIC();
	before_round = third_cpu_comes_in_next_round;
	leave_garbage_on_the_stack();
	drain_all_pages();
	assert_int_equal(nr_cpus, 3);
	check_all();
	mm_divide_caches();
	check_all();
}

static void requests_at_random(void **state)
{
	enum { HELD = 3000, STEPS = 40000 };
	static struct page *held[HELD];
	static unsigned int orders[HELD];
	uint64_t before = nr_free_pages(), random = 1;

	(void)state;
	FAIL_ON_PANIC();
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int i, order;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		i = (unsigned int)(random >> 33) % HELD;
		order = (unsigned int)__builtin_ctzll(random >> 20 | 1 << 10);
		cpu = (unsigned int)(random >> 60) % nr_cpus;
		if (held[i]) {
			assert_int_equal(page_private(held[i]), i);
			__free_pages(held[i], orders[i]);
			held[i] = NULL;
			continue;
		}
		held[i] = alloc_pages(step & 1 ? GFP_KERNEL : GFP_DMA32, order);
		assert_non_null(held[i]);
		assert_int_equal(page_to_pfn(held[i]) & ((1u << order) - 1), 0);
		memset(page_address(held[i]), 0xc3, PAGE_SIZE << order);
		set_page_private(held[i], i);
		orders[i] = order;
		if (step % 1024)
			continue;
		drain_caches();
		if (!(step % 8192))
			check_all();
	}
	for (unsigned int i = 0; i < HELD; i++)
		if (held[i])
			__free_pages(held[i], orders[i]);
	check_all();
	drain_all_pages();
	check_all();
	cpu = 0;
	assert_int_equal(nr_free_pages(), before);
#ifndef TEST_PORT_PLAIN
	assert_true(pins > STEPS / 2 && holds > 1000);
	assert_int_equal(nr_pinned, 0);
#endif
}

/* It is what the last owner left there, or what was in RAM. */
static void the_private_word_is_left_as_it_is(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL);
	pfn_t pfn = page_to_pfn(page);

	(void)state;
	FAIL_ON_PANIC();
	set_page_private(page, 0x1234);
	put_page(page);
	assert_int_equal(alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	assert_int_equal(page_private(page), 0x1234);
	put_page(page);
}

static void misuse_panics_by_the_configuration(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL);

	(void)state;
	assert_non_null(page);
	__free_page(page);
	panic_text[0] = '\0';
	if (!setjmp(panicked))
		__free_page(page);
	assert_non_null(strstr(panic_text, "free of frame 0x"));
	assert_non_null(strstr(panic_text, "it is free"));
}

static void the_log_is_the_configurations(void **state)
{
	(void)state;
	log_text[0] = '\0';
	memblock_dump();
	assert_non_null(strstr(log_text, "MEMBLOCK configuration:\n"));
	assert_non_null(strstr(log_text, " memory.cnt  = 0x2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_have_one_place_each),
		cmocka_unit_test(a_lock_is_taken_until_it_is_released),
		cmocka_unit_test(a_gib_is_split_into_frames),
		cmocka_unit_test(a_range_crosses_blocks_and_gibs),
		cmocka_unit_test(a_cpu_comes_while_caches_are_shut),
		cmocka_unit_test(requests_at_random),
		cmocka_unit_test(the_private_word_is_left_as_it_is),
		cmocka_unit_test(the_log_is_the_configurations),
		cmocka_unit_test(misuse_panics_by_the_configuration),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, raise_allocator, NULL);
}
