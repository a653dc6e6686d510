/*
 * safe.c: safe mode, for machines that boot not at all or not every time. The user asks for it by
 * holding SHIFT as stage2 begins, or by the word `safe` in CMDLINE.TXT. In safe mode
 *
 *   the screen is set to text mode, even if the BIOS claims that it is in text mode already;
 *   the disk is read by CHS, if the BIOS reports a geometry, one sector per call: the oldest
 *   method, which every BIOS supports;
 *   each step and each BIOS call is printed before it is made (progress.c);
 *   the kernel uses no frame caches, logs its steps, and prints memblock's arrays once.
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

/* Interrupts are on during the call, because some BIOSes poll a USB keyboard only then. The BIOS's
   own variable is read as well, because not every BIOS has the call. */
void safe_ask(void)
{
	struct bios_regs regs = { .eax = 0x0200, .flags = FLAGS_INTERRUPT };

	bios_call(0x16, &regs);
	boot_info.shift_flags = (uint8_t)regs.eax | bda_shift_flags;
	if (boot_info.shift_flags & SHIFT_KEYS)
		safe_mode(SAFE_SHIFT);
}
