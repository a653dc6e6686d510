/*
 * test_page_work.c: the page's allocator at work. After work() the simulated machine is as the
 * session has left it, so what was printed is compared with mm/'s own answers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mm/cache.h"
#include "mm/check.h"
#include "mm/page_state.h"
#include "mm/shelf.h"
#include "tests/host/sim/sim.h"
#include "tools/page/work.h"

#define KERNEL_SIZE (1ull << 20)

static struct mapfile map;
static char *printed; /* to stdout, or stderr, by the last session */
static size_t printed_size;

static void use_map(const char *name)
{
	assert_true(mapfile_read(&map, name));
}

/* Runs a session with one of the two streams in printed. Returns its status. */
static int session_to(FILE **stream, const char *steps, const char *at)
{
	FILE *before = *stream, *memory;
	int status;

	free(printed);
	printed = NULL;
	memory = open_memstream(&printed, &printed_size);
	assert_non_null(memory);
	*stream = memory;
	status = work(steps, at, &map, KERNEL_SIZE);
	fclose(memory);
	*stream = before;
	return status;
}

/* Runs a session that must succeed, and mm_check(). */
static void session(const char *steps, const char *at)
{
	if (session_to(&stdout, steps, at))
		fail_msg("%s failed", steps);
	if (mm_check())
		fail_msg("%s: an invariant is broken", steps);
}

/* Returns what follows a key in the object, or array, that begins with another key. */
static const char *after(const char *begin, const char *key)
{
	const char *at = strstr(printed, begin);

	assert_non_null(at);
	at = strstr(at, key);
	assert_non_null(at);
	return at + strlen(key);
}

/* Returns the number that follows a key. */
static uint64_t number(const char *begin, const char *key)
{
	return strtoull(after(begin, key), NULL, 10);
}

/* Returns whether the story has these words. */
static bool told(const char *words)
{
	const char *at = strstr(strstr(printed, "\"story\":["), words);

	return at && at < strstr(printed, "\"at\":");
}

static void test_every_form(void **unused)
{
	static const struct {
		const char *steps, *result;
	} cases[] = {
		{ "", "\"did\":\"none\",\"count\":0,\"failed\":0,\"pfn\":null" },
		{ "a0", "\"did\":\"alloc\",\"count\":1,\"failed\":0" },
		{ "a18", "\"did\":\"alloc\",\"count\":0,\"failed\":1,\"pfn\":null" },
		{ "a3.1*7", "\"did\":\"alloc\",\"count\":7,\"failed\":0" },
		{ "a0n0", "\"did\":\"alloc\",\"count\":1" },
		{ "a0.1n0hD*2", "\"did\":\"alloc\",\"count\":2" },
		{ "a0hd", "\"did\":\"alloc\",\"count\":1" },
		{ "a0*all", "\"did\":\"alloc\"" },
		{ "a0*5_f2", "\"did\":\"free\",\"count\":1" },
		{ "a0*5_f2.1*9", "\"did\":\"free\",\"count\":4" },
		{ "a0*5_f2_f1*3", "\"did\":\"free\",\"count\":3" },
		{ "a0*5_l.1", "\"did\":\"free\",\"count\":1" },
		{ "a0*5_l*2", "\"did\":\"free\",\"count\":2" },
		{ "a0*5_l*all_l*all", "\"did\":\"free\",\"count\":0" },
		{ "r7", "\"did\":\"random\",\"count\":" },
		{ "r7.1*50", "\"did\":\"random\",\"count\":" },
		{ "a0_d", "\"did\":\"drain\",\"count\":1" },
	};

	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		session(cases[i].steps, NULL);
		if (!strstr(printed, cases[i].result))
			fail_msg("%s: not %s", cases[i].steps, cases[i].result);
	}
	session("a0*5_f2_f1*3", NULL);
	assert_non_null(strstr(printed, "\"held\":1,\"allocations\":[\n{\"number\":5,"));
}

static void test_malformed(void **unused)
{
	static const struct {
		const char *steps, *words;
	} cases[] = {
		{ "a19", "step 1, `a19`: expected an order from 0 to 18" },
		{ "a0_b", "step 2, `b`: expected `a`, `f`, `l`, `r` or `d`" },
		{ "a0_", "step 2, ``: expected" },
		{ "a0__d", "step 2, ``: expected" },
		{ "a0.2", "step 1, `a0.2`: expected a CPU, 0 or 1" },
		{ "a0n64", "the number of a NUMA node" },
		{ "a0*0", "a number from 1 to 1000000" },
		{ "a0*1000001", "a number from 1 to 1000000" },
		{ "a0*al", "or `all`, after `*`" },
		{ "a0dD", "expected `_` or the end" },
		{ "dd", "expected `_` or the end" },
		{ "d.1", "expected `_` or the end" },
		{ "f", "the number of an allocation" },
		{ "r", "a seed" },
		{ "r1*all", "a number from 1 to 1000000 after `*`" },
		{ "a0_f1_f1", "step 3, `f1`: allocation 1 is not held any more" },
		{ "a0_f2", "step 2, `f2`: there is no allocation 2; so far made: 1" },
		{ "a0_f0", "there is no allocation 0" },
		{ "a0_f1_f1*2", "allocation 1 is not held any more" },
		{ "l", "step 1, `l`: no allocation is held" },
		{ "a0\"\n<", "step 1, `a0\"?<`: expected" },
	};

	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(session_to(&stderr, cases[i].steps, NULL), 2);
		if (!printed || !strstr(printed, cases[i].words))
			fail_msg("%s: %s", cases[i].steps, printed);
	}
	assert_int_equal(session_to(&stderr, "a0", "0x"), 2);
}

/* Returns whether a frame's cell is what mm/'s own answers make it. */
static bool cell_fits(char cell, pfn_t pfn)
{
	bool bits_free, head = page_head(pfn) == pfn_to_page(pfn);
	pfn_t end;

	bits_free = free_span(pfn, &end);
	switch (page_state(pfn)) {
	case PAGE_ABSENT:
		return cell == '-';
	case PAGE_RESERVED:
		return cell == 'r';
	case PAGE_ALLOCATED:
		return cell == (head ? 'h' : 't');
	default:
		return bits_free ? cell == 'f' : cell == '0' || cell == '1';
	}
}

static void check_cells(const char *steps)
{
	uint64_t cached = 0, sum = 0;

	for (pfn_t block = 0; block < 0x4000; block += BLOCK_FRAMES) {
		unsigned int nr_free = 0;
		const char *cells;
		char at[20];

		snprintf(at, sizeof(at), "0x%llx", (unsigned long long)block);
		session(steps, at);
		if (!pfn_valid(block))
			continue;
		assert_int_equal(number("\"block\":", "\"pfn\":"), block);
		cells = after("\"block\":", "\"cells\":\"");
		for (unsigned int i = 0; i < BLOCK_FRAMES; i++) {
			if (!cell_fits(cells[i], block + i))
				fail_msg("%s: frame 0x%llx is not %c", steps,
					 (unsigned long long)block + i, cells[i]);
			nr_free += cells[i] == 'f';
			cached += cells[i] == '0' || cells[i] == '1';
		}
		assert_int_equal(nr_free, nr_free_in_range(block, block + BLOCK_FRAMES));
		sum += nr_free;
	}
	for_each_zone(z) {
		sum -= z->nr_free;
		cached -= cache_frames(z);
	}
	assert_int_equal(sum, 0);
	assert_int_equal(cached, 0);
}

static void test_cells(void **unused)
{
	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	check_cells("");
	check_cells("r3*300");
	check_cells("a0*700_a10_a9_a0.1h_a3.1*20_f3*300_f700.1");
	check_cells("a0*all_f100*2000_d_a5*9");
}

/* Sessions that end with all memory free again: what was open for it may stay so, as B5 allows. */
static void test_back_to_boot(void **unused)
{
	static const char *const sessions[] = { "a0*all_l*all_d", "r1*2000_l*all_d",
						"r2.1*500_a9*all_l.1*all_d",
						"a0h*600_a2d*9_l*all_d" };
	char blocks[400], cells[BITMAP_BITS];

	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	session("", "0x800");
	snprintf(blocks, sizeof(blocks), "%.*s", 60, after("\"zones\":", "\"free_blocks\":"));
	memcpy(cells, after("\"gib\":", "\"cells\":\""), BITMAP_BITS);
	for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
		char *end = strchr(blocks, ']');
		const char *now;

		session(sessions[i], "0x800");
		*end = '\0';
		assert_memory_equal(after("\"zones\":", "\"free_blocks\":"), blocks,
				    strlen(blocks));
		*end = ']';
		now = after("\"gib\":", "\"cells\":\"");
		for (pfn_t b = 0; b < BITMAP_BITS; b++) {
			const struct zone *z = pfn_zone(b * BLOCK_FRAMES);

			if (z->idle[0] != b * BLOCK_FRAMES && z->unmovable != b * BLOCK_FRAMES)
				assert_int_equal(now[b], cells[b]);
		}
		assert_non_null(strstr(printed, "\"held\":0,"));
	}
}

/* What one gib's bitmaps, and a few counts, were after a session. */
struct picture {
	pfn_t idle, unmovable;
	uint64_t nr_free, cached;
	unsigned int bound; /* of the gib */
	struct gib gib;     /* without block[] */
};

static void take_picture(struct picture *p, const char *steps)
{
	const struct zone *z;

	assert_int_equal(session_to(&stdout, steps, NULL), 0);
	z = zone_list[0];
	p->gib = *gib_at(z, 0);
	p->idle = z->idle[0];
	p->unmovable = z->unmovable;
	p->nr_free = z->nr_free;
	p->cached = cache_frames(z);
	for (p->bound = 0; p->bound < 9 && gibs_test(z, GIBS_INDEX(9 + p->bound), 0); p->bound++)
		;
	assert_int_equal(mm_check(), 0);
}

/* Fails unless the story says, exactly if it is so, what is different between two pictures. */
static void compare(const char *steps, const struct picture *was, const struct picture *is)
{
	unsigned int opened = 0, closed = 0, lower = 0, higher = 0;

	for (unsigned int b = 0; b < BITMAP_BITS; b++) {
		bool open = bitmap_test(&is->gib.open, b), before = bitmap_test(&was->gib.open, b);

		opened += open && !before;
		closed += before && bitmap_test(&is->gib.free, b);
		for (unsigned int k = 0;
		     open && before && is->unmovable != b * BLOCK_FRAMES && k < BITMAP_SHIFT; k++) {
			lower += bitmap_test(&was->gib.index[k], b) &&
				 !bitmap_test(&is->gib.index[k], b);
			higher += !bitmap_test(&was->gib.index[k], b) &&
				  bitmap_test(&is->gib.index[k], b);
		}
	}
	if (told("further change"))
		return;
	if ((opened > 0) !=
		(told("It is open now (buddy_open_block())") || told("blocks opened")) ||
	    (closed > 0) != (told("closed (close_bitmap())") || told("blocks closed")) ||
	    (lower > 0) != (told("buddy_lower() took the block at") ||
			    told("buddy_lower() took it off index") ||
			    told("blocks were lowered")) ||
	    (higher > 0) != (told(" raise_bounds()") || told("blocks were raised")) ||
	    (is->bound > was->bound) != told("raise_gib_bounds()") ||
	    (is->bound < was->bound) !=
		(told("took it off the shelf's") || told("buddy_lower() took the gib")) ||
	    (is->idle != was->idle) != told("idle[0]") ||
	    (is->unmovable != was->unmovable) !=
		(told("open_unmovable()") || told("that was unmovable before")) ||
	    (told("no lock") && is->nr_free != was->nr_free) ||
	    (is->nr_free == was->nr_free && is->cached < was->cached && !told("no lock")) ||
	    told("cache_refill()") != (is->cached > was->cached && is->nr_free < was->nr_free))
		fail_msg("%s: %u opened, %u closed, bits of the index: %u cleared, %u set, cached "
			 "%llu before %llu: %s",
			 steps, opened, closed, lower, higher, (unsigned long long)is->cached,
			 (unsigned long long)was->cached, strstr(printed, "\"story\""));
}

/* The story of each operation of a session, one by one, on a machine of one zone and gib. */
static void follow(unsigned int seed, unsigned int nr)
{
	static const char *const kinds[] = { "a0", "a0.1", "a0h", "a3", "a8.1", "a9", "a10", "a6" };
	char steps[4000] = "a9*2_a0*1500";
	struct picture was, is;

	take_picture(&was, steps);
	for (unsigned int i = 0; i < nr; i++) {
		size_t length = strlen(steps);

		seed = seed * 1103515245 + 12345;
		if (seed >> 16 & 1)
			snprintf(steps + length, sizeof(steps) - length, "_f%u*1",
				 (seed >> 17) % 1400 + 1);
		else
			snprintf(steps + length, sizeof(steps) - length, "_%s",
				 kinds[(seed >> 17) % 8]);
		take_picture(&is, steps);
		compare(steps, &was, &is);
		was = is;
	}
}

/* Frees all memory from below, in parts: blocks become full, and all but the last one close. */
static void follow_closing(void)
{
	char steps[4000] = "a0*all";
	unsigned int closed = 0;
	struct picture was, is;

	take_picture(&was, steps);
	for (unsigned int i = 0; i < 36; i++) {
		size_t length = strlen(steps);

		snprintf(steps + length, sizeof(steps) - length, "_f%u.%u*100", 100 * i + 1, i % 2);
		take_picture(&is, steps);
		compare(steps, &was, &is);
		closed += told("The block at") && told("closed (close_bitmap())");
		was = is;
	}
	assert_true(closed > 2);
}

static void test_story_follows(void **unused)
{
	(void)unused;
	use_map("tests/e820/kryton-120mhz-16m.map");
	for (unsigned int seed = 1; seed <= 6; seed++)
		follow(seed, 100);
	follow_closing();
}

/* Returns whether the story of a session, which must succeed, has these words. */
static bool tells(const char *steps, const char *words)
{
	session(steps, NULL);
	return told(words);
}

/* Sentences that were wrong once. */
static void test_sentences(void **unused)
{
	static const char nearly_5_gib[] = "0 0x9f000 1\n0x100000 0xbff00000 1\n"
					   "0x100000000 0x78800000 1\n";
	static const char two_nodes[] = "0 0x9f000 1\n0x100000 0x1f00000 1\n"
					"node 0 0 0x1000000\nnode 1 0x1000000 0x1000000\n";

	(void)unused;
	/* A full block that was open becomes the unmovable one. No search lowers its bound. */
	assert_false(mapfile_parse(&map, two_nodes, sizeof(two_nodes) - 1, 0));
	assert_true(tells("a7*all_l*6_a7h", "(open_unmovable())"));
	assert_true(told("(close_idle())"));
	assert_false(told("buddy_lower() took the block"));
	/* The unmovable block is released; or it is full, closes, and is taken as a whole. */
	use_map("tests/e820/p166-scsi-64m.map");
	assert_true(tells("a4h_a0*all", "(release_unmovable())"));
	assert_true(tells("a4h_l_a9*all", "was full: close_bitmap() closed it"));
	assert_false(told("release_unmovable()"));
	/* The end of what a cache keeps is told if there is one: a cache that was not used keeps
	 * all. */
	assert_false(mapfile_parse(&map, nearly_5_gib, sizeof(nearly_5_gib) - 1, 0));
	assert_true(tells("a6", "too few for a refill"));
	assert_true(told("keep_below, is 0x"));
	assert_true(tells("a8", "too few for a refill"));
	assert_false(told("keep_below"));
}

/* CPU 1 is on the second node with memory. What comes from a node that is not home is told so. */
static void test_nodes(void **unused)
{
	static const char two[] = "0 0x9f000 1\n0x100000 0x7ff00000 1\n"
				  "node 0 0 0x40000000\nnode 1 0x40000000 0x40000000\n";
	static const char four[] = "0 0x9f000 1\n0x100000 0x7ff00000 1\nnode %d 0 0x20000000\n"
				   "node %d 0x20000000 0x20000000\n"
				   "node %d 0x40000000 0x20000000\n"
				   "node %d 0x60000000 0x20000000\n";
	static const int orders[][4] = { { 6, 9, 5, 2 }, { 2, 9, 5, 6 }, { 2, 5, 6, 9 } };
	char text[sizeof(four)];

	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	session("", NULL);
	assert_true(!cpu_homes[0] && !cpu_homes[1]);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		const int *nodes = orders[i];

		snprintf(text, sizeof(text), four, nodes[0], nodes[1], nodes[2], nodes[3]);
		assert_false(mapfile_parse(&map, text, strlen(text), 0));
		session("", NULL);
		assert_int_equal(cpu_homes[0], 2); /* its own node, 0, has no memory */
		assert_int_equal(cpu_homes[1], 5);
		assert_int_equal(number("\"cpus\"", "\"cpu\":1,\"home\":"), 5);
	}
	assert_false(mapfile_parse(&map, two, sizeof(two) - 1, 0));
	assert_true(tells("a0", "its frame cache of zone DMA32 of node 0: cache_pop()"));
	assert_true(tells("a0.1", "its frame cache of zone DMA32 of node 1: cache_pop()"));
	assert_int_equal(cpu_homes[1], 1);
	assert_true(tells("a0n1", "CPU 0 took frame 0x"));
	assert_true(told("from its cache away, of zone DMA32 of node 1: cache_pop()"));
	assert_true(told("The cache away of CPU 0 belongs to zone DMA32 of node 1 now"));
	assert_int_equal(cache_number(0, CACHE_AWAY)->zone->node, 1);
	assert_true(tells("a0.1_a0n1_f1", "into its cache away, of zone DMA32 of node 1"));
	assert_true(tells("a0.1n0", "CPU 1 took frame 0x"));
	assert_true(told("from its cache away, of zone DMA32 of node 0"));
	assert_true(tells("a3n1", "Requests to another node than that of the CPU"));
	assert_false(tells("a3.1n1", "Requests to another node than that of the CPU"));
	assert_true(
	    tells("a0_f1.1", "CPU 1 has no frame cache of order 0 for zone DMA32 of node 0"));
}

/* The frame to show is decimal, also when it begins with 0. */
static void test_frame_to_show(void **unused)
{
	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	session("", "0x400");
	assert_int_equal(number("\"story\"", "\"at\":"), 0x400);
	session("", "01024");
	assert_int_equal(number("\"story\"", "\"at\":"), 1024);
}

static void test_random_sessions(void **unused)
{
	char steps[200];

	(void)unused;
	use_map("tests/e820/dell-precision-t7500.map");
	for (unsigned int seed = 1; seed <= 4; seed++) {
		steps[0] = '\0';
		for (unsigned int i = 0; i < 6; i++) {
			size_t length = strlen(steps);

			snprintf(steps + length, sizeof(steps) - length, "%sr%u*%u", i ? "_" : "",
				 seed + 10 * i, 200u << i);
			session(steps, NULL);
		}
	}
}

static void test_same_again(void **unused)
{
	char *first;

	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	session("r5*300_a0", NULL);
	first = strdup(printed);
	session("r6*300", NULL);
	session("r5*300_a0", NULL);
	assert_string_equal(first, printed);
	free(first);
}

static void test_too_many(void **unused)
{
	(void)unused;
	use_map("tests/e820/p166-scsi-64m.map");
	assert_int_equal(
	    session_to(&stderr, "r1*1000000_r2*1000000_r3*1000000_r4*1000000_r5", NULL), 2);
	assert_non_null(strstr(printed, "step 5, `r5`: a session has at most 4000000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form),    cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cells),         cmocka_unit_test(test_back_to_boot),
		cmocka_unit_test(test_story_follows), cmocka_unit_test(test_random_sessions),
		cmocka_unit_test(test_same_again),    cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_sentences),     cmocka_unit_test(test_frame_to_show),
		cmocka_unit_test(test_nodes),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(printed);
	return failed;
}
