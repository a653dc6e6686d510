/*
 * single_step.c: runs a function one instruction at a time.
 *
 *	single_step_call:   TF on ─▶ callee ─▶ single_step_return: TF off
 *	                            │ ▲ each instruction
 *	                            ▼ │
 *	                  vector 1: single_step_trap() ─▶ visit()
 *
 * The interrupt gate clears TF, and IRETQ restores it. So neither visit() nor the handler of an
 * interrupt is stepped, and no instruction of the callee is left out. PUSHF in the callee stores TF
 * with the other flags. That is harmless unless these flags are restored as a whole after the end;
 * port_irq_restore() uses only IF.
 *
 * That the trap is a step's is read from the saved flags, not from DR6: on a virtual machine each
 * access to a debug register ends in the host, which doubles what a step takes there.
 */
#include "arch/x86_64/single_step.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/traps.h"

static arch_visit_fn visit_each;
static const struct trap_frame *visited; /* while visit_each() runs: the registers */

void arch_single_step(void (*call)(void), arch_visit_fn visit)
{
	visit_each = visit;
	single_step_call(call);
	visit_each = NULL;
	write_dr6(DR6_NONE); /* the processor sets these bits but never clears them */
}

int arch_next_accesses(struct arch_access access[ARCH_MAX_ACCESSES])
{
	struct insn insn;

	if (!insn_decode(&insn, (const uint8_t *)visited->rip, visited, rdmsr(MSR_GS_BASE)))
		return -1;
	for (unsigned int i = 0; i < insn.nr_accesses; i++)
		access[i] = insn.access[i];
	return (int)insn.nr_accesses;
}

bool single_step_trap(struct trap_frame *frame)
{
	if (!visit_each || !(frame->rflags & RFLAGS_TF))
		return false;
	visited = frame;
	if (frame->rip == (uintptr_t)single_step_return ||
	    !visit_each(frame->rip, frame->rflags & RFLAGS_IF))
		frame->rflags &= ~RFLAGS_TF;
	return true;
}
