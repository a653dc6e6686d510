/*
 * bios.c: also traces the calls, and checks the canary below the stack that they run on.
 */
#include "stage2/bios.h"

#include "stage2/console.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"

#define STACK_CANARY 0x79726e63u /* entry.asm writes it */

extern uint32_t real_stack_bottom;

void bios_enter(uint32_t interrupt, struct bios_regs *regs); /* bios.asm */

/* Adds a call to the ring, or raises the count of the last one if both are equal. Before the first
   call the last one is an empty entry, which no call is equal to. */
static void record_call(struct boot_bios_call call)
{
	struct boot_bios_call *last =
	    &boot_info.bios_calls[(boot_info.bios_call_total - 1) % BOOT_INFO_BIOS_CALLS];

	if (last->interrupt == call.interrupt && last->ax == call.ax && last->ah == call.ah &&
	    last->flags == call.flags && last->tries < UINT16_MAX) {
		last->tries++;
		return;
	}
	boot_info.bios_calls[boot_info.bios_call_total++ % BOOT_INFO_BIOS_CALLS] = call;
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	struct boot_bios_call call = { .interrupt = interrupt, .tries = 1 };

	call.ax = (uint16_t)regs->eax;
	progress_call(&call);
	bios_enter(interrupt, regs);
	call.ah = reg_high(regs->eax);
	call.flags = (uint16_t)regs->flags;
	progress_return(&call);
	record_call(call);
	if (real_stack_bottom != STACK_CANARY) {
		real_stack_bottom = STACK_CANARY; /* fail() calls the BIOS too */
		fail("the BIOS overran the real-mode stack in INT %02xh AX=%04x", interrupt,
		     call.ax);
	}
	return (regs->flags & FLAGS_CARRY) == 0;
}

void bios_teletype(char c)
{
	struct bios_regs regs = { .flags = FLAGS_INTERRUPT };

	regs.eax = 0x0e00u | (uint8_t)c;
	regs.ebx = 7; /* page 0; grey text, should the mode be a graphics mode */
	bios_enter(0x10, &regs);
}
