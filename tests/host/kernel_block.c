#include "tests/host/kernel_block.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc32.h"
#include "lib/format.h"
#include "mm/port.h"

/* Symbols that kernel/boot_info.c needs; _start is that of the program. The image has BLOCK_SIZE.
 */
const char __kernel_start[1];
__asm__(".globl __kernel_end\n.set __kernel_end, __kernel_start + 0x66000");
_Static_assert(BLOCK_SIZE == 0x66000, "__kernel_end");
uintptr_t mm_host_offset;

char block_panic_text[200];
jmp_buf *block_panic_jump;

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(block_panic_text, sizeof(block_panic_text), fmt, ap);
	va_end(ap);
	if (!block_panic_jump)
		abort();
	longjmp(*block_panic_jump, 1);
}

const struct boot_info_image block_image = { BLOCK_VIRT, BLOCK_SIZE, BLOCK_VIRT };

void block_make(struct boot_info *info)
{
	memset(info, 0, sizeof(*info));
	info->magic = BOOT_INFO_MAGIC;
	info->version = BOOT_INFO_VERSION;
	info->size = sizeof(*info);
	info->boot_drive = 0x80;
	info->disk_method = DISK_EDD;
	info->map_source = MAP_E820;
	info->e820_count = 1;
	info->kernel_phys = BLOCK_PHYS;
	info->kernel_virt = BLOCK_VIRT;
	info->kernel_size = BLOCK_SIZE;
	info->kernel_entry = BLOCK_VIRT;
	info->range_count = 2;
	info->ranges[0] = (struct boot_range){ 0, 0x80000, RANGE_STAGE2, 0 };
	info->ranges[1] = (struct boot_range){ BLOCK_PHYS, BLOCK_SIZE, RANGE_KERNEL, 0 };
	memcpy(info->cmdline, "mem=64M run=exit 0", sizeof("mem=64M run=exit 0"));
}

void block_seal(struct boot_info *info)
{
	info->crc32 = 0;
	info->crc32 = crc32(info, sizeof(*info));
}
