/*
 * probe.c: how the probe tells RAM from addresses that have none.
 *
 *     free range of memblock                 o point that keeps its value   x that does not
 *     o────────o────────x────────x────────o────o
 *              └─search─┘        └─search─┘
 *                   [    left out     )
 *
 * Each point, a word of a frame, is written with a value of its own, from the highest address down.
 * Then all points are read.
 *   - An address without memory, or with ROM, or that answers with what was last on the bus, does
 *     not give the value back.
 *   - Of several addresses that lead to one cell, because an address line is missing or not
 *     decoded, the lowest was written last: it keeps its value and the others do not.
 * A second round with the complements of the values finds bits that are stuck.
 *
 * Where a point has no memory, a binary search finds the frame at which the missing range begins
 * and the one at which it ends.
 *
 * Where a point is a second address of other RAM, a search would find nothing, as each frame by
 * itself keeps what is written to it. All between the nearest good points below and above is then
 * left out. Only points on the grid, 4 KiB below a multiple of the step, are taken as good here,
 * since only they prove that they have a cell of their own: addresses usually wrap at a multiple of
 * the step, and then a second address on the grid leads to a lower point on the grid, which was
 * written later: the higher one has lost its value. The first and the last frame of a range lie off
 * the grid. Such a frame can be a second address of a frame that is no point; nothing else was
 * written there, so it keeps its value.
 */
#include "kernel/memory/probe.h"

#include "arch/x86_64/early_access.h"
#include "kernel/memory/free_ranges.h"
#include "lib/format.h"
#include "mm/port.h"

#define STEP       (256ull << 20)
#define FINE_STEP  (16ull << 20) /* below STEP */

#define NONE       (~(phys_addr_t)0)

#define MAX_LISTED 16

static struct {
	unsigned int nr; /* ranges that were left out; the first MAX_LISTED are listed */
	struct phys_range listed[MAX_LISTED];
} left_out;

static uint64_t turned; /* bits that are inverted in this round's values: none or all */

/*
 * Returns the value of the point at phys. The multiplier, 2^64 / golden ratio, is odd, so that the
 * values of any two points differ, and they differ in many bits.
 */
static uint64_t value_of(phys_addr_t phys)
{
	return (phys * 0x9e3779b97f4a7c15ull) ^ turned;
}

/* Returns the distance of the points around phys. */
static phys_addr_t step_at(phys_addr_t phys)
{
	return phys < STEP ? FINE_STEP : STEP;
}

/* Returns whether a point is a frame below a multiple of the step, as all but the ends are. */
static bool is_on_grid(phys_addr_t point)
{
	phys_addr_t after = point + PAGE_SIZE;

	return !(after & (step_at(point) - 1));
}

static phys_addr_t last_point(const struct phys_range *range)
{
	return range->end - PAGE_SIZE;
}

static phys_addr_t next_point(const struct phys_range *range, phys_addr_t point)
{
	phys_addr_t after = point + PAGE_SIZE;
	phys_addr_t next = (after | (step_at(after) - 1)) + 1 - PAGE_SIZE;

	return next < last_point(range) ? next : last_point(range);
}

static phys_addr_t previous_point(const struct phys_range *range, phys_addr_t point)
{
	phys_addr_t multiple = point & ~(step_at(point) - 1);

	return multiple > range->base + PAGE_SIZE ? multiple - PAGE_SIZE : range->base;
}

static void write_range(const struct phys_range *range)
{
	for (phys_addr_t p = last_point(range);; p = previous_point(range, p)) {
		early_write(p, value_of(p));
		if (p == range->base)
			return;
	}
}

static void write_all(void)
{
	struct phys_range range;
	phys_addr_t start, end;
	uint64_t i;

	for_each_free_mem_range_reverse(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		if (narrow_to_frames(start, end, &range))
			write_range(&range);
}

static bool keeps_value(phys_addr_t point)
{
	return early_read(point) == value_of(point);
}

/* The lowest point. It is read before all others, so holds() may overwrite it. */
static phys_addr_t elsewhere;

/*
 * Returns whether the word at phys keeps value. Another word is written between the write and the
 * read, so that an address without memory cannot answer with what was last on the bus.
 */
static bool holds(phys_addr_t phys, uint64_t value)
{
	early_write(phys, value);
	early_write(elsewhere, ~value);
	return early_read(phys) == value;
}

/* Returns whether there is memory at phys, be it a second address of other RAM. */
static bool is_there(phys_addr_t phys)
{
	return holds(phys, value_of(phys)) && holds(phys, ~value_of(phys));
}

enum presence { MISSING, PRESENT };

/*
 * Searches the frames above low up to high for the border between memory and none. low_presence
 * says which of the two is at low; the other is at high. Returns the first frame after the border.
 */
static phys_addr_t find_border(phys_addr_t low, phys_addr_t high, enum presence low_presence)
{
	while (high - low > PAGE_SIZE) {
		phys_addr_t middle = PFN_PHYS(PFN_DOWN(low + (high - low) / 2));

		if (is_there(middle) == (low_presence == PRESENT))
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * Returns where the range to leave out begins. bad is its first point; alias says whether it is a
 * second address of other RAM, here and in the next functions.
 */
static phys_addr_t first_bad(const struct phys_range *range, phys_addr_t bad, bool alias)
{
	phys_addr_t good = previous_point(range, bad);

	if (bad == range->base)
		return bad;
	if (!alias)
		return find_border(good, bad, PRESENT);
	return is_on_grid(good) ? good + PAGE_SIZE : range->base;
}

/* Returns the first good point of range after bad, or NONE. */
static phys_addr_t good_after(const struct phys_range *range, phys_addr_t bad, bool alias)
{
	phys_addr_t point = bad;

	do {
		if (point == last_point(range))
			return NONE;
		point = next_point(range, point);
	} while (!keeps_value(point) || (alias && !is_on_grid(point)));
	return point;
}

/* Returns where the range to leave out ends; next is the first good point after it, or NONE. */
static phys_addr_t end_of_bad(const struct phys_range *range, phys_addr_t next, bool alias)
{
	if (next == NONE)
		return range->end;
	return alias ? next : find_border(previous_point(range, next), next, MISSING);
}

/*
 * Removes from memblock the part of range around the point bad that is not there. Returns the point
 * after which the reading continues.
 */
static phys_addr_t leave_out(const struct phys_range *range, phys_addr_t bad)
{
	bool alias = is_there(bad);
	phys_addr_t next = good_after(range, bad, alias);
	struct phys_range out = { first_bad(range, bad, alias), end_of_bad(range, next, alias) };

	printk("RAM [mem 0x%016llx-0x%016llx]: usable by the map, but %s: left out\n",
	       ULL(out.base), ULL(out.end - 1),
	       alias ? "a second address of other RAM" : "not there");
	if (memblock_remove(out.base, out.end - out.base))
		panic("memblock has no room to remove RAM that is not there");
	if (left_out.nr < MAX_LISTED)
		left_out.listed[left_out.nr] = out;
	left_out.nr++;
	return next == NONE ? last_point(range) : next;
}

static void read_range(const struct phys_range *range)
{
	for (phys_addr_t p = range->base;; p = next_point(range, p)) {
		if (!keeps_value(p))
			p = leave_out(range, p);
		if (p == last_point(range))
			return;
	}
}

/* Writes all points and reads them; turn: the bits to invert in all values. */
static void one_round(uint64_t turn)
{
	struct phys_range range;

	turned = turn;
	write_all();
	for (phys_addr_t from = 0; next_unreserved_range(from, &range); from = range.end)
		read_range(&range);
}

void probe_memory(void)
{
	struct phys_range lowest;

	if (!next_unreserved_range(0, &lowest))
		return;
	elsewhere = lowest.base;
	one_round(0);
	one_round(~0ull);
	early_access_end();
}

void probe_print(print_fn print)
{
	for (unsigned int i = 0; i < left_out.nr && i < MAX_LISTED; i++)
		print("not there: [mem 0x%016llx-0x%016llx]\n", ULL(left_out.listed[i].base),
		      ULL(left_out.listed[i].end - 1));
	if (left_out.nr > MAX_LISTED)
		print("not there: and %u more\n", left_out.nr - MAX_LISTED);
}
