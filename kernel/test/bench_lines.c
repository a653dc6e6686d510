/*
 * bench_lines.c: counts the lines of the CPU cache that travel from one CPU to another when two
 * CPUs allocate and free in turn: the rows lines.*.
 *
 * Two CPUs really do it, each on its own frame caches; CPU 0 and another hand the turn to each
 * other. After many turns at full speed, in which the frame caches have been filled and drained
 * several times, they go on in single steps, and the accesses to memory of each instruction are put
 * into a model of endless CPU caches. When it has seen as many turns, it counts:
 *
 *   a read  makes the line travel when the other CPU wrote it last, and this one has not read it
 *           since
 *   a write makes it travel when the other CPU has it
 *
 * Only what the allocator accesses counts, its metadata, descriptors and variables: not the stack,
 * nor what this file writes.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpus.h"
#include "kernel/console/console.h"
#include "kernel/ksyms.h"
#include "kernel/test/bench_rows.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/zone.h"

#define WARM          600 /* turns of each CPU at full speed; then as many to fill the model */
#define COUNTED       1200ull

#define TURNS_TO_LOOK 16 /* from one look for Ctrl-C to the next */

#define MIN_FRAMES    1024 /* so that both CPUs have frames, in their frame caches too */

#define CACHE_LINE    64 /* bytes, as of all x86_64 processors; MM_LINE is two */

#define TABLE_ORDER   4
#define TABLE_LINES   ((PAGE_SIZE << TABLE_ORDER) / sizeof(struct line))

/* What the model knows of a line. */
struct line {
	uintptr_t number; /* its address / CACHE_LINE; 0: the entry is free */
	uint32_t holders; /* bit i: CPU i of the two has it */
	uint32_t writer;  /* which of the two wrote it last, or NOBODY */
};
#define NOBODY 2

/* All that this file writes, so that visit() can leave it out. */
static struct {
	void (*turns[2])(void); /* what each of the two does in its turn */
	unsigned int order;     /* of what they allocate */
	struct page *page;      /* what one has allocated for the other to free */
	unsigned int turn;      /* 0 or 1: whose it is; DONE: there are no more */
	unsigned int other;     /* the CPU of the two that is not CPU 0 */
	bool stepping;
	uintptr_t stack_end; /* what is stepped has its stack below this */
	uintptr_t unknown;   /* an instruction whose accesses are not known, or 0 */
	bool failed;         /* there was no memory, or too little room in the table */
	bool ended;          /* by Ctrl-C */
	uint64_t travelled;
	struct line *table; /* TABLE_LINES of them, by a hash of their numbers */
} own __attribute__((aligned(MM_LINE)));
#define DONE 2

/* ---- the model ---- */

/* Returns the entry of a line, which may be a new one; NULL when the table is full. */
static struct line *find_line(uintptr_t number)
{
	uint64_t hash = number * 0x9e3779b97f4a7c15ull >> 32;

	for (size_t i = 0; i < TABLE_LINES; i++) {
		struct line *line = &own.table[(hash + i) % TABLE_LINES];

		if (line->number == number)
			return line;
		if (!line->number) {
			*line = (struct line){ number, 0, NOBODY };
			return line;
		}
	}
	return NULL;
}

/* Notes that CPU me of the two reads or writes a line. */
static void touch(struct line *line, unsigned int me, bool write)
{
	uint32_t bit = 1u << me;

	if (write) {
		own.travelled += (line->holders & ~bit) != 0;
		line->holders = bit;
		line->writer = me;
	} else if (!(line->holders & bit)) {
		own.travelled += line->writer == 1 - me;
		line->holders |= bit;
	}
}

static void add_access(const struct arch_access *access)
{
	uintptr_t last = (access->address + access->size - 1) / CACHE_LINE;

	for (uintptr_t number = access->address / CACHE_LINE; number <= last; number++) {
		struct line *line = find_line(number);

		own.failed |= !line;
		if (line && access->read)
			touch(line, own.turn, false);
		if (line && access->write)
			touch(line, own.turn, true);
	}
}

/* The handler of a step; as arch_visit_fn in arch.h. Its own stack lies below what is stepped. */
static bool visit(uintptr_t address, bool interrupts_on)
{
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
	struct arch_access access[ARCH_MAX_ACCESSES];
	int nr = arch_next_accesses(access);

	(void)interrupts_on;
	if (nr < 0)
		own.unknown = address;
	for (int i = 0; i < nr; i++)
		if (access[i].address - stack >= own.stack_end - stack &&
		    access[i].address - (uintptr_t)&own >= sizeof(own))
			add_access(&access[i]);
	return nr >= 0;
}

/* ---- the turns ---- */

static void pair(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, own.order);

	if (page)
		__free_pages(page, own.order);
	else
		own.failed = true;
}

static void alloc_for_other(void)
{
	own.page = alloc_pages(GFP_KERNEL, own.order);
}

static void free_of_other(void)
{
	if (own.page)
		__free_pages(own.page, own.order);
	else
		own.failed = true;
}

static void take_turn(unsigned int me)
{
	if (own.stepping) {
		own.stack_end = (uintptr_t)__builtin_frame_address(0);
		arch_single_step(own.turns[me], visit);
	} else {
		own.turns[me]();
	}
}

static void give_turn(unsigned int to)
{
	__atomic_store_n(&own.turn, to, __ATOMIC_RELEASE);
}

static void wait_for_turn(unsigned int me)
{
	while (__atomic_load_n(&own.turn, __ATOMIC_ACQUIRE) == 1 - me)
		arch_relax();
}

/* What the other CPU does; more CPUs than two have nothing to do. */
static void other_cpu(void *argument)
{
	(void)argument;
	if (port_cpu_id() != own.other)
		return;
	for (;;) {
		wait_for_turn(1);
		if (own.turn == DONE)
			return;
		take_turn(1);
		give_turn(0);
	}
}

static void take_turns(uint64_t nr)
{
	for (uint64_t i = 0; i < nr && !own.failed && !own.unknown && !own.ended; i++) {
		own.ended = i % TURNS_TO_LOOK == 0 && console_interrupted();
		take_turn(0);
		give_turn(1);
		wait_for_turn(0);
	}
}

static unsigned int second_cpu(void)
{
	for_each_online_cpu(cpu)
		if (cpu)
			return cpu;
	return 0;
}

/* Runs the turns on both CPUs. Returns false when there is not enough memory. */
static bool run(void)
{
	struct page *table = alloc_pages(GFP_KERNEL | __GFP_ZERO, TABLE_ORDER);

	if (!table)
		return false;
	own.table = page_address(table);
	cpus_begin(other_cpu, NULL);
	take_turns(WARM);
	own.stepping = true;
	take_turns(WARM);
	own.travelled = 0;
	take_turns(COUNTED);
	give_turn(DONE);
	while (cpus_busy())
		arch_relax();
	__free_pages(table, TABLE_ORDER);
	return !own.failed && !own.ended;
}

/* Measures a row: the two CPUs do operations in turn, which are nr in a turn of both. */
static bool measure(const char *id, void (*first)(void), void (*second)(void), unsigned int order,
		    unsigned int nr)
{
	unsigned int other = second_cpu();
	uint64_t hundredths;
	char where[80];

	if (!other)
		return bench_skip(id, "needs two CPUs");
	if (bench_skip_debug(id))
		return true;
	if (!bench_can_allocate(order) || nr_free_pages() < MIN_FRAMES)
		return order ? bench_skip_order(id, order) : bench_skip_frames(id, MIN_FRAMES);
	memset(&own, 0, sizeof(own));
	own.turns[0] = first;
	own.turns[1] = second;
	own.order = order;
	own.other = other;
	if (!run())
		return false;
	if (own.unknown) {
		ksyms_format(own.unknown, where, sizeof(where));
		console_printf("%s: the instruction at %s is not known\n", id, where);
		return false;
	}
	hundredths = (own.travelled * 100 + COUNTED * nr / 2) / (COUNTED * nr);
	console_printf("bench %s %llu.%02llu lines\n", id, ULL(hundredths / 100),
		       ULL(hundredths % 100));
	return true;
}

bool bench_lines_pair0(const char *id)
{
	return measure(id, pair, pair, 0, 2);
}

bool bench_lines_pair3(const char *id)
{
	return measure(id, pair, pair, 3, 2);
}

bool bench_lines_pair10(const char *id)
{
	return measure(id, pair, pair, 10, 2);
}

bool bench_lines_pass(const char *id)
{
	return measure(id, alloc_for_other, free_of_other, 0, 1);
}
