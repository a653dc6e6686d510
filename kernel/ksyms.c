/*
 * ksyms.c: see ksyms.h.
 */
#include "kernel/ksyms.h"

#include "arch/x86_64/sections.h"
#include "lib/crc32.h"
#include "lib/format.h"

struct symbol {
	uint32_t offset; /* from the image's start */
	uint32_t name;   /* from the first name */
};

struct symbol_table {
	uint32_t count;
	uint32_t reserved;
	struct symbol symbols[];
};

static const struct symbol_table *table(void)
{
	return (const struct symbol_table *)__ksyms_start;
}

static const char *symbol_name(uint32_t index)
{
	const char *names = (const char *)&table()->symbols[table()->count];

	return names + table()->symbols[index].name;
}

/* The last symbol at or below offset. There is one: the first symbol is the image's first byte. */
static uint32_t find(uint32_t offset)
{
	uint32_t low = 0, high = table()->count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (table()->symbols[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* A function ends where the next begins, the last one with the code. back: 1 to name the byte
 * before, 0 for the address itself. */
static void format(uintptr_t address, unsigned int back, char *text, size_t size)
{
	uintptr_t start = (uintptr_t)__kernel_start;
	uint32_t index, offset, end;

	if (table()->count == 0 || address - back < start ||
	    address - back >= (uintptr_t)__text_end) {
		fmt_snprintf(text, size, "0x%lx", address);
		return;
	}
	offset = (uint32_t)(address - start);
	index = find(offset - back);
	end = index + 1 < table()->count ? table()->symbols[index + 1].offset
					 : (uint32_t)((uintptr_t)__text_end - start);
	fmt_snprintf(text, size, "%s+0x%x/0x%x", symbol_name(index),
		     offset - table()->symbols[index].offset, end - table()->symbols[index].offset);
}

void ksyms_format(uintptr_t address, char *text, size_t size)
{
	format(address, 0, text, size);
}

void ksyms_format_return(uintptr_t address, char *text, size_t size)
{
	format(address, 1, text, size);
}

uint32_t ksyms_build(void)
{
	static uint32_t build;

	if (!build)
		build = crc32(__text_start, (uintptr_t)__text_end - (uintptr_t)__text_start);
	return build;
}
