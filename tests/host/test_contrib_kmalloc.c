/*
 * test_contrib_kmalloc.c: tests contrib/kmalloc.c: random requests on one CPU and on several, whose
 * content is checked when they are freed; what becomes of the pages; and that misuse panics.
 *
 * One machine is booted for all tests, since kmalloc.c keeps pages for the next request. RAM and
 * descriptors hold garbage first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contrib/kmalloc.h"
#include "mm/check.h"
#include "mm/debug.h"
#include "mm/zone.h"
#include "tests/host/sim/pieces.h"
#include "tests/host/sim/sim.h"

#define MIN_SIZE 32u
#define SIZES    7 /* powers of two that share pages: 32 to 2048 bytes */

/* What contrib/kmalloc.c calls kmalloc() and so on: host.mk renames them. */
void *contrib_kmalloc(size_t size, unsigned int gfp);
void contrib_kfree(const void *ptr);
bool contrib_slab_is_available(void);

/* Returns the words with which the function panics, which it does in a process of its own: a panic
   leaves the lock as it is. */
static const char *panic_of(void (*function)(void))
{
	static char words[sizeof(sim_panic_text)];
	int ends[2], status;
	jmp_buf jump;

	assert_int_equal(pipe(ends), 0);
	if (!fork()) {
		sim_panic_jump = &jump;
		if (!setjmp(jump))
			function();
		else if (write(ends[1], sim_panic_text, sizeof(words)) != sizeof(words))
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	memset(words, 0, sizeof(words));
	assert_true(read(ends[0], words, sizeof(words)) >= 0);
	close(ends[0]);
	assert_true(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status));
	return words;
}
#define ASSERT_PANICS(function, wanted) assert_non_null(strstr(panic_of(function), wanted))

/* Returns how many pages are free, in the frame caches or not. */
static uint64_t free_pages_now(void)
{
	drain_all_pages();
	return nr_free_pages();
}

static void request_one(void)
{
	contrib_kmalloc(1, GFP_KERNEL);
}

static uintptr_t owner_of(void *at)
{
	return page_owner_site(page_to_pfn(virt_to_page(at)));
}

/*
 * Each call of kmalloc() that gets pages has a record of its own, with its return address. This
 * always ends in a panic, whose words are the result: panic_of() gives it a process and so a
 * machine of its own.
 */
static void compare_owners(void)
{
	struct sim_options options = warm;
	void *at[4];

	options.debug = MM_PAGE_OWNER;
	if (boot_pieces(plain_128m, 2, &options))
		panic("it does not boot");
	kmalloc_init();
	at[0] = contrib_kmalloc(64, GFP_KERNEL);
	at[1] = contrib_kmalloc(1024, GFP_KERNEL);
	at[2] = contrib_kmalloc(PAGE_SIZE, GFP_KERNEL);
	at[3] = contrib_kmalloc(2 * PAGE_SIZE, GFP_KERNEL);
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int other = 0; other < i; other++)
			if (owner_of(at[i]) == owner_of(at[other]))
				panic("requests %u and %u have one owner", i, other);
	panic("the owners are those that asked");
}

static void page_owner_names_the_callers(void **state)
{
	(void)state;
	assert_string_equal(panic_of(compare_owners), "the owners are those that asked");
}

static int boot_machine(void **state)
{
	(void)state;
	return boot_pieces(plain_128m, 2, &warm) ? -1 : 0;
}

static void it_begins_when_told(void **state)
{
	(void)state;
	assert_false(contrib_slab_is_available());
	ASSERT_PANICS(request_one, "before kmalloc_init()");
	kmalloc_init();
	assert_true(contrib_slab_is_available());
	contrib_kfree(NULL);
}

/* The requests of one CPU that are not freed yet. Each holds bytes of its own value. */
struct work {
	pthread_t thread;
	unsigned int cpu, seed, errors;
	struct {
		uint8_t *at;
		size_t size;
		uint8_t value;
	} held[300];
};

static size_t rounded(size_t size)
{
	size_t whole = MIN_SIZE;

	while (whole < size)
		whole *= 2;
	return whole;
}

static unsigned int random_of(struct work *w)
{
	return (unsigned int)rand_r(&w->seed);
}

static void release(struct work *w, unsigned int i)
{
	for (size_t at = 0; at < w->held[i].size; at++)
		w->errors += w->held[i].at[at] != w->held[i].value;
	contrib_kfree(w->held[i].at);
	w->held[i].at = NULL;
}

/* Asks for a random size, and writes to all that the request is rounded up to. */
static void request(struct work *w, unsigned int i)
{
	size_t size = random_of(w) % (1u << (random_of(w) % 15 + 1));
	bool zero = random_of(w) % 2;
	uint8_t *at = contrib_kmalloc(size, zero ? __GFP_ZERO : GFP_KERNEL);

	w->held[i].at = at;
	if (!at) {
		w->errors++;
		return;
	}
	w->held[i].size = rounded(size);
	w->held[i].value = (uint8_t)random_of(w);
	w->errors += (uintptr_t)at % w->held[i].size != 0;
	for (size_t byte = 0; zero && byte < w->held[i].size; byte++)
		w->errors += at[byte] != 0;
	memset(at, w->held[i].value, w->held[i].size);
}

static void *work(void *argument)
{
	struct work *w = argument;
	const unsigned int nr = sizeof(w->held) / sizeof(w->held[0]);

	sim_cpu_begin(w->cpu);
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = random_of(w) % nr;

		if (w->held[i].at)
			release(w, i);
		else
			request(w, i);
	}
	for (unsigned int i = 0; i < nr; i++)
		if (w->held[i].at)
			release(w, i);
	sim_cpu_end();
	return NULL;
}

/* Afterwards at most a page of each size is kept, and the allocator's invariants hold. */
static void check_end(uint64_t free_before)
{
	uint64_t now = free_pages_now();

	assert_true(now <= free_before + SIZES && now + SIZES >= free_before);
	assert_int_equal(mm_check(), 0);
}

static void requests_do_not_overlap(void **state)
{
	static struct work w = { .seed = 19 };
	uint64_t before = free_pages_now();

	(void)state;
	work(&w);
	assert_int_equal(w.errors, 0);
	check_end(before);
}

static void cpus_share_it(void **state)
{
	enum { CPUS = 4 };
	static struct work all[CPUS];
	uint64_t before = free_pages_now();

	(void)state;
	sim_nr_cpus = CPUS;
	for (unsigned int i = 0; i < CPUS; i++) {
		all[i].cpu = i;
		all[i].seed = i + 1;
		assert_int_equal(pthread_create(&all[i].thread, NULL, work, &all[i]), 0);
	}
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(all[i].thread, NULL);
	for (unsigned int i = 0; i < CPUS; i++)
		assert_int_equal(all[i].errors, 0);
	sim_nr_cpus = 1;
	check_end(before);
}

/*
 * Objects of each size fill their pages before another page is taken, and as many pages come back:
 * all but one when the last object of each is freed.
 */
static void pages_are_full_and_come_back(void **state)
{
	enum { PAGES = 8 };
	static void *objects[PAGES * PAGE_SIZE / MIN_SIZE];

	(void)state;
	for (size_t size = MIN_SIZE; size < PAGE_SIZE; size *= 2) {
		unsigned int nr = PAGES * (unsigned int)(PAGE_SIZE / size);
		uint64_t before;

		/* One page of this size is there, or none: now there is one, and it is free. */
		contrib_kfree(contrib_kmalloc(size, GFP_KERNEL));
		before = free_pages_now();
		for (unsigned int i = 0; i < nr; i++)
			objects[i] = contrib_kmalloc(size, GFP_KERNEL);
		assert_int_equal(free_pages_now(), before - (PAGES - 1));
		for (unsigned int i = 0; i < nr; i++)
			contrib_kfree(objects[i * 7 % nr]);
		assert_int_equal(free_pages_now(), before);
	}
}

/* A page goes back as soon as it is free as a whole, wherever in the list of its size it is. */
static void one_free_page_is_kept(void **state)
{
	uint64_t before;
	void *a[2], *b[2];

	(void)state;
	contrib_kfree(contrib_kmalloc(2048, GFP_KERNEL));
	before = free_pages_now();
	for (unsigned int last = 0; last < 2; last++) {
		a[0] = contrib_kmalloc(2048, GFP_KERNEL);
		a[1] = contrib_kmalloc(2048, GFP_KERNEL);
		b[0] = contrib_kmalloc(2048, GFP_KERNEL);
		b[1] = contrib_kmalloc(2048, GFP_KERNEL);
		assert_ptr_equal(virt_to_page(a[0]), virt_to_page(a[1]));
		assert_ptr_equal(virt_to_page(b[0]), virt_to_page(b[1]));
		contrib_kfree(a[0]);
		contrib_kfree(b[0]);
		assert_int_equal(free_pages_now(), before - 1);
		contrib_kfree(last ? b[1] : a[1]);
		assert_int_equal(free_pages_now(), before);
		contrib_kfree(last ? a[1] : b[1]);
		assert_int_equal(free_pages_now(), before);
	}
}

/* Requests that name a zone get a page from it, even when there is a free object elsewhere. */
static void zones_are_heeded(void **state)
{
	static const gfp_t gfps[] = { GFP_DMA, GFP_DMA32, __GFP_THISNODE };
	uint64_t before = free_pages_now();
	struct page *page;
	void *at[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		at[i] = contrib_kmalloc(100, gfps[i] | __GFP_ZERO);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % PAGE_SIZE, 0);
		for (unsigned int byte = 0; byte < 128; byte++)
			assert_int_equal(((uint8_t *)at[i])[byte], 0);
		page = virt_to_page(at[i]);
		assert_int_equal(page_order(page), 0);
		assert_true(i || page_to_phys(page) < 16 * MIB);
	}
	assert_int_equal(free_pages_now(), before - 3);
	for (unsigned int i = 0; i < 3; i++)
		contrib_kfree(at[i]);
	assert_int_equal(free_pages_now(), before);
}

/* Requests of any size are served until memory ends, then refused; nothing is lost. */
static void want_is_told(void **state)
{
	static const size_t sizes[] = { 2048, PAGE_SIZE, 1 * MIB, 16 * MIB };
	uint64_t before = free_pages_now();

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		void **list = NULL, **next;
		uint64_t nr = 0;

		while ((next = contrib_kmalloc(sizes[i], i ? GFP_KERNEL : __GFP_ZERO)) != NULL) {
			*next = list;
			list = next;
			nr++;
		}
		assert_true(nr * sizes[i] > before * PAGE_SIZE / 2);
		for (; list; list = next) {
			next = *list;
			contrib_kfree(list);
		}
		check_end(before);
	}
	assert_null(contrib_kmalloc(SIZE_MAX, GFP_KERNEL));
	assert_null(contrib_kmalloc(SIZE_MAX / 2 + 2, GFP_KERNEL));
	assert_null(contrib_kmalloc(2 * GIB, GFP_KERNEL));
}

static void *object;

static void free_its_inside(void)
{
	contrib_kfree((char *)object + 8);
}

static void free_it_twice(void)
{
	contrib_kfree(object);
	contrib_kfree(object);
}

/* It is the only object of its page, which no longer has one in use then. */
static void free_the_only_one_twice(void)
{
	object = contrib_kmalloc(1024, GFP_KERNEL);
	free_it_twice();
}

static void free_page_s_inside(void)
{
	contrib_kfree((char *)object + PAGE_SIZE);
}

static void misuse_panics(void **state)
{
	static const char wanted[] = "is not the address of an object";
	/* What else the word of such a frame may hold. */
	static const unsigned long words[] = { 0, 77, 6 | 1 << 16, ~0ul };
	void *other = contrib_kmalloc(64, GFP_KERNEL);

	(void)state;
	object = contrib_kmalloc(64, GFP_KERNEL);
	ASSERT_PANICS(free_its_inside, wanted);
	ASSERT_PANICS(free_it_twice, "is_free(first, object)");
	contrib_kfree(object);
	contrib_kfree(other);
	object = contrib_kmalloc(4 * PAGE_SIZE, GFP_KERNEL);
	ASSERT_PANICS(free_its_inside, wanted);
	ASSERT_PANICS(free_it_twice, wanted);
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		set_page_private(virt_to_page((char *)object + PAGE_SIZE), words[i]);
		ASSERT_PANICS(free_page_s_inside, wanted);
	}
	contrib_kfree(object);
	ASSERT_PANICS(free_the_only_one_twice, wanted);
	/* A page of somebody else's, whose word is the last owner's. */
	object = contrib_kmalloc(PAGE_SIZE, GFP_KERNEL);
	contrib_kfree(object);
	assert_ptr_equal(page_address(alloc_page(GFP_KERNEL)), object);
	ASSERT_PANICS(free_it_twice, wanted);
	__free_page(virt_to_page(object));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_owner_names_the_callers),
		cmocka_unit_test(it_begins_when_told),
		cmocka_unit_test(requests_do_not_overlap),
		cmocka_unit_test(cpus_share_it),
		cmocka_unit_test(pages_are_full_and_come_back),
		cmocka_unit_test(one_free_page_is_kept),
		cmocka_unit_test(zones_are_heeded),
		cmocka_unit_test(want_is_told),
		cmocka_unit_test(misuse_panics),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_kmalloc", tests, boot_machine, NULL);
}
