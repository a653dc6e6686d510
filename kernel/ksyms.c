#include "kernel/ksyms.h"

#include "arch/x86_64/sections.h"
#include "lib/format.h"

struct symbol {
	uint32_t offset; /* from the image's start */
	uint32_t name;   /* from the first name */
};

struct symbol_table {
	uint32_t count;
	uint32_t build;
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

/*
 * Returns the index of the last symbol at or below offset. There always is one, since the first
 * symbol is at the image's first byte, offset 0.
 */
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

/*
 * Writes address relative to the function that the byte at `within` belongs to. A function ends
 * where the next one begins, the last one where the code ends.
 */
static void format(uintptr_t address, uintptr_t within, char *text, size_t size)
{
	uintptr_t start = (uintptr_t)__kernel_start;
	uint32_t index, offset, end;

	if (table()->count == 0 || within < start || within >= (uintptr_t)__text_end) {
		fmt_snprintf(text, size, "0x%lx", address);
		return;
	}
	offset = (uint32_t)(address - start);
	index = find((uint32_t)(within - start));
	end = index + 1 < table()->count ? table()->symbols[index + 1].offset
					 : (uint32_t)((uintptr_t)__text_end - start);
	fmt_snprintf(text, size, "%s+0x%x/0x%x", symbol_name(index),
		     offset - table()->symbols[index].offset, end - table()->symbols[index].offset);
}

void ksyms_format(uintptr_t address, char *text, size_t size)
{
	format(address, address, text, size);
}

void ksyms_format_return(uintptr_t address, char *text, size_t size)
{
	format(address, address - 1, text, size);
}

uint32_t ksyms_build(void)
{
	return table()->build;
}
