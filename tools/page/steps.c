#include <string.h>

#include "tools/page/work.h"
#include "tools/page/work_parts.h"

#define RANDOM_COUNT 100 /* operations of rSEED without *COUNT */

/* Reads a decimal number up to max at *at, and moves *at behind it. Returns whether there is one.
 */
static bool read_number(const char **at, uint64_t max, uint64_t *number)
{
	const char *c = *at;
	uint64_t n = 0;

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		n = n * 10 + (uint64_t)(*c - '0');
		if (n > max)
			return false;
	}
	*at = c;
	*number = n;
	return true;
}

/* Moves *at behind the character c. Returns whether it was there. */
static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* Reads .CPU, if it is there. Returns NULL, or what was expected. */
static const char *read_cpu(const char **at, struct step *step)
{
	uint64_t cpu = 0;

	step->both_cpus = **at != '.';
	if (read_char(at, '.') && !read_number(at, WORK_CPUS - 1, &cpu))
		return "a CPU, 0 or 1, after `.`";
	step->cpu = (unsigned int)cpu;
	return NULL;
}

/* Reads *COUNT or *all, if it is there, and the end. Returns NULL, or what was expected. */
static const char *read_count(const char **at, struct step *step, bool may_be_all)
{
	if (read_char(at, '*')) {
		step->counted = true;
		if (may_be_all && !strncmp(*at, "all", 3)) {
			*at += 3;
			step->all = true;
			step->count = WORK_MAX_COUNT;
		} else if (!read_number(at, WORK_MAX_COUNT, &step->count) || !step->count) {
			return may_be_all ? "a number from 1 to 1000000, or `all`, after `*`"
					  : "a number from 1 to 1000000 after `*`";
		}
	}
	return NULL;
}

/* Reads what follows `a`. Returns NULL, or what was expected. */
static const char *read_alloc(const char **at, struct step *step)
{
	const char *expected;
	uint64_t n;

	step->kind = DID_ALLOC;
	if (!read_number(at, NR_ORDERS - 1u, &n))
		return "an order from 0 to 18 after `a`";
	step->order = (unsigned int)n;
	expected = read_cpu(at, step);
	if (expected)
		return expected;
	if (read_char(at, 'n')) {
		if (!read_number(at, MAX_NUMNODES - 1, &n))
			return "the number of a NUMA node after `n`";
		step->node = (int)n;
	}
	step->hint = read_char(at, 'h');
	step->gfp = step->hint ? __GFP_UNMOVABLE : 0;
	if (read_char(at, 'd'))
		step->gfp |= __GFP_DMA;
	else if (read_char(at, 'D'))
		step->gfp |= __GFP_DMA32;
	return read_count(at, step, true);
}

/* Reads what follows `f`, `l` and `r`. Returns NULL, or what was expected. */
static const char *read_other(const char **at, struct step *step, char c)
{
	const char *expected;

	step->kind = c == 'r' ? DID_RANDOM : DID_FREE;
	step->last = c == 'l';
	if (c == 'f' && !read_number(at, UINT32_MAX, &step->number))
		return "the number of an allocation after `f`";
	if (c == 'r' && !read_number(at, UINT32_MAX, &step->number))
		return "a seed, a number up to 4294967295, after `r`";
	if (c == 'r')
		step->count = RANDOM_COUNT;
	expected = read_cpu(at, step);
	return expected ? expected : read_count(at, step, c != 'r');
}

const char *step_read(const char **at, struct step *step)
{
	const char *expected = NULL;
	char c = **at;

	*step = (struct step){ .node = NUMA_NO_NODE, .count = 1 };
	if (!c || !strchr("aflrd", c))
		return "`a`, `f`, `l`, `r` or `d`";
	++*at;
	if (c == 'a')
		expected = read_alloc(at, step);
	else if (c == 'd')
		step->kind = DID_DRAIN;
	else
		expected = read_other(at, step, c);
	if (!expected && **at && **at != '_')
		expected = "`_` or the end behind what is understood of it";
	return expected;
}
