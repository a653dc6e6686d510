/*
 * single_step.c: a function run instruction by instruction.
 *
 *	single_step_call:   TF on ─▶ callee ─▶ single_step_return: TF off
 *	                            │ ▲ each instruction
 *	                            ▼ │
 *	                  vector 1: single_step_trap() ─▶ visit()
 *
 * The gate clears TF and IRETQ brings it back: visit() is not stepped, nor is an interrupt that
 * comes between two instructions, and none of the callee's is left out on its account. PUSHF in the
 * callee stores TF with the rest of the flags; nothing here is harmed by it as long as the same
 * flags are not taken back after the end (port_irq_restore() takes IF alone).
 */
#include "arch/x86_64/single_step.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/traps.h"

static arch_visit_fn visit_each;

void arch_single_step(void (*call)(void), arch_visit_fn visit)
{
	visit_each = visit;
	single_step_call(call);
	visit_each = NULL;
}

bool single_step_trap(struct trap_frame *frame)
{
	if (!visit_each || !(read_dr6() & DR6_BS))
		return false;
	write_dr6(DR6_NONE); /* the processor only ever sets it */
	if (frame->rip == (uintptr_t)single_step_return ||
	    !visit_each(frame->rip, frame->rflags & RFLAGS_IF))
		frame->rflags &= ~RFLAGS_TF;
	return true;
}
