/*
 * boot_info.c: the order of the checks.
 *
 * Magic, version and size come first, as they tell whether the other fields have a meaning at all.
 * Then comes the CRC, which finds damage. Then come the fields that the kernel relies on, because a
 * faulty loader can compute a correct CRC over wrong values. What the firmware reported is kept as
 * it is: of int12_kib and ebda_segment only the size is checked, and ebda_start() in
 * kernel/memory/setup.c ignores values that make no sense.
 */
#include "kernel/boot_info.h"

#include <stdarg.h>

#include "arch/x86_64/sections.h"
#include "lib/crc32.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/port.h"

#define REAL_MODE_END    0x100000ull    /* 1 MiB: what real-mode code reaches */
#define MAPPED_BY_LOADER 0x100000000ull /* 4 GiB */
#define KERNEL_ALIGN     0x200000ull
#define MAX_INT12_KIB    1024u /* REAL_MODE_END in KiB: more cannot be low memory */
#define FLAGS_CARRY      0x0001u

struct boot_info boot_info;

struct check {
	struct boot_info *info;
	const struct boot_info_image *image;
	char *reason;
	size_t size;
};

/* Writes the reason and returns true, so that a check can end with: return !good && wrong(…). */
__attribute__((format(printf, 2, 3))) static bool wrong(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(c->reason, c->size, fmt, ap);
	va_end(ap);
	return true;
}

/* Returns whether value lies in [low, high]; writes a reason that names the field if not. */
static bool in_bounds(struct check *c, const char *field, uint64_t value, uint64_t low,
		      uint64_t high)
{
	if (value >= low && value <= high)
		return true;
	wrong(c, "%s is 0x%lx, not between 0x%lx and 0x%lx", field, value, low, high);
	return false;
}

/*
 * Each of the functions below that has a struct check and a name in …is_wrong or …are_wrong returns
 * whether a part of c->info is wrong, and then writes the reason to c->reason.
 */

static bool header_is_wrong(struct check *c)
{
	const struct boot_info *info = c->info;

	if (info->magic != BOOT_INFO_MAGIC)
		return wrong(c, "magic is 0x%016lx, not 0x%016llx", info->magic, BOOT_INFO_MAGIC);
	if (info->version != BOOT_INFO_VERSION)
		return wrong(c, "version is %u, this kernel knows %u", info->version,
			     BOOT_INFO_VERSION);
	if (info->size != sizeof(*info))
		return wrong(c, "size is %u, not %zu", info->size, sizeof(*info));
	return false;
}

static bool crc_is_wrong(struct check *c)
{
	uint32_t said = c->info->crc32;
	uint32_t computed;

	c->info->crc32 = 0;
	computed = crc32(c->info, sizeof(*c->info));
	c->info->crc32 = said;
	return said != computed && wrong(c, "crc32 is 0x%08x, computed 0x%08x", said, computed);
}

static bool scalars_are_wrong(struct check *c)
{
	const struct boot_info *info = c->info;

	return !in_bounds(c, "boot_drive", info->boot_drive, 0, 0xff) ||
	       !in_bounds(c, "disk_method", info->disk_method, DISK_EDD, DISK_CHS) ||
	       !in_bounds(c, "map_source", info->map_source, MAP_E820, MAP_INT12) ||
	       !in_bounds(c, "map_faults", info->map_faults, 0, MAP_FAULT_ALL) ||
	       !in_bounds(c, "int12_kib", info->int12_kib, 0, MAX_INT12_KIB) ||
	       !in_bounds(c, "ebda_segment", info->ebda_segment, 0, 0xffff) ||
	       !in_bounds(c, "e820_count", info->e820_count, 1, E820_MAX_RAW) ||
	       !in_bounds(c, "range_count", info->range_count, 1, BOOT_INFO_MAX_RANGES) ||
	       !in_bounds(c, "cmdline_faults", info->cmdline_faults, 0, CMDLINE_FAULT_ALL) ||
	       !in_bounds(c, "cmdline_replaced", info->cmdline_replaced, 0,
			  BOOT_INFO_CMDLINE_SIZE) ||
	       !in_bounds(c, "safe", info->safe, SAFE_OFF, SAFE_OPTION) ||
	       !in_bounds(c, "shift_flags", info->shift_flags, 0, 0xff) ||
	       !in_bounds(c, "rsdp", info->rsdp, 0, REAL_MODE_END - 1);
}

static bool kernel_is_wrong(struct check *c)
{
	const struct boot_info *info = c->info;

	if (info->kernel_virt != c->image->virt)
		return wrong(c, "kernel_virt is 0x%lx, linked at 0x%lx", info->kernel_virt,
			     c->image->virt);
	if (info->kernel_size != c->image->size)
		return wrong(c, "kernel_size is 0x%lx, the image has 0x%lx", info->kernel_size,
			     c->image->size);
	if (info->kernel_entry != c->image->entry)
		return wrong(c, "kernel_entry is 0x%lx, not 0x%lx", info->kernel_entry,
			     c->image->entry);
	if (info->kernel_phys % KERNEL_ALIGN)
		return wrong(c, "kernel_phys is 0x%lx, not 2 MiB aligned", info->kernel_phys);
	return !in_bounds(c, "kernel_phys", info->kernel_phys, REAL_MODE_END,
			  MAPPED_BY_LOADER - info->kernel_size);
}

static bool range_is_wrong(struct check *c, uint32_t index)
{
	const struct boot_range *range = &c->info->ranges[index];

	if (range->kind < RANGE_REAL_MODE || range->kind > RANGE_KERNEL)
		return wrong(c, "ranges[%u].kind is %u", index, range->kind);
	if (range->size == 0 || range->base >= MAPPED_BY_LOADER ||
	    range->size > MAPPED_BY_LOADER - range->base)
		return wrong(c, "ranges[%u] is 0x%lx bytes at 0x%lx: empty or not below 4 GiB",
			     index, range->size, range->base);
	return false;
}

/* Returns whether a range of that kind contains all of [base, base + size). No sum overflows, since
   what does not lie below 4 GiB has been refused before. */
static bool has_range_around(const struct boot_info *info, enum boot_range_kind kind, uint64_t base,
			     uint64_t size)
{
	for (uint32_t i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];

		if (range->kind == (uint32_t)kind && range->base <= base &&
		    base + size <= range->base + range->size)
			return true;
	}
	return false;
}

/*
 * Checks the ranges that the loader occupies. One of them must hold the kernel's image: memblock
 * reserves these ranges, and an image that is in none of them would be handed out as free memory.
 */
static bool ranges_are_wrong(struct check *c)
{
	for (uint32_t i = 0; i < c->info->range_count; i++)
		if (range_is_wrong(c, i))
			return true;
	return !has_range_around(c->info, RANGE_KERNEL, c->info->kernel_phys,
				 c->info->kernel_size) &&
	       wrong(c, "ranges: none of kind %u holds the kernel", RANGE_KERNEL);
}

static bool text_is_wrong(struct check *c, const char *name, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0')
			return false;
		if (text[i] < ' ' || text[i] > '~')
			return wrong(c, "%s[%zu] is 0x%02x, not printable", name, i,
				     (unsigned char)text[i]);
	}
	return wrong(c, "%s has no end", name);
}

bool boot_info_is_wrong(struct boot_info *info, const struct boot_info_image *image, char *reason,
			size_t size)
{
	struct check c = { info, image, reason, size };

	return header_is_wrong(&c) || crc_is_wrong(&c) || scalars_are_wrong(&c) ||
	       kernel_is_wrong(&c) || ranges_are_wrong(&c) ||
	       text_is_wrong(&c, "cmdline", info->cmdline, sizeof(info->cmdline)) ||
	       text_is_wrong(&c, "dropped", info->dropped, sizeof(info->dropped));
}

void boot_info_init(phys_addr_t phys)
{
	struct boot_info_image image = {
		.virt = (uint64_t)__kernel_start,
		.size = (uint64_t)__kernel_end - (uint64_t)__kernel_start,
		.entry = (uint64_t)_start,
	};
	char reason[160];

	if (phys == 0 || phys > REAL_MODE_END - sizeof(boot_info))
		panic("boot_info: the loader says it is at 0x%lx, which is not in low memory",
		      phys);
	memcpy(&boot_info, phys_to_virt(phys), sizeof(boot_info));
	if (boot_info_is_wrong(&boot_info, &image, reason, sizeof(reason))) {
		/* The commands of the prompt after a panic read it, and must not see nonsense. */
		memset(&boot_info, 0, sizeof(boot_info));
		panic("boot_info: %s", reason);
	}
}

void boot_info_print_calls(print_fn print, uint32_t max_calls)
{
	uint32_t total = boot_info.bios_call_total;
	uint32_t first = total > max_calls ? total - max_calls : 0;

	print("%u calls, the last %u:\n", total, total - first);
	for (uint32_t n = first; n < total; n++) {
		const struct boot_bios_call *call = &boot_info.bios_calls[n % BOOT_INFO_BIOS_CALLS];

		print("  INT %02xh AX=%04x: AH=%02x%s", call->interrupt, call->ax, call->ah,
		      call->flags & FLAGS_CARRY ? " carry" : "");
		if (call->tries > 1)
			print(", %u times", call->tries);
		print("\n");
	}
}
