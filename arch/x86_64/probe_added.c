/*
 * probe_added.c: the points that are probed are the first word of the range, one each step after
 * it, and a word of the last frame. A step is a power of two: 256 MiB, or less, so that there are
 * at least 8, or more, so that there are at most 64.
 *
 * All points are written, from the highest address down, and then all are read, in the same order:
 *   - An address without memory, or with ROM, does not give back the value, which is another one at
 *     each point.
 *   - Nor does one that answers with what was last on the bus: that is what was read or written at
 *     another point.
 *   - Of several points that lead to one cell, because an address line is missing or not decoded,
 *     only the one written last has its value. Addresses that wrap at a multiple of the step do
 *     lead from one point to another.
 *   - The last frame has the complement of the first one's value, so that a bit that is stuck
 *     everywhere differs from one of the two.
 *
 * That the range is a second address of RAM outside of it remains unnoticed.
 */
#include "arch/x86_64/probe_added.h"

#include "arch/x86_64/frame_access.h"

#define STEP      (256ull << 20)
#define MIN_STEPS 8
#define MAX_STEPS 64

static uint64_t step_of(uint64_t size)
{
	uint64_t step = STEP;

	while (size / step < MIN_STEPS)
		step /= 2;
	while (size / step > MAX_STEPS)
		step *= 2;
	return step;
}

/* As in kernel/memory/probe.c, values of any two points differ, and differ in many bits. */
static uint64_t value_of(phys_addr_t phys)
{
	return phys * 0x9e3779b97f4a7c15ull;
}

bool probe_added_memory(phys_addr_t base, uint64_t size)
{
	uint64_t step = step_of(size);
	phys_addr_t last = base + size - PAGE_SIZE, highest = base + (size - 1) / step * step;

	frame_write(last, ~value_of(base));
	for (phys_addr_t point = highest;; point -= step) {
		frame_write(point, value_of(point));
		if (point == base)
			break;
	}
	if (frame_read(last) != ~value_of(base))
		return false;
	for (phys_addr_t point = highest;; point -= step) {
		if (frame_read(point) != value_of(point))
			return false;
		if (point == base)
			return true;
	}
}
