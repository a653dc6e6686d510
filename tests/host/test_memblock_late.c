/*
 * test_memblock_late.c: tests changes of memblock after the hand-over, when memory comes and goes.
 *
 * This program supplies what memblock.c has weak functions for: memory for arrays that grow, and
 * the switch of interrupts. It is compiled a second time with ThreadSanitizer, for the test with
 * threads.
 */
#include "tests/host/memblock/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "mm/page.h"

#define SUPPLY (512 * MIB) /* the first array goes there; no test adds memory from there on */

static phys_addr_t supplied;     /* bytes, by all calls */
static unsigned int nr_supplies; /* calls that got memory */
static bool supply_empty, irqs_off;
static unsigned int nr_holds; /* how often interrupts were switched off */

phys_addr_t memblock_late_array(phys_addr_t bytes)
{
	phys_addr_t phys = SUPPLY + supplied;

	if (supply_empty)
		return 0;
	assert_int_equal(bytes % PAGE_SIZE, 0);
	memset(phys_to_virt(phys), 0xa5, bytes);
	supplied += bytes;
	nr_supplies++;
	return phys;
}

unsigned long memblock_irq_save(void)
{
	unsigned long flags = irqs_off;

	irqs_off = true;
	nr_holds++;
	return flags + 4;
}

/* As a handler would that was waiting, asks something. */
void memblock_irq_restore(unsigned long flags)
{
	assert_true(irqs_off);
	irqs_off = flags - 4;
	assert_true(memblock_is_memory(0x1000));
}

/* Makes a machine with 32 MiB that were handed over. */
static int setup(void **state)
{
	(void)state;
	reset();
	supplied = nr_supplies = nr_holds = 0;
	supply_empty = irqs_off = false;
	memblock_add_node(0x1000, 32 * MIB, 0, MEMBLOCK_NONE);
	memblock_reserve(0x2000, 0x1000);
	memblock_free_all();
	assert_int_equal(nr_holds, 0);
	return 0;
}

static int teardown(void **state)
{
	const char *broken = memblock_check();

	(void)state;
	if (broken)
		fprintf(stderr, "# memblock_check() says: %s\n", broken);
	return broken || irqs_off ? -1 : 0;
}

/* Demands that the type grew to max entries in the memory that was supplied last, `bytes` long. */
static void assert_grown(const struct memblock_type *type, unsigned long max, phys_addr_t bytes)
{
	assert_int_equal(type->max, max);
	assert_ptr_equal(type->regions, phys_to_virt(SUPPLY + supplied - bytes));
	for (unsigned long i = type->cnt; i < max; i++)
		assert_int_equal(type->regions[i].base | type->regions[i].size, 0);
}

/*
 * Lets the type grow twice. Its old arrays remain as they were when they were full, and nothing is
 * reserved for the new ones.
 */
static void grow_twice(struct memblock_type *type, const struct memblock_type *other)
{
	static struct memblock_region full[2][256];
	const struct memblock_region *old[2];
	phys_addr_t others = other->total_size;

	old[0] = type->regions;
	fill_up(type, 128, 0x4000000);
	assert_int_equal(nr_supplies, 0);
	memcpy(full[0], type->regions, 128 * sizeof(full[0][0]));
	fill_up(type, 129, 0x2800000); /* below the others: all of them move */
	assert_int_equal(nr_supplies, 1);
	assert_grown(type, 256, 2 * PAGE_SIZE);
	old[1] = type->regions;
	fill_up(type, 256, 0x6000000);
	assert_int_equal(nr_supplies, 1);
	memcpy(full[1], type->regions, 256 * sizeof(full[0][0]));
	fill_up(type, 257, 0x2a00000);
	assert_int_equal(nr_supplies, 2);
	assert_grown(type, 512, 3 * PAGE_SIZE);
	assert_int_equal(type->cnt, 257);
	assert_memory_equal(old[0], full[0], 128 * sizeof(full[0][0]));
	assert_memory_equal(old[1], full[1], 256 * sizeof(full[0][0]));
	assert_int_equal(other->total_size, others);
	assert_false(memblock_is_region_reserved(SUPPLY, supplied));
	assert_int_equal(nr_kfrees, 0);
}

static void memory_grows_by_what_is_supplied(void **state)
{
	(void)state;
	grow_twice(&memblock.memory, &memblock.reserved);
}

static void reserved_grows_by_what_is_supplied(void **state)
{
	(void)state;
	grow_twice(&memblock.reserved, &memblock.memory);
}

/* Whichever call needs an entry, without memory for an array it fails and nothing has changed. */
static void without_a_supply_nothing_changes(void **state)
{
	static struct snapshot before;

	(void)state;
	fill_up(&memblock.memory, 128, 0x4000000);
	fill_up(&memblock.reserved, 128, 0x4000000);
	memblock_reserve(0x4000000, 0x8000); /* four regions become one */
	fill_up(&memblock.reserved, 128, 0x6000000);
	supply_empty = true;
	nr_blocks = nr_holds = 0;
	take(&before);
	assert_int_equal(memblock_add_node(0x3000000, 0x1000, 1, MEMBLOCK_HOTPLUG), -ENOMEM);
	assert_int_equal(memblock_remove(0x100000, 0x1000), -ENOMEM);
	assert_int_equal(memblock_mark_hotplug(0x100000, 0x1000), -ENOMEM);
	assert_non_null(strstr(text, "no room for the memory array to grow from 128 to 256"));
	assert_int_equal(memblock_reserve(0x3000000, 0x1000), -ENOMEM);
	assert_int_equal(memblock_phys_free(0x4002000, 0x1000), -ENOMEM);
	assert_int_equal(memblock_set_node(0x4002000, 0x1000, &memblock.reserved, 1), -ENOMEM);
	assert_non_null(strstr(text, "no room for the reserved array to grow from 128 to 256"));
	memblock_free_late(0x4002000, 0x1000);
	assert_non_null(strstr(text, "[mem 0x4002000-0x4002fff] stays reserved"));
	assert_unchanged(&before);
	assert_int_equal(nr_blocks + nr_holds, 0);

	supply_empty = false;
	memblock_free_late(0x4004000, 0x1000);
	assert_int_equal(nr_blocks, 1);
	assert_false(memblock_is_reserved(0x4004000));
	assert_int_equal(memblock_add_node(0x3000000, 0x1000, 1, MEMBLOCK_HOTPLUG), 0);
	assert_int_equal(nr_supplies, 2);
	assert_int_equal(nr_holds, 2);
}

/* Every change is one stretch with interrupts off; what changes nothing has none. */
static void changes_are_made_with_interrupts_off(void **state)
{
	(void)state;
	assert_int_equal(memblock_add_node(0x4000000, 0x8000, 1, MEMBLOCK_HOTPLUG), 0);
	assert_int_equal(nr_holds, 1);
	assert_int_equal(memblock_reserve(0x4006000, 0x2000), 0);
	assert_int_equal(nr_holds, 2);
	assert_int_equal(memblock_add_node(0x3fff000, 0xa000, 1, MEMBLOCK_NONE), 0); /* two holes */
	assert_int_equal(nr_holds, 3);
	assert_int_equal(memblock_set_node(0x4000000, 0x8000, &memblock.memory, 0), 0);
	assert_int_equal(nr_holds, 4);
	assert_int_equal(memblock_phys_free(0x4006000, 0x2000), 0);
	assert_int_equal(nr_holds, 5);
	assert_int_equal(memblock_remove(0x3fff000, 0xa000), 0);
	assert_int_equal(nr_holds, 6);
	assert_int_equal(memblock_remove(0x3fff000, 0xa000), 0);
	assert_int_equal(nr_holds, 6);
	assert_type(memory, 1, 32 * MIB);
	irqs_off = true; /* the caller's own hold */
	memblock_add(0x4000000, 0x1000);
	assert_true(irqs_off);
	irqs_off = false;
}

/* The array of a kernel with a slab allocator comes from that, and stays as well. */
static void the_slab_allocator_comes_first(void **state)
{
	struct memblock_region *arrays[2];

	(void)state;
	slab_up = true;
	for (unsigned int i = 0; i < 2; i++) {
		fill_up(&memblock.memory, (128ul << i) + 1, 0x4000000ul << i);
		arrays[i] = memblock.memory.regions;
	}
	assert_int_equal(nr_kmallocs, 2);
	assert_int_equal(nr_kfrees, 0);
	assert_int_equal(nr_supplies, 0);
	assert_int_equal(memblock.memory.max, 512);
	reset();
	kfree(arrays[0]);
	kfree(arrays[1]);
}

/*
 * Threads ask while memblock changes. Standing ranges are there all the time, each with a hole
 * behind it; a range below them comes and goes, so that all of them move in the array.
 */
#define STANDING    60
#define PITCH       (MIB)
#define STANDING_AT (256 * MIB)
#define COMING_AT   (128 * MIB)
#define MANY_AT     (64 * MIB) /* and the range of 4 KiB every 8 KiB from there on */
#define ROUNDS      30000
#define ASKING      2

static atomic_bool changing;
static atomic_ulong questions, wrong;

static bool range_is_known(unsigned long start, unsigned long end)
{
	phys_addr_t base = PFN_PHYS(start), size = PFN_PHYS(end) - base;

	if (base == 0x1000)
		return size == 32 * MIB;
	if (base == COMING_AT)
		return size == PITCH;
	if (base >= STANDING_AT)
		return base % PITCH == 0 && base < STANDING_AT + STANDING * PITCH &&
		       size == PITCH / 2;
	return base >= MANY_AT && base % 0x2000 == 0 && size == 0x1000;
}

static bool answers_are_right(unsigned long n)
{
	phys_addr_t base = STANDING_AT + n % STANDING * PITCH, hole = base + PITCH / 2;
	unsigned long start = 0, end = 0, ranges = 0;
	bool right = true;
	int i;

	right &= pfn_valid(PFN_DOWN(base)) && pfn_valid(PFN_DOWN(hole) - 1);
	right &= !pfn_valid(PFN_DOWN(hole)) && !pfn_valid(PFN_DOWN(base + PITCH) - 1);
	right &= memblock_is_memory(base) && memblock_is_map_memory(base);
	right &= memblock_is_region_memory(base, PITCH / 2);
	right &= memblock_is_reserved(base) && !memblock_is_reserved(base + 0x1000);
	right &= memblock_is_region_reserved(base, PITCH) &&
		 !memblock_is_region_reserved(hole, PITCH / 2);
	right &= memblock_search_pfn_nid(PFN_DOWN(base) + 1, &start, &end) == (int)(n % STANDING);
	right &= start == PFN_DOWN(base) && end == PFN_DOWN(hole);
	if (n % 16)
		return right;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, NULL) {
		right &= range_is_known(start, end);
		ranges++;
	}
	return right && ranges >= STANDING;
}

static void *ask(void *argument)
{
	for (unsigned long n = (unsigned long)(uintptr_t)argument; atomic_load(&changing); n++) {
		if (!answers_are_right(n))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&questions, 1);
	}
	return NULL;
}

static void answers_are_right_while_memblock_changes(void **state)
{
	pthread_t threads[ASKING];

	(void)state;
	for (unsigned int i = 0; i < STANDING; i++) {
		phys_addr_t base = STANDING_AT + i * PITCH;

		memblock_add_node(base, PITCH / 2, (int)i, MEMBLOCK_HOTPLUG);
		memblock_reserve(base, 0x1000);
	}
	atomic_store(&changing, true);
	for (uintptr_t i = 0; i < ASKING; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, (void *)i), 0);
	/* Wait until they ask. */
	while (!atomic_load(&questions))
		;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		memblock_add_node(COMING_AT, PITCH, 0, MEMBLOCK_HOTPLUG);
		memblock_reserve(COMING_AT, 0x1000);
		if (i == ROUNDS / 4)
			fill_up(&memblock.memory, 600, MANY_AT);
		if (i == ROUNDS / 2)
			fill_up(&memblock.reserved, 300, MANY_AT);
		memblock_phys_free(COMING_AT, 0x1000);
		memblock_remove(COMING_AT, PITCH);
	}
	atomic_store(&changing, false);
	for (unsigned int i = 0; i < ASKING; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(memblock.memory.max, 1024);
	assert_int_equal(memblock.reserved.max, 512);
	printf("# asked %lu times, %lu wrong answers\n", atomic_load(&questions),
	       atomic_load(&wrong));
	assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(memory_grows_by_what_is_supplied),
		test(reserved_grows_by_what_is_supplied),
		test(without_a_supply_nothing_changes),
		test(changes_are_made_with_interrupts_off),
		test(the_slab_allocator_comes_first),
		test(answers_are_right_while_memblock_changes),
	};
#undef test

	if (!map_arena()) {
		printf("Bail out! no address space for the arena\n");
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("memblock-late", tests, NULL, NULL);
}
