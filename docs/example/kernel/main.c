/*
 * main.c: a complete kernel that the loader of this project boots. It has its own entry, a port of
 * mm/ for one CPU without interrupts, and the steps to alloc_pages(); the rest is contrib/'s.
 */
#include <cpuid.h>

#include "contrib/kmalloc.h"
#include "contrib/page_tables.h"
#include "contrib/printf.h"
#include "contrib/ranges.h"
#include "include/boot_info.h"
#include "lib/crc32.h"
#include "lib/e820.h"
#include "mm/check.h"
#include "mm/zone.h"

/* The loader's stack is in its own memory, so the entry changes to this one. RDI is boot_info. */
__asm__(".globl _start; _start: lea stack + 0x4000(%rip), %rsp; call kernel_main");
__attribute__((used, aligned(16))) static char stack[0x4000];

/* The port: one CPU, no interrupts. The loader has set COM1 up; QEMU ends at port 0xf4. */
/* clang-format off */
static void outb(uint16_t port, uint8_t value)
{ __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static uint8_t inb(uint16_t port)
{ uint8_t value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static void serial_put(void *unused, char c)
{ (void)unused; while (!(inb(0x3fd) & 0x20)) { } outb(0x3f8, (uint8_t)c); }
__attribute__((noreturn)) static void finish(uint8_t status)
{ outb(0xf4, (uint8_t)(status + 1)); for (;;) __asm__ volatile("cli; hlt"); }
#define SAY(fmt) va_list ap; va_start(ap, fmt); vprint_to(serial_put, NULL, fmt, ap); va_end(ap)
int printk(const char *fmt, ...) { SAY(fmt); return 0; }
void panic(const char *fmt, ...) { SAY(fmt); printk(": panic\n"); finish(1); }
void dump_stack(void) { }
unsigned int port_cpu_id(void) { return 0; }
unsigned long port_irq_save(void) { return 0; }
void port_irq_restore(unsigned long flags) { (void)flags; }
unsigned int port_nr_cpus(void) { return 1; }
bool port_may_wait(void) { return true; }
void port_on_each_cpu(void (*function)(void *), void *argument) { function(argument); }
void port_map_frames(pfn_t pfn, uint64_t nr) { (void)pfn; (void)nr; }
void port_unmap_frames(pfn_t pfn, uint64_t nr) { (void)pfn; (void)nr; }
void port_site_name(uintptr_t site, char *text, size_t size)
{ print_text(text, size, "0x%lx", site); }
/* clang-format on */

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

/* Makes one list of the firmware's RAM and of the loader's ranges, and returns its length. */
static size_t list_ranges(struct memory_range *to, const struct boot_info *info)
{
	static struct e820_map map;
	size_t nr = 0;

	e820_sanitize(&map, info->e820, info->e820_count);
	for (const struct e820_range *r = map.ranges; r < map.ranges + map.nr_ranges; r++)
		if (r->type == E820_TYPE_RAM)
			to[nr++] = (struct memory_range){ r->base, r->size, MEMORY_USABLE };
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
	finish(mm_check() != 0);
}
