/*
 * single_step.h: what arch_single_step() shares with the handler of the debug exception and with
 * single_step.asm.
 */
#ifndef ARCH_X86_64_SINGLE_STEP_H
#define ARCH_X86_64_SINGLE_STEP_H

#include <stdbool.h>

struct trap_frame;

/* Handles a debug exception (vector 1). Returns false if it does not belong to
   arch_single_step(). */
bool single_step_trap(struct trap_frame *frame);

/* Calls call with TF set, so that every instruction of it traps. */
void single_step_call(void (*call)(void));

/* The address to which that call returns. */
extern const char single_step_return[];

#endif
