/*
 * main.c: the steps of stage2, one per line in stage2_main(), up to the jump into the kernel.
 *
 * This code runs in 32-bit protected mode; each BIOS call switches to real mode and back, until
 * bp_protected(). A step that cannot do its part prints the reason and halts. If a step hangs, the
 * last progress code on port 80h and on the screen names it. The bp_ functions exist only as places
 * where a debugger can stop.
 */
#include "lib/crc32.h"
#include "lib/string.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"

#define PIC1_MASK         0x21
#define PIC2_MASK         0xa1
#define PIC_ALL           0xff

#define FIRST_HARD_DISK   0x80
#define FLOPPY_OUTPUT     0x3f2 /* the digital output register of the 82077AA */
#define FLOPPY_MOTORS_OFF 0x0c  /* motors off; no reset, DMA and interrupt stay enabled */

/* Aligned so that no two are adjacent: gdb reports a stop one byte after a breakpoint as a hit of
   that breakpoint. */
#define BREAKPOINT        __attribute__((noinline, noclone, aligned(16)))

void stage2_main(void);
void bp_e820(void);
void bp_protected(void);
void exception(uint32_t vector, uint32_t code, uint32_t eip);
void exception_long(uint32_t vector, uint32_t code, uint64_t rip);
__attribute__((noreturn)) void long_mode(uint32_t cr3, uint32_t efer, uint64_t entry,
					 uint32_t info); /* long.asm */

/* Marks the point where the memory map has been read: boot_info.e820 and memory_map are filled. */
BREAKPOINT void bp_e820(void)
{
	__asm__ volatile("");
}

/* Marks the point after the last BIOS call. */
BREAKPOINT void bp_protected(void)
{
	__asm__ volatile("");
}

/* Reports an exception in protected mode. exception.asm calls it. */
void exception(uint32_t vector, uint32_t code, uint32_t eip)
{
	fail("processor exception %u in stage2 at %08xh, error code %xh", vector, eip, code);
}

/* Reports an exception in long mode: in long.asm, or in the kernel before traps_init().
   exception64.asm calls it. */
void exception_long(uint32_t vector, uint32_t code, uint64_t rip)
{
	fail("processor exception %u at %016llxh, error code %xh: on the way into the kernel, "
	     "before it has handlers",
	     vector, (unsigned long long)rip, code);
}

void range_add(uint64_t base, uint64_t size, enum boot_range_kind kind)
{
	boot_info.ranges[boot_info.range_count++] = (struct boot_range){ base, size, kind, 0 };
}

static uint64_t address_of(const void *p)
{
	return (uintptr_t)p;
}

/* Clears boot_info and records in it the memory that the loader uses below 1 MiB. */
static void boot_info_begin(void)
{
	uint64_t tables_end = address_of(page_tables_end);

	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.magic = BOOT_INFO_MAGIC;
	boot_info.version = BOOT_INFO_VERSION;
	boot_info.size = sizeof(boot_info);
	range_add(0, address_of(stage2_load), RANGE_REAL_MODE);
	range_add(address_of(stage2_load), address_of(page_tables) - address_of(stage2_load),
		  RANGE_STAGE2);
	range_add(address_of(page_tables), tables_end - address_of(page_tables), RANGE_PAGE_TABLES);
	range_add(tables_end, address_of(&boot_info) - tables_end, RANGE_STAGE2);
	range_add(address_of(&boot_info), address_of(low_memory_end) - address_of(&boot_info),
		  RANGE_BOOT_INFO);
}

/* Completes boot_info with its CRC, which is 0 so far. Nothing may change in it afterwards. */
static void boot_info_seal(void)
{
	cpu_stamp(STAGE_LONG);
	boot_info.crc32 = crc32(&boot_info, sizeof(boot_info));
}

/* Makes the last BIOS call, with interrupts on so that the BIOS handles those that are pending.
   Then masks all interrupts. */
static void leave_bios(void)
{
	/* AH=01h, "is a key waiting?", changes nothing. */
	struct bios_regs regs = { .eax = 0x0100, .flags = FLAGS_INTERRUPT };

	bios_call(0x16, &regs);
	a20_enable();                     /* that call may have closed it */
	if (boot_drive < FIRST_HARD_DISK) /* the BIOS's timer can no longer stop the motor */
		outb(FLOPPY_OUTPUT, FLOPPY_MOTORS_OFF);
	outb(PIC1_MASK, PIC_ALL);
	outb(PIC2_MASK, PIC_ALL);
	console_leave_bios();
	cpu_stamp(STAGE_PROTECTED);
	bp_protected();
}

static void enter_kernel(void)
{
	say("booted from drive %02xh by %s, kernel to %#llx", boot_drive,
	    boot_info.disk_method == DISK_EDD ? "EDD" : "CHS",
	    (unsigned long long)boot_info.kernel_phys);
	boot_info_seal();
	long_mode((uint32_t)address_of(page_tables), cpu_enable_nx(), boot_info.kernel_entry,
		  (uint32_t)address_of(&boot_info));
}

static void step(enum progress code, void (*run)(void))
{
	progress_begin(code);
	run();
}

void stage2_main(void)
{
	boot_info_begin();
	console_init();
	step(PROGRESS_STAGE2, safe_ask);
	step(PROGRESS_CPU, cpu_check);
	step(PROGRESS_A20, a20_enable);
	step(PROGRESS_MEMORY, memory_read);
	bp_e820();
	step(PROGRESS_FAT, volume_open);
	step(PROGRESS_CMDLINE, options_load);
	step(PROGRESS_KERNEL, kernel_load);
	step(PROGRESS_RSDP, rsdp_find);
	step(PROGRESS_PROTECTED, leave_bios);
	step(PROGRESS_PAGING, paging_build);
	step(PROGRESS_LONG, enter_kernel);
}
