/*
 * test_random.c: tests the allocator with millions of random operations beside the naive model, on
 * machines of every shape.
 *
 *   test_random                         runs the tests; the seeds are always the same
 *   test_random OPS [SEED [MACHINE]]    runs OPS operations on each machine, from other seeds
 *   test_random --replay FILE|-         repeats and narrates what a failing run has printed
 *
 * runs.h says what a run is. A run that fails is shrunk to a short sequence; that this works is
 * tested first, with simulated defects. The program is built twice: with ordinary bitmaps, and with
 * bitmaps of 8 children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

#include "lib/format.h"
#include "mm/shelf.h"
#include "tests/host/sim/runs.h"
#include "tests/host/sim/shrink.h"
#include "tests/host/sim/sim.h"

#ifdef __OPTIMIZE__
#define KILO 1000u
#else
#define KILO 50u /* make coverage: a twentieth */
#endif

static struct op found[RUN_OPS];

/* Shrinking by itself, with operations that are not performed. */

/* Fails at a split after a reference, except when a bulk but no drain comes before it. */
static size_t fails_at_split(struct op *ops, size_t nr)
{
	bool referenced = false, drained = false, bulk = false;

	for (size_t i = 0; i < nr; i++) {
		if (ops[i].kind == OP_SPLIT && referenced && (drained || !bulk))
			return i + 1;
		referenced |= ops[i].kind == OP_REF;
		drained |= ops[i].kind == OP_DRAIN;
		bulk |= ops[i].kind == OP_BULK;
	}
	return 0;
}

/* The drain can be left out once the bulk after it has been. */
static void shrinks_until_nothing_can_be_left_out(void **state)
{
	struct op ops[] = { { .kind = OP_DRAIN },
			    { .kind = OP_REF },
			    { .kind = OP_BULK },
			    { .kind = OP_SPLIT },
			    { .kind = OP_ALLOC } };

	(void)state;
	assert_int_equal(shrink(ops, sizeof(ops) / sizeof(ops[0]), fails_at_split), 2);
	assert_int_equal(ops[0].kind, OP_REF);
	assert_int_equal(ops[1].kind, OP_SPLIT);
}

/* Shrinking of runs, with simulated defects of which the shortest sequence is known. */

static char text[8192];

static void no_operation_can_be_left_out(const struct op *ops, size_t nr)
{
	static struct op less[RUN_OPS];

	for (size_t i = 0; i < nr; i++) {
		memcpy(less, ops, i * sizeof(*ops));
		memcpy(less + i, ops + i + 1, (nr - i - 1) * sizeof(*ops));
		assert_int_equal(run_again(less, nr - 1), 0);
	}
}

/*
 * Shrinks a run with this defect and returns how many operations remain. Their text, read back,
 * must fail in the same place.
 */
static size_t shrunk(const char *(*what)(const struct op *op))
{
	FILE *file = fmemopen(text, sizeof(text), "w");
	size_t nr;

	assert_non_null(file);
	runs.machine = &machines[0];
	runs.defect = what;
	nr = run_random(7, found, 5000, file);
	fclose(file);
	file = fmemopen(text, strlen(text), "r");
	memset(found, 0, sizeof(found));
	assert_int_equal(read_sequence(file, found), nr);
	fclose(file);
	assert_int_equal(run_again(found, nr), nr);
	no_operation_can_be_left_out(found, nr);
	runs.defect = NULL;
	return nr;
}

/* The lowest frame is free after a boot, and is the first that is allocated. */
static const char *frame_is_given(const struct op *op)
{
	(void)op;
	return model_at(&runs_play.model, runs_play.model.base) == OWN_FREE ? NULL : "given";
}

static void shrinks_to_one(void **state)
{
	(void)state;
	assert_int_equal(shrunk(frame_is_given), 1);
}

static const char *split_after_drain(const struct op *op)
{
	static bool drained;

	drained = op && (drained || op->kind == OP_DRAIN);
	return drained && op->kind == OP_SPLIT && runs_play.given[op->name] != PFN_NONE ? "split"
											: NULL;
}

static void shrinks_to_three(void **state)
{
	(void)state;
	assert_int_equal(shrunk(split_after_drain), 3);
	assert_int_equal(found[2].kind, OP_SPLIT);
}

/* The third put_page() of an order above 1 loses a frame of the count; the model sees it later. */
static const char *third_put_miscounts(const struct op *op)
{
	static unsigned int puts;
	static uint64_t before;
	uint64_t now = runs_play.model.free[ZONE_DMA];

	if (!op)
		puts = 0;
	else if (op->kind == OP_PUT && now >= before + 4 && ++puts == 3)
		node_zone(0, ZONE_DMA)->nr_free--;
	before = now;
	return NULL;
}

static void shrinks_to_six(void **state)
{
	(void)state;
	assert_int_equal(shrunk(third_put_miscounts), 6);
	for (unsigned int i = 0; i < 6; i++)
		assert_true(found[i].kind == OP_ALLOC || found[i].kind == OP_PUT);
}

/* A defect that only mm_check() sees. */
static const char *bulk_marks_a_head(const struct op *op)
{
	if (op && op->kind == OP_BULK && op->nr > 40)
		gibs_set(node_zone(0, ZONE_DMA), GIBS_HEAD, 0);
	return NULL;
}

static void shrinks_what_mm_check_sees(void **state)
{
	(void)state;
	assert_int_equal(shrunk(bulk_marks_a_head), 1);
	assert_non_null(strstr(text, "alloc_pages_bulk"));
}

static const char *drain_faults(const struct op *op)
{
	if (op && op->kind == OP_DRAIN)
		raise(SIGSEGV);
	return NULL;
}

static const char *never_ends(const struct op *op)
{
	for (volatile bool forever = op != NULL; forever;)
		;
	return NULL;
}

static void faults_and_endless_loops_are_failures(void **state)
{
	(void)state;
	assert_int_equal(shrunk(drain_faults), 1);
	runs.defect = never_ends;
	runs.patience_ms = 20;
	assert_int_equal(run_again(found, 1), 1);
	assert_string_equal(runs_complaint, "an endless loop");
	runs.patience_ms = 20000;
	runs.defect = NULL;
	assert_int_equal(run_again(found, 1), 0);
}

/* An operation on what a name was never given, or has freed, does nothing. */
static void what_is_gone_is_left_alone(void **state)
{
	static const char gone[] = "p1 = alloc_pages(GFP_KERNEL, 3)\nput_page(p1 + 0)\n"
				   "put_page(p1 + 0)\nsplit_page(p1 + 0)\n__free_pages(p2 + 0)\n"
				   "p3 = alloc_pages(GFP_KERNEL, 3)\n__free_pages(p3 + 1)\n"
				   "free_contig_range(p3 + 0, 8)\nget_page(p1 + 0) and back\nend\n";
	FILE *file = fmemopen(text, sizeof(text), "w+");

	(void)state;
	fprintf(file, "machine %s\n%s", machines[0].name, gone);
	fseek(file, 0, SEEK_SET);
	assert_int_equal(read_sequence(file, found), 9);
	fclose(file);
	assert_int_equal(run_again(found, 9), 0);
}

static void what_is_no_sequence_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"machine nowhere\nend\n",
		"machine %s\np1 = alloc_pages(GFP_KERNEL)\nend\n",
		"machine %s\np1 = alloc_pages(GFP_KERNEL, 3) \nend\n",
		"machine %s\np1 = alloc_pages(GFP_NOTHING, 3)\nend\n",
		"machine %s\np1 = alloc_pages_bulk(GFP_KERNEL, 65)\nend\n",
		"machine %s\nput_page(p99999999 + 0)\nend\n",
		"machine %s\nput_page(p + 0)\nend\n",
		"machine %s\nwhatever\nend\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *file = fmemopen(text, sizeof(text), "w+");

		fprintf(file, texts[i], machines[0].name);
		fseek(file, 0, SEEK_SET);
		assert_int_equal(read_sequence(file, found), -1);
		fclose(file);
	}
}

/*
 * Runs nr_ops random operations on a machine, RUN_OPS from each boot, and each boot with the next
 * seed. Returns whether none failed.
 */
static bool random_operations(const struct machine *machine, uint64_t nr_ops, uint64_t seed)
{
	runs.machine = machine;
	runs.defect = NULL;
	for (uint64_t left = nr_ops; left; seed++) {
		size_t nr = left < RUN_OPS ? left : RUN_OPS;

		if (run_random(seed, found, nr, stdout))
			return false;
		left -= nr;
	}
	printf("# %s: %llu operations, seeds to %llu\n", machine->name, ULL(nr_ops), ULL(seed - 1));
	return true;
}

static void allocator_and_model_agree(void **state)
{
	const struct machine *machine = *state;

	assert_true(random_operations(machine, (uint64_t)machine->kilo_ops * KILO, 2024));
}

static int soak(uint64_t nr_ops, uint64_t seed, const char *only)
{
	if (only && !machine_named(only)) {
		fprintf(stderr, "there is no machine %s\n", only);
		return 2;
	}
	for (const struct machine *m = machines; m < machines + NR_MACHINES; m++)
		if ((!only || m == machine_named(only)) && !random_operations(m, nr_ops, seed))
			return 1;
	return 0;
}

static int replay(const char *name)
{
	FILE *from = strcmp(name, "-") ? fopen(name, "r") : stdin;
	long nr;
	size_t failed;

	if (!from) {
		perror(name);
		return 2;
	}
	nr = read_sequence(from, found);
	fclose(from);
	if (nr < 0)
		return 2;
	runs.narrate = true;
	sim_log = stdout;
	failed = run_again(found, (size_t)nr);
	if (failed)
		printf("operation %zu fails: %s\n", failed, runs_complaint);
	else
		printf("none of %ld operations fails\n", nr);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest shrinking[] = {
		cmocka_unit_test(shrinks_until_nothing_can_be_left_out),
		cmocka_unit_test(shrinks_to_one),
		cmocka_unit_test(shrinks_to_three),
		cmocka_unit_test(shrinks_to_six),
		cmocka_unit_test(shrinks_what_mm_check_sees),
		cmocka_unit_test(faults_and_endless_loops_are_failures),
		cmocka_unit_test(what_is_gone_is_left_alone),
		cmocka_unit_test(what_is_no_sequence_is_refused),
	};
	enum { NR_SHRINKING = sizeof(shrinking) / sizeof(shrinking[0]) };
	struct CMUnitTest tests[NR_SHRINKING + NR_MACHINES];

	if (argc == 3 && !strcmp(argv[1], "--replay"))
		return replay(argv[2]);
	if (argc > 1)
		return soak(strtoull(argv[1], NULL, 0), argc > 2 ? strtoull(argv[2], NULL, 0) : 1,
			    argc > 3 ? argv[3] : NULL);
	memcpy(tests, shrinking, sizeof(shrinking));
	for (unsigned int i = 0; i < NR_MACHINES; i++)
		tests[NR_SHRINKING + i] =
		    (struct CMUnitTest){ machines[i].name, allocator_and_model_agree, NULL, NULL,
					 (void *)(uintptr_t)&machines[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
