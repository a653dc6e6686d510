/*
 * test_debug.c: tests mm/debug.h's options: each misuse is committed, and must be found and named.
 *
 * page_owner records call sites as return addresses. Here every call of the allocator is made by a
 * function that does nothing else and is aligned (CALLS() below), so that the upper bits of an
 * address tell which function it is in.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/x86_64/paging.h"
#include "lib/format.h"
#include "mm/cache.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/page_state.h"
#include "tests/host/sim/expect_panic.h"
#include "tests/host/sim/sim.h"

#define MIB 0x100000ull
#define ALL (MM_PAGE_POISON | MM_PAGE_OWNER | MM_DEBUG_PAGEALLOC)

/*
 * Boots with these options. There are two ranges of RAM above 1 MiB and a hole between them, so
 * that the records of one follow those of another.
 */
static void boot(unsigned int debug)
{
	static const struct e820_entry raw[] = {
		{ 0, 0x9fc00, 1, 0, 20, 0 },
		{ MIB, 15 * MIB, 1, 0, 20, 0 },
		{ 20 * MIB, 44 * MIB, 1, 0, 20, 0 },
	};
	const struct sim_options options = {
		.dirty = true, .kernel_size = 0x60000, .seed = 5, .debug = debug
	};
	struct e820_taken kernel;
	const char *error = "";

	if (sim_boot(raw, sizeof(raw) / sizeof(raw[0]), &options, &kernel, &error))
		fail_msg("%s", error);
	assert_int_equal(mm_check(), 0);
}

/* What was printed between start_listening() and stop_listening(). */
static char said[4096];

static FILE *start_listening(void)
{
	memset(said, 0, sizeof(said));
	sim_log = fmemopen(said, sizeof(said), "w");
	assert_non_null(sim_log);
	return sim_log;
}

static void stop_listening(void)
{
	fclose(sim_log);
	sim_log = NULL;
}

/* Does EXPECT_PANIC(), and leaves what was printed on the way in said[]. */
#define EXPECT_REPORT(statement, words)         \
	do {                                    \
		start_listening();              \
		EXPECT_PANIC(statement, words); \
		stop_listening();               \
	} while (0)

/* A function that CALLS() defines and all addresses in it lie between two multiples of this. */
#define PLACE 512

/* Returns the function in which a return address lies. */
static void *function_of(uintptr_t site)
{
	return (void *)(site & ~(uintptr_t)(PLACE - 1));
}

/* Demands that a line "frame PFN: WORDS 0xADDRESS" was printed, with an address in function. */
static void expect_site(const struct page *page, const char *words, void *function)
{
	char line[64];
	const char *at;
	uintptr_t site;

	snprintf(line, sizeof(line), "frame 0x%llx: %s ", ULL(page_to_pfn(page)), words);
	at = strstr(said, line);
	if (!at)
		fail_msg("no \"%s\" in: %s", line, said);
	site = at ? strtoull(at + strlen(line), NULL, 16) : 0;
	if (function_of(site) != function)
		fail_msg("%s 0x%lx is not in the function at %p", line, site, function);
}

/*
 * Defines a function that makes one call. The call is not the last thing it does: a compiler would
 * turn a last call into a jump, which leaves no return address in this function.
 */
#define CALLS(type, name, parameters, call)                                            \
	__attribute__((noinline, noclone, aligned(PLACE))) static type name parameters \
	{                                                                              \
		type result = (call);                                                  \
		__asm__ volatile("" ::: "memory");                                     \
		return result;                                                         \
	}

CALLS(struct page *, ann, (unsigned int order), alloc_pages(GFP_KERNEL, order))
CALLS(struct page *, bob, (unsigned int order), alloc_pages(GFP_DMA | __GFP_ZERO, order))
CALLS(unsigned long, cleo, (void), get_free_pages(GFP_ATOMIC, 1))
CALLS(unsigned long, dave, (struct page * *array), alloc_pages_bulk(GFP_KERNEL, 3, array))
CALLS(int, eve, (pfn_t pfn), alloc_contig_range(pfn, pfn + 5, MIGRATE_MOVABLE, GFP_KERNEL))
CALLS(int, fred, (struct page * page, unsigned int order), (__free_pages(page, order), 0))
CALLS(int, gwen, (struct page * page), (put_page(page), 0))
CALLS(int, hugo, (unsigned long address), (free_pages(address, 1), 0))

/* A kernel's own functions, which get and free pages for many callers. Only the free is a jump. */
CALLS(struct page *, kernel_alloc, (gfp_t gfp, unsigned int order),
      alloc_pages_site(gfp, order, (uintptr_t)__builtin_return_address(0)))

__attribute__((noinline)) static void kernel_free(struct page *page)
{
	put_page(page);
}

CALLS(struct page *, iris, (unsigned int order), kernel_alloc(GFP_KERNEL, order))
CALLS(int, jack, (struct page * page), (kernel_free(page), 0))

static void off_means_nothing(void **state)
{
	struct page_owner_sum sum;
	struct page *page;

	(void)state;
	boot(0);
	assert_int_equal(mm_debug, 0);
	assert_true(cache_at(0, ZONE_DMA32, 0)->limit > 0);
	page = ann(0);
	memset(page_address(page), 0x77, PAGE_SIZE);
	fred(page, 0);
	assert_int_equal(*(const uint8_t *)page_address(page), 0x77);
	assert_int_equal(page_owner_sums(&sum, 1), 0);
	start_listening();
	page_owner_print(page_to_pfn(page), printk);
	stop_listening();
	assert_string_equal(said, "");
}

static void caches_are_out_of_the_way(void **state)
{
	(void)state;
	for (unsigned int option = 1; option <= MM_NO_CACHES; option <<= 1) {
		boot(option);
		assert_int_equal(mm_debug, option);
		fred(ann(0), 0);
		for_each_zone(z)
			assert_int_equal(cache_frames(z), 0);
	}
}

static void misuse_says_who_had_the_frame(void **state)
{
	struct page *page;

	(void)state;
	boot(MM_PAGE_OWNER);
	page = ann(4);
	EXPECT_REPORT(fred(page, 3), "allocated as order 4");
	expect_site(page, "allocated by", ann);
	EXPECT_REPORT(fred(page + 9, 0), "inside the allocation");
	expect_site(page + 9, "allocated by", ann);
	fred(page, 4);
	EXPECT_REPORT(gwen(page), "is free");
	expect_site(page, "allocated by", ann);
	expect_site(page, "freed by", fred);
	page = bob(0);
	get_page(page);
	gwen(page);
	gwen(page);
	EXPECT_REPORT(get_page(page), "not that of an allocation");
	expect_site(page, "allocated by", bob);
	expect_site(page, "freed by", gwen);
	EXPECT_REPORT(fred(pfn_to_page(0), 0), "is reserved");
	assert_non_null(strstr(said, "frame 0x0: nobody has allocated it"));
	EXPECT_REPORT(fred(pfn_to_page(17 * MIB >> PAGE_SHIFT), 0), "is absent");
	assert_string_equal(said, "");
}

static void a_kernels_function_names_its_callers(void **state)
{
	struct page *page;

	(void)state;
	boot(MM_PAGE_OWNER);
	page = iris(3);
	for (unsigned int i = 0; i < 8; i++)
		assert_ptr_equal(function_of(page_owner_site(page_to_pfn(page) + i)), iris);
	assert_true(function_of(page_owner_site(page_to_pfn(page) + 8)) != iris);
	jack(page);
	EXPECT_REPORT(jack(page), "is free");
	expect_site(page, "allocated by", iris);
	expect_site(page, "freed by", jack);
	assert_null(kernel_alloc(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	boot(0);
	page = iris(0);
	assert_non_null(page);
	assert_int_equal(page_owner_site(page_to_pfn(page)), 0);
	jack(page);
}

/* A descriptor that was overwritten looks like an allocation's, but the bits say it is free. */
static void a_forged_descriptor_changes_no_record(void **state)
{
	struct page *page;

	(void)state;
	boot(ALL);
	page = ann(0);
	fred(page, 0);
	page->state = state_allocated(ZONE_DMA32, 0);
	EXPECT_REPORT(gwen(page), "is free");
	expect_site(page, "freed by", fred);
}

/* A record names the last owner; the one before is forgotten. */
static void the_last_owner_counts(void **state)
{
	struct page *page;

	(void)state;
	boot(MM_PAGE_OWNER);
	page = ann(0);
	hugo(cleo());
	fred(page, 0);
	assert_ptr_equal(ann(0), page);
	EXPECT_REPORT(fred(page, 1), "allocated as order 0");
	expect_site(page, "allocated by", ann);
	assert_null(strstr(said, "freed by"));
	assert_non_null(strstr(said, "order 0, gfp 0x0, allocation 3\n"));
}

static const struct page_owner_sum *sum_by(const struct page_owner_sum *sums, unsigned int nr,
					   void *function)
{
	for (unsigned int i = 0; i < nr; i++)
		if (function_of(sums[i].site) == function)
			return &sums[i];
	fail_msg("no call site lies in the function at %p", function);
	return NULL;
}

static void leaks_are_counted_by_site(void **state)
{
	struct page *array[3] = { NULL }, *split;
	struct page_owner_sum sums[8];
	const struct page_owner_sum *sum;
	unsigned int nr;

	(void)state;
	boot(MM_PAGE_OWNER);
	assert_int_equal(page_owner_sums(sums, 8), 0);
	for (unsigned int i = 0; i < 10; i++)
		ann(0);
	fred(ann(3), 3);
	ann(10);
	bob(7);
	hugo(cleo());
	cleo();
	dave(array);
	fred(array[1], 0);
	assert_int_equal(eve(40 * MIB >> PAGE_SHIFT), 0);
	split = bob(3);
	split_page(split, 3);
	fred(split + 5, 0);
	nr = page_owner_sums(sums, 8);
	assert_int_equal(nr, 5);
	for (unsigned int i = 1; i < nr; i++)
		assert_true(sums[i - 1].frames >= sums[i].frames);
	sum = sum_by(sums, nr, ann);
	assert_int_equal(sum->allocations, 11);
	assert_int_equal(sum->frames, 10 + 1024);
	sum = sum_by(sums, nr, bob);
	assert_int_equal(sum->allocations, 1 + 7);
	assert_int_equal(sum->frames, 128 + 7);
	sum = sum_by(sums, nr, cleo);
	assert_int_equal(sum->allocations, 1);
	assert_int_equal(sum->frames, 2);
	assert_int_equal(sum_by(sums, nr, dave)->frames, 2);
	assert_int_equal(sum_by(sums, nr, eve)->frames, 5);
}

static void sites_beyond_the_table_are_one_entry(void **state)
{
	struct page_owner_sum sums[2];

	(void)state;
	boot(MM_PAGE_OWNER);
	bob(0);
	cleo();
	ann(3);
	ann(3);
	eve(40 * MIB >> PAGE_SHIFT);
	assert_int_equal(page_owner_sums(sums, 2), 2);
	assert_int_equal(sums[0].frames + sums[1].frames, 1 + 2 + 16 + 5);
	assert_int_equal(sums[0].allocations + sums[1].allocations, 1 + 1 + 2 + 5);
	assert_true(sums[0].site != 0);
	assert_int_equal(sums[1].site, 0);
}

static void the_largest_site_comes_first(void **state)
{
	struct page_owner_sum sums[4];

	(void)state;
	boot(MM_PAGE_OWNER);
	cleo();
	eve(40 * MIB >> PAGE_SHIFT);
	assert_int_equal(page_owner_sums(sums, 4), 2);
	assert_int_equal(sums[0].frames, 5);
	assert_int_equal(sums[1].frames, 2);
	ann(3);
	assert_int_equal(page_owner_sums(sums, 4), 3);
	assert_int_equal(sums[0].frames, 8);
	assert_int_equal(sums[1].frames, 5);
	assert_int_equal(sums[2].frames, 2);
}

static const char *owner_of(phys_addr_t phys)
{
	start_listening();
	page_owner_print(PHYS_PFN(phys), printk);
	stop_listening();
	return said;
}

static void frames_that_nobody_had_have_no_owner(void **state)
{
	(void)state;
	boot(MM_PAGE_OWNER);
	assert_string_equal(owner_of(50 * MIB), "frame 0x3200: nobody has allocated it\n");
	assert_string_equal(owner_of(17 * MIB), ""); /* between two ranges of RAM */
	assert_string_equal(owner_of(64 * MIB), "");
}

static void a_write_after_free_is_found(void **state)
{
	struct page *page;
	uint8_t *bytes;

	(void)state;
	boot(MM_PAGE_POISON | MM_PAGE_OWNER);
	page = ann(3);
	bytes = page_address(page + 5);
	bytes[0x123] = 0x11;
	fred(page, 3);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(bytes[i], 0xaa);
	bytes[0x123] = 0x11;
	bytes[0x125] = 0x22;
	EXPECT_REPORT(ann(3), "was written while it was free, bytes 0x123 to 0x125");
	expect_site(page + 5, "allocated by", ann);
	expect_site(page + 5, "freed by", fred);
	assert_non_null(strstr(said, "from byte 0x123 on: 11 aa 22 aa "));
}

/* The message names the frame even when no owners are recorded. */
static void the_last_byte_is_looked_at(void **state)
{
	struct page *page;
	char words[64];

	(void)state;
	boot(MM_PAGE_POISON);
	page = bob(0);
	fred(page, 0);
	((uint8_t *)page_address(page))[PAGE_SIZE - 1] ^= 1;
	snprintf(words, sizeof(words), "frame 0x%llx was written", ULL(page_to_pfn(page)));
	EXPECT_REPORT(bob(0), words);
	assert_non_null(strstr(said, "from byte 0xfff on: ab\n"));
}

static void expect_bytes_named(unsigned int first, unsigned int last)
{
	struct page *page;
	uint8_t *bytes;
	char words[64];

	boot(MM_PAGE_POISON);
	page = ann(0);
	bytes = page_address(page);
	fred(page, 0);
	bytes[first] = 0;
	bytes[last] = 0;
	snprintf(words, sizeof(words), "free, bytes 0x%x to 0x%x", first, last);
	EXPECT_REPORT(ann(0), words);
}

/* The report names the first and the last byte that differ, wherever in a word they are. */
static void the_written_bytes_are_named(void **state)
{
	(void)state;
	expect_bytes_named(0, 0);
	expect_bytes_named(1, 1);
	expect_bytes_named(0x10, 0x12);
	expect_bytes_named(0x123, 0x124);
	expect_bytes_named(0x124, 0x131);
	expect_bytes_named(0, 0xffe);
	expect_bytes_named(0xffe, 0xffe);
	expect_bytes_named(0xff7, 0xfff);
}

/* RAM held garbage before the boot, and an owner may leave anything in a frame. */
static void what_was_never_freed_is_not_looked_at(void **state)
{
	struct page *page;

	(void)state;
	boot(MM_PAGE_POISON);
	page = bob(2);
	memset(page_address(page), 0x55, PAGE_SIZE << 2);
	fred(page, 2);
	assert_ptr_equal(bob(2), page);
	for (unsigned int i = 0; i < PAGE_SIZE << 2; i++)
		assert_int_equal(((const uint8_t *)page_address(page))[i], 0);
}

static sigjmp_buf fault_jump;
static void *volatile fault_address;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	fault_address = info->si_addr;
	siglongjmp(fault_jump, 1);
}

/* Returns whether reading the byte faults; the fault must then be at this address. */
static bool faults(const volatile uint8_t *byte)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old;
	volatile bool faulted = true;

	sigaction(SIGSEGV, &action, &old);
	if (!sigsetjmp(fault_jump, 1)) {
		(void)*byte;
		faulted = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	if (faulted)
		assert_ptr_equal(fault_address, byte);
	return faulted;
}

static void a_free_frame_is_not_mapped(void **state)
{
	struct paging_leaf leaf;
	struct page *page;
	pfn_t start = 0, end;
	uint8_t *bytes;

	(void)state;
	boot(MM_DEBUG_PAGEALLOC);
	for (; next_free_range(&start, &end); start = end)
		assert_true(faults(phys_to_virt(PFN_PHYS(start))) &&
			    faults(phys_to_virt(PFN_PHYS(end) - 1)));
	page = ann(1);
	bytes = page_address(page);
	memset(bytes, 0x42, PAGE_SIZE << 1);
	assert_true(paging_walk((uintptr_t)bytes, &leaf));
	assert_int_equal(leaf.phys, page_to_phys(page));
	fred(page, 1);
	assert_true(faults(bytes));
	assert_true(faults(bytes + 2 * PAGE_SIZE - 1));
	assert_false(paging_walk((uintptr_t)bytes, &leaf));
	assert_ptr_equal(ann(0), page);
	assert_false(faults(bytes + PAGE_SIZE - 1));
	assert_true(faults(bytes + PAGE_SIZE));
	assert_int_equal(bytes[7], 0x42);
	assert_int_equal(mm_check(), 0);
}

static void a_large_page_loses_no_frame(void **state)
{
	(void)state;
	boot(0);
	EXPECT_REPORT(port_unmap_frames(40 * MIB >> PAGE_SHIFT, 1), "no page of its own");
}

/*
 * Returns a random number less than limit, from a linear congruential generator with Knuth's MMIX
 * constants: the same seed gives the same run.
 */
static uint32_t below(uint32_t limit)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % limit);
}

/* Owners that write to all of their frames and to nothing else are not reported. */
static void all_options_at_once(void **state)
{
	struct {
		struct page *page;
		unsigned int order;
	} owned[64] = { { NULL, 0 } };

	(void)state;
	boot(ALL);
	for (unsigned int round = 0; round < 3000; round++) {
		unsigned int i = below(64);

		if (owned[i].page) {
			fred(owned[i].page, owned[i].order);
			owned[i].page = NULL;
			continue;
		}
		owned[i].order = below(8) ? below(5) : 9;
		owned[i].page = below(2) ? ann(owned[i].order) : bob(owned[i].order);
		if (owned[i].page)
			memset(page_address(owned[i].page), (int)below(256),
			       PAGE_SIZE << owned[i].order);
	}
	assert_int_equal(mm_check(), 0);
}

static void no_room_for_records_is_said(void **state)
{
	(void)state;
	boot(0);
	memblock_reserve(0, 64 * MIB);
	start_listening();
	mm_debug_init(ALL);
	stop_listening();
	assert_int_equal(mm_debug, MM_DEBUG_PAGEALLOC);
	assert_non_null(strstr(said, "no room for the records"));
	mm_debug_init(0);
}

/*
 * Added ranges: the first lies between two ranges of the boot and touches both, the second touches
 * the end of RAM. Their frames must have records, and those of the boot keep theirs.
 */
#define FIRST       (16 * MIB)
#define FIRST_SIZE  (4 * MIB)
#define SECOND      (64 * MIB)
#define SECOND_SIZE (8 * MIB)

static void boot_and_add(unsigned int debug)
{
	boot(debug);
	assert_int_equal(memory_hotplug_init(), 0);
	assert_int_equal(add_memory(0, FIRST, FIRST_SIZE), 0);
	assert_int_equal(add_memory(0, SECOND, SECOND_SIZE), 0);
	assert_int_equal(mm_check(), 0);
}

static void added_frames_have_records(void **state)
{
	struct page_owner_sum sums[4];
	struct page *page;
	unsigned int nr;

	(void)state;
	boot(MM_PAGE_OWNER);
	assert_int_equal(memory_hotplug_init(), 0);
	nr = page_owner_sums(sums, 4); /* the reserve's own allocations */
	page = bob(0);
	assert_ptr_equal(function_of(page_owner_site(page_to_pfn(page))), bob);
	assert_int_equal(page_owner_site(FIRST >> PAGE_SHIFT), 0);
	assert_int_equal(add_memory(0, FIRST, FIRST_SIZE), 0);
	assert_int_equal(add_memory(0, SECOND, SECOND_SIZE), 0);
	assert_ptr_equal(function_of(page_owner_site(page_to_pfn(page))), bob);
	assert_string_equal(owner_of(FIRST), "frame 0x1000: nobody has allocated it\n");
	assert_int_equal(eve(FIRST >> PAGE_SHIFT), 0);
	assert_int_equal(eve((SECOND >> PAGE_SHIFT) + 7), 0);
	owner_of(SECOND + 7 * PAGE_SIZE);
	expect_site(pfn_to_page((SECOND >> PAGE_SHIFT) + 7), "allocated by", eve);
	assert_ptr_equal(function_of(page_owner_site((FIRST >> PAGE_SHIFT) + 4)), eve);
	assert_int_equal(page_owner_site((FIRST >> PAGE_SHIFT) + 5), 0);
	assert_int_equal(page_owner_site((FIRST >> PAGE_SHIFT) - 1), 0);
	assert_int_equal(page_owner_sums(sums, 4), nr + 2);
	assert_int_equal(sum_by(sums, nr + 2, eve)->frames, 10);
	assert_int_equal(mm_check(), 0);
}

/* A range leaves; another comes, and uses its entry. The other records stay where they are. */
static void records_leave_with_their_range(void **state)
{
	const pfn_t first = FIRST >> PAGE_SHIFT, second = SECOND >> PAGE_SHIFT;
	struct page *page;

	(void)state;
	boot_and_add(MM_PAGE_OWNER | MM_PAGE_POISON);
	page = bob(0);
	for (unsigned int round = 0; round < 2 * HOTPLUG_RANGES; round++) {
		assert_int_equal(eve(first), 0);
		assert_int_equal(eve(second), 0);
		for (unsigned int i = 0; i < 5; i++)
			fred(pfn_to_page((round % 2 ? first : second) + i), 0);
		if (round % 2)
			assert_int_equal(offline_and_remove_memory(FIRST, FIRST_SIZE), 0);
		else
			assert_int_equal(offline_and_remove_memory(SECOND, SECOND_SIZE), 0);
		assert_int_equal(page_owner_site(round % 2 ? first : second), 0);
		assert_string_equal(owner_of(PFN_PHYS(round % 2 ? first : second)), "");
		assert_ptr_equal(function_of(page_owner_site(round % 2 ? second : first)), eve);
		assert_ptr_equal(function_of(page_owner_site(page_to_pfn(page))), bob);
		if (round % 2)
			assert_int_equal(add_memory(0, FIRST, FIRST_SIZE), 0);
		else
			assert_int_equal(add_memory(0, SECOND, SECOND_SIZE), 0);
		/* The records are new, and so is the poison that they tell of. */
		assert_int_equal(page_owner_site(round % 2 ? first : second), 0);
		for (unsigned int i = 0; i < 5; i++)
			fred(pfn_to_page((round % 2 ? second : first) + i), 0);
	}
	assert_int_equal(mm_check(), 0);
}

/* The records of lost memory are lost with it: nothing of them is read. */
static void records_of_lost_memory_are_not_read(void **state)
{
	struct page *page;

	(void)state;
	boot_and_add(MM_PAGE_OWNER | MM_PAGE_POISON);
	page = bob(0);
	assert_int_equal(mprotect((void *)phys_to_virt(FIRST), FIRST_SIZE, PROT_NONE), 0);
	assert_ptr_equal(function_of(page_owner_site(page_to_pfn(page))), bob);
	assert_int_equal(eve(SECOND >> PAGE_SHIFT), 0);
	mm_debug_remove(FIRST >> PAGE_SHIFT, (FIRST + FIRST_SIZE) >> PAGE_SHIFT);
	assert_int_equal(page_owner_site(FIRST >> PAGE_SHIFT), 0);
	assert_ptr_equal(function_of(page_owner_site(SECOND >> PAGE_SHIFT)), eve);
}

/* An allocation may have frames of two ranges, whose records are not side by side. */
static void an_allocation_crosses_from_range_to_range(void **state)
{
	const pfn_t border[] = { FIRST >> PAGE_SHIFT, (FIRST + FIRST_SIZE) >> PAGE_SHIFT,
				 SECOND >> PAGE_SHIFT };

	(void)state;
	boot_and_add(MM_PAGE_OWNER);
	for (unsigned int i = 0; i < 3; i++) {
		mm_debug_alloc(border[i] - 2, 4, 2, GFP_KERNEL, 0x1000 + i);
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(page_owner_site(border[i] - 2 + k), 0x1000 + i);
		assert_int_not_equal(page_owner_site(border[i] - 3), 0x1000 + i);
		assert_int_not_equal(page_owner_site(border[i] + 2), 0x1000 + i);
	}
}

static void a_write_after_free_is_found_in_added_memory(void **state)
{
	const pfn_t pfn = SECOND >> PAGE_SHIFT;
	uint8_t *bytes;

	(void)state;
	boot_and_add(MM_PAGE_POISON | MM_PAGE_OWNER);
	bytes = page_address(pfn_to_page(pfn));
	bytes[0] = 0x11; /* nobody had it, so it has no poison yet */
	assert_int_equal(eve(pfn), 0);
	for (unsigned int i = 0; i < 5; i++)
		fred(pfn_to_page(pfn + i), 0);
	assert_int_equal(bytes[0], 0xaa);
	bytes[4 * PAGE_SIZE + 0x123] = 0x11;
	EXPECT_REPORT(eve(pfn), "was written while it was free, bytes 0x123 to 0x123");
	expect_site(pfn_to_page(pfn + 4), "freed by", fred);
}

static void a_free_added_frame_is_not_mapped(void **state)
{
	const pfn_t pfn = SECOND >> PAGE_SHIFT;
	const uint8_t *bytes = phys_to_virt(SECOND);
	pfn_t start = 0, end;

	(void)state;
	boot_and_add(MM_DEBUG_PAGEALLOC);
	for (; next_free_range(&start, &end); start = end)
		assert_true(faults(phys_to_virt(PFN_PHYS(start))) &&
			    faults(phys_to_virt(PFN_PHYS(end) - 1)));
	assert_true(faults(bytes));
	assert_int_equal(eve(pfn), 0);
	assert_false(faults(bytes));
	assert_false(faults(bytes + 5 * PAGE_SIZE - 1));
	assert_true(faults(bytes + 5 * PAGE_SIZE));
	for (unsigned int i = 0; i < 5; i++)
		fred(pfn_to_page(pfn + i), 0);
	assert_true(faults(bytes));
	assert_int_equal(offline_and_remove_memory(SECOND, SECOND_SIZE), 0);
	assert_int_equal(mm_check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_means_nothing),
		cmocka_unit_test(caches_are_out_of_the_way),
		cmocka_unit_test(misuse_says_who_had_the_frame),
		cmocka_unit_test(a_kernels_function_names_its_callers),
		cmocka_unit_test(a_forged_descriptor_changes_no_record),
		cmocka_unit_test(the_last_owner_counts),
		cmocka_unit_test(leaks_are_counted_by_site),
		cmocka_unit_test(sites_beyond_the_table_are_one_entry),
		cmocka_unit_test(the_largest_site_comes_first),
		cmocka_unit_test(frames_that_nobody_had_have_no_owner),
		cmocka_unit_test(a_write_after_free_is_found),
		cmocka_unit_test(the_last_byte_is_looked_at),
		cmocka_unit_test(the_written_bytes_are_named),
		cmocka_unit_test(what_was_never_freed_is_not_looked_at),
		cmocka_unit_test(a_free_frame_is_not_mapped),
		cmocka_unit_test(a_large_page_loses_no_frame),
		cmocka_unit_test(all_options_at_once),
		cmocka_unit_test(no_room_for_records_is_said),
		cmocka_unit_test(added_frames_have_records),
		cmocka_unit_test(records_leave_with_their_range),
		cmocka_unit_test(an_allocation_crosses_from_range_to_range),
		cmocka_unit_test(a_write_after_free_is_found_in_added_memory),
		cmocka_unit_test(a_free_added_frame_is_not_mapped),
		cmocka_unit_test(records_of_lost_memory_are_not_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
