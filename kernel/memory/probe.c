/*
 * probe.c: whether RAM is where the map says so: a value to each point, and back.
 *
 *     free range of memblock                 o point that keeps its value   x that does not
 *     o────────o────────x────────x────────o────o
 *              └─halved─┘        └─halved─┘
 *                   [    left out     )
 *
 * Each point gets a value of its own, from the highest address down; then all are read. So
 *   - what is not there, is ROM, or answers with what was last on the bus, does not have the value;
 *   - of addresses that lead to one cell (a line that is missing or not decoded), the lowest has
 *     written last: it keeps its value, the others do not.
 * A second round with all bits turned finds bits that are stuck.
 *
 * An absent range is halved down to a frame at both ends. A second address of other RAM is left out
 * from point to point: single frames of it do hold what one writes. For these, points count only
 * on the grid, 4 KiB below multiples of the step: with RAM of such a size, that wraps, they meet
 * other points, and never frames in use.
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
	unsigned int nr; /* of which the first MAX_LISTED are listed */
	struct phys_range listed[MAX_LISTED];
} left_out;

static uint64_t turned; /* bits of this round's values: none or all */

/* Different for any two addresses, in many bits: the multiplier is odd (2^64 / golden ratio). */
static uint64_t value_of(phys_addr_t phys)
{
	return (phys * 0x9e3779b97f4a7c15ull) ^ turned;
}

static phys_addr_t step_at(phys_addr_t phys)
{
	return phys < STEP ? FINE_STEP : STEP;
}

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
		if (whole_frames(start, end, &range))
			write_range(&range);
}

static bool keeps_value(phys_addr_t point)
{
	return early_read(point) == value_of(point);
}

/* The lowest point: below all others, and read before them. */
static phys_addr_t elsewhere;

/* Whether a word there holds anything of its own, with other traffic between write and read. */
static bool holds(phys_addr_t phys, uint64_t value)
{
	early_write(phys, value);
	early_write(elsewhere, ~value);
	return early_read(phys) == value;
}

static bool is_there(phys_addr_t phys)
{
	return holds(phys, value_of(phys)) && holds(phys, ~value_of(phys));
}

/* The first frame after low that is not as low is, in that regard; high is not. */
static phys_addr_t edge(phys_addr_t low, phys_addr_t high, bool low_is_there)
{
	while (high - low > PAGE_SIZE) {
		phys_addr_t middle = PFN_PHYS(PFN_DOWN(low + (high - low) / 2));

		if (is_there(middle) == low_is_there)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Where what is not there begins: bad is the first point that says so. */
static phys_addr_t first_bad(const struct phys_range *range, phys_addr_t bad, bool alias)
{
	phys_addr_t good = previous_point(range, bad);

	if (bad == range->base)
		return bad;
	if (!alias)
		return edge(good, bad, true);
	return is_on_grid(good) ? good + PAGE_SIZE : range->base;
}

/* The next good point, or NONE. */
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

/* And where it ends: next is the next good point. */
static phys_addr_t end_of_bad(const struct phys_range *range, phys_addr_t next, bool alias)
{
	if (next == NONE)
		return range->end;
	return alias ? next : edge(previous_point(range, next), next, false);
}

/* Returns the point to go on with. */
static phys_addr_t leave_out(const struct phys_range *range, phys_addr_t bad)
{
	bool alias = is_there(bad);
	phys_addr_t next = good_after(range, bad, alias);
	struct phys_range out = { first_bad(range, bad, alias), end_of_bad(range, next, alias) };

	printk("RAM [mem 0x%016llx-0x%016llx]: usable by the map, but %s: left out\n",
	       ULL(out.base), ULL(out.end - 1),
	       alias ? "other RAM under a second address" : "not there");
	if (memblock_remove(out.base, out.end - out.base))
		panic("memblock has no room to leave out RAM that is not there");
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

static void one_round(uint64_t turn)
{
	struct phys_range range;

	turned = turn;
	write_all();
	for (phys_addr_t from = 0; next_unreserved(from, &range); from = range.end)
		read_range(&range);
}

void probe_memory(void)
{
	struct phys_range lowest;

	if (!next_unreserved(0, &lowest))
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
