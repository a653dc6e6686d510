/*
 * stack_walk.c: finds return addresses by following the chain of frame pointers.
 *
 *	  …
 *	  return address   \ frame + 8
 *	  caller's RBP     / frame        every function begins with push rbp; mov rbp, rsp
 *	  …
 *
 * The stack itself may be damaged. So a frame is read only if all of it lies in the stack on which
 * the walk began, each frame must lie above the one before, and a return address must be in .text.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/sections.h"
#include "arch/x86_64/traps.h"

#define MAX_FRAMES 32

struct stack_frame {
	uintptr_t caller;
	uintptr_t return_address;
};

static bool is_code(uintptr_t address)
{
	return address >= (uintptr_t)__text_start && address < (uintptr_t)__text_end;
}

static bool is_frame(const struct kernel_stack *stack, uintptr_t address)
{
	return address % sizeof(uintptr_t) == 0 && address >= (uintptr_t)stack->bottom &&
	       address <= (uintptr_t)stack->top - sizeof(struct stack_frame);
}

static void walk(uintptr_t address, arch_call_fn visit)
{
	const struct kernel_stack *stack = stack_of(address);
	const bool is_return = true;

	if (!stack)
		return;
	for (int i = 0; i < MAX_FRAMES && is_frame(stack, address); i++) {
		const struct stack_frame *frame = (const struct stack_frame *)address;

		if (!is_code(frame->return_address))
			return;
		visit(frame->return_address, is_return);
		if (frame->caller <= address)
			return;
		address = frame->caller;
	}
}

void arch_walk_stack(const struct trap_frame *frame, arch_call_fn visit)
{
	if (frame) {
		visit(frame->rip, frame->vector == VECTOR_NONE);
		walk(frame->rbp, visit);
	} else {
		walk((uintptr_t)__builtin_frame_address(0), visit);
	}
}
