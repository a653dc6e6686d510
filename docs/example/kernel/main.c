/*
 * main.c: a complete kernel that the loader of this project boots. It has its own entry, a log, and
 * the steps to alloc_pages(). The rest of the port of mm/ is contrib/'s.
 */
#include <cpuid.h>

#include "contrib/kmalloc.h"
#include "contrib/one_cpu.h"
#include "contrib/page_tables.h"
#include "contrib/ranges.h"
#include "include/boot_info.h"
#include "lib/crc32.h"
#include "lib/e820.h"
#include "mm/check.h"
#include "mm/zone.h"

/* The loader's stack is in its own memory, so the entry changes to this one. RDI is boot_info. */
__asm__(".globl _start\n"
	"_start:\n"
	"	lea stack + 0x4000(%rip), %rsp\n"
	"	call kernel_main\n");
__attribute__((used, aligned(16))) static char stack[0x4000];

static uint8_t line_status(void)
{
	uint8_t status;

	__asm__ volatile("inb %w1, %0" : "=a"(status) : "Nd"(0x3fd));
	return status;
}

/* Writes to COM1, which the loader has set up, as soon as bit 5 of the line status allows it. */
void kernel_put(char c)
{
	while (!(line_status() & 0x20))
		;
	__asm__ volatile("outb %0, %w1" : : "a"(c), "Nd"(0x3f8));
}

/* Ends QEMU by its device at port 0xf4. A machine without it halts. */
void kernel_stop(unsigned int status)
{
	__asm__ volatile("outb %b0, $0xf4" : : "a"(status + 1));
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void check_boot_info(struct boot_info *info)
{
	uint32_t crc = info->crc32;

	if (info->magic != BOOT_INFO_MAGIC)
		panic("boot_info: its first word is 0x%lx, not the magic number", info->magic);
	if (info->version != BOOT_INFO_VERSION || info->size != sizeof(*info))
		panic("boot_info: version %u, %u bytes; this kernel knows version %u, %lu bytes",
		      info->version, info->size, BOOT_INFO_VERSION, sizeof(*info));
	info->crc32 = 0; /* as it was when the CRC was computed */
	if (crc32(info, sizeof(*info)) != crc)
		panic("boot_info: it is damaged, its CRC is not 0x%x", crc);
}

/* Makes one list of the firmware's ranges and of the loader's, and returns its length. */
static size_t list_ranges(struct memory_range *to, const struct boot_info *info)
{
	static struct e820_map map;
	size_t nr = 0;

	e820_sanitize(&map, info->e820, info->e820_count);
	for (const struct e820_range *r = map.ranges; r < map.ranges + map.nr_ranges; r++)
		to[nr++] = (struct memory_range){ r->base, r->size, memory_type_of_e820(r->type) };
	/* The loader's page tables and its GDT stay in use, its boot_info does not. */
	for (const struct boot_range *r = info->ranges; r < info->ranges + info->range_count; r++)
		to[nr++] = (struct memory_range){ r->base, r->size,
						  r->kind == RANGE_BOOT_INFO ? MEMORY_LOADER
									     : MEMORY_IMAGE };
	return nr;
}

__attribute__((used, noreturn)) static void kernel_main(struct boot_info *info)
{
	static struct memory_range ranges[E820_MAX_RANGES + BOOT_INFO_MAX_RANGES];
	struct page_tables_config config = { .seen_end = 1ull << 32 }; /* one to one */
	unsigned int a, b, c, d = 0;

	check_boot_info(info);
	ranges_to_memblock(ranges, list_ranges(ranges, info));
	__asm__("mov %%cr3, %0" : "=r"(config.root));
	config.pages_1g = __get_cpuid(0x80000001, &a, &b, &c, &d) && d >> 26 & 1;
	page_tables_init(&config);
	page_tables_direct_map();
	ranges_start(__builtin_ia32_rdtsc());
	kmalloc_init();
	printk("%lu KiB of the loader's are free now\n", ranges_give_back() >> 10);
	printk("kmalloc(100) returns 0x%lx\n", (uintptr_t)kmalloc(100, GFP_KERNEL));
	printk("%lu pages are free\n", nr_free_pages());
	kernel_stop(mm_check() != 0);
}
