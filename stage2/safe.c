/*
 * safe.c: safe mode, for machines that do not boot, or not always: SHIFT held as stage2 begins, or
 * the word `safe` in CMDLINE.TXT. From then on
 *
 *   the screen is set to text mode, whatever the BIOS says it is in;
 *   the disk is read by cylinder, head and sector where that reaches, one sector a call: what every
 *   BIOS can do, and has been able to for longest;
 *   steps and BIOS calls are named before they are made (progress.c);
 *   the kernel goes without caches of frames, and logs its steps and each change of memblock.
 */
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/disk.h"
#include "stage2/stage2.h"

#define SHIFT_KEYS 0x03 /* right, left */

extern const volatile uint8_t bda_shift_flags; /* low_memory.ld */

void safe_mode(enum boot_safe why)
{
	if (boot_info.safe)
		return;
	console_text_mode();
	boot_info.safe = why;
	disk_safe();
	say("safe mode (%s): text mode, CHS, single sectors, every BIOS call named",
	    why == SAFE_SHIFT ? "SHIFT is held" : "option safe");
}

/* Asked for with interrupts on: some BIOSes look at a USB keyboard only then. The byte that the
   answer comes from is looked at as well: not every BIOS knows the call. */
void safe_ask(void)
{
	struct bios_regs regs = { .eax = 0x0200, .flags = FLAGS_INTERRUPT };

	bios_call(0x16, &regs);
	boot_info.shift_flags = (uint8_t)regs.eax | bda_shift_flags;
	if (boot_info.shift_flags & SHIFT_KEYS)
		safe_mode(SAFE_SHIFT);
}
