/*
 * fixture.c: the functions of mm/port.h, and of the page allocator, that memblock calls.
 */
#include "tests/host/memblock/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mm/page.h"

struct memblock power_on;
char text[TEXT_SIZE];
size_t text_length;
char panic_text[256];
jmp_buf panic_jump;
bool panic_expected, slab_up, slab_empty;
unsigned int nr_traces, nr_kmallocs, nr_kfrees;
struct handed_over blocks[MAX_BLOCKS];
unsigned int nr_blocks;

int printk(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(text + text_length, sizeof(text) - text_length, fmt, ap);
	va_end(ap);
	text_length += (size_t)length;
	assert_true(text_length < sizeof(text));
	return length;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	if (panic_expected)
		longjmp(panic_jump, 1);
	fprintf(stderr, "# panic: %s", panic_text);
	abort();
}

void dump_stack(void)
{
	nr_traces++;
}

bool slab_is_available(void)
{
	return slab_up;
}

void *kmalloc(size_t size, unsigned int gfp)
{
	(void)gfp;
	nr_kmallocs++;
	return slab_empty ? NULL : malloc(size);
}

void kfree(const void *ptr)
{
	nr_kfrees++;
	free((void *)(uintptr_t)ptr);
}

void memblock_free_pages(struct page *page, unsigned long pfn, unsigned int order)
{
	assert_ptr_equal(page, pfn_to_page(pfn));
	assert_true(nr_blocks < sizeof(blocks) / sizeof(blocks[0]));
	blocks[nr_blocks++] = (struct handed_over){ pfn, order };
}

bool map_arena(void)
{
	void *arena = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	mm_host_offset = (uintptr_t)arena;
	power_on = memblock;
	return arena != MAP_FAILED;
}

void reset(void)
{
	memset(power_on.memory.regions, 0, 128 * sizeof(struct memblock_region));
	memset(power_on.reserved.regions, 0, 128 * sizeof(struct memblock_region));
	memblock = power_on;
	movable_node_enabled = slab_up = slab_empty = memblock_debug = false;
	text_length = nr_traces = nr_kmallocs = nr_kfrees = nr_blocks = 0;
	text[0] = 0;
}

void take(struct snapshot *shot)
{
	memset(shot, 0, sizeof(*shot));
	shot->fields = memblock;
	memcpy(shot->memory, memblock.memory.regions,
	       memblock.memory.max * sizeof(struct memblock_region));
	memcpy(shot->reserved, memblock.reserved.regions,
	       memblock.reserved.max * sizeof(struct memblock_region));
}

void assert_unchanged(const struct snapshot *shot)
{
	static struct snapshot now;

	take(&now);
	assert_memory_equal(&now, shot, sizeof(now));
}

void fill_up(struct memblock_type *type, unsigned long nr, phys_addr_t from)
{
	for (phys_addr_t base = from; type->cnt < nr; base += 0x2000)
		assert_int_equal(type == &memblock.memory ? memblock_add(base, 0x1000)
							  : memblock_reserve(base, 0x1000),
				 0);
}
