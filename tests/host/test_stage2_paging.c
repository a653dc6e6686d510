/*
 * test_stage2_paging.c: tests stage2/paging.c: follows the tables that it builds for every page of
 * the first 4 GiB and of the top 2 GiB, as a processor does, and demands that nothing else is
 * mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage2/stage2.h"

#define PRESENT    1u
#define WRITABLE   2u
#define LARGE      0x80u
#define LARGE_PAGE 0x200000ull
#define TOP        0xffffffff80000000ull
#define NOT_MAPPED UINT64_MAX

struct boot_info boot_info;
uint8_t page_tables[0x10000] __attribute__((aligned(4096)));

/* Returns the entry of a table for an address, whose index begins at bit shift. */
static uint64_t entry_of(const uint64_t *table, uint64_t address, uint32_t shift)
{
	return table[address >> shift & 511];
}

/* Returns the table that an entry leads to. It must be one of page_tables, and writable. */
static const uint64_t *table_at(uint64_t entry)
{
	uint64_t offset = (entry & ~0xfffull) - (uintptr_t)page_tables;

	assert_int_equal(entry & 0xfff, PRESENT | WRITABLE);
	assert_in_range(offset, 0x1000, sizeof(page_tables) - 0x1000);
	return (const uint64_t *)(page_tables + offset);
}

/* Returns the physical address of a page, or NOT_MAPPED. */
static uint64_t physical(uint64_t address)
{
	uint64_t entry = entry_of((const uint64_t *)page_tables, address, 39);

	for (uint32_t shift = 30; entry && shift >= 21; shift -= 9)
		entry = entry_of(table_at(entry), address, shift);
	if (entry == 0)
		return NOT_MAPPED;
	assert_int_equal(entry & 0x1fffff, PRESENT | WRITABLE | LARGE);
	return entry & ~0x1fffffull;
}

static uint32_t used_entries(const uint64_t *table)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < 512; i++)
		used += table[i] != 0;
	return used;
}

/* Builds the tables for a kernel, and demands these pages of it and the first 4 GiB. */
static void check_kernel(uint64_t virt, uint64_t phys, uint64_t size, uint32_t pages)
{
	const uint64_t *pml4 = (const uint64_t *)page_tables;

	memset(page_tables, 0xff, sizeof(page_tables));
	boot_info.kernel_virt = virt;
	boot_info.kernel_phys = phys;
	boot_info.kernel_size = size;
	paging_build();
	assert_int_equal(used_entries(pml4), 2);
	assert_int_equal(used_entries(table_at(pml4[0])), 4);
	assert_int_equal(used_entries(table_at(pml4[511])), 2);
	for (uint64_t address = 0; address < 0x100000000; address += LARGE_PAGE)
		assert_int_equal(physical(address), address);
	for (uint64_t address = TOP; address != 0; address += LARGE_PAGE)
		assert_int_equal(physical(address),
				 address >= virt && (address - virt) / LARGE_PAGE < pages
				     ? phys + (address - virt)
				     : NOT_MAPPED);
}

static void sizes_of_kernels(void **state)
{
	(void)state;
	check_kernel(TOP, 2 * LARGE_PAGE, 0x1000, 1);
	check_kernel(TOP, 2 * LARGE_PAGE, LARGE_PAGE - 0x1000, 1);
	check_kernel(TOP, 2 * LARGE_PAGE, LARGE_PAGE, 1);
	check_kernel(TOP, 2 * LARGE_PAGE, LARGE_PAGE + 1, 2);
	check_kernel(TOP, LARGE_PAGE, 32 * LARGE_PAGE, 32);
}

static void places_of_kernels(void **state)
{
	(void)state;
	check_kernel(TOP + LARGE_PAGE, LARGE_PAGE, 0x1000, 1);
	/* Over the border between the two page directories, and up to the end. */
	check_kernel(TOP + 511 * LARGE_PAGE, 7 * LARGE_PAGE, 2 * LARGE_PAGE, 2);
	check_kernel(TOP + 1023 * LARGE_PAGE, 7 * LARGE_PAGE, LARGE_PAGE, 1);
	/* Directly below 4 GiB, and beyond. */
	check_kernel(TOP, 2047 * LARGE_PAGE, LARGE_PAGE, 1);
	check_kernel(TOP, 2047 * LARGE_PAGE, 3 * LARGE_PAGE, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_of_kernels),
		cmocka_unit_test(places_of_kernels),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stage2_paging", tests, NULL, NULL);
}
