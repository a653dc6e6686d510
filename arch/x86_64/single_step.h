/*
 * single_step.h: the debug exception's part in arch_single_step().
 */
#ifndef ARCH_X86_64_SINGLE_STEP_H
#define ARCH_X86_64_SINGLE_STEP_H

#include <stdbool.h>

struct trap_frame;

/* Of vector 1. False when nobody asked for this exception. */
bool single_step_trap(struct trap_frame *frame);

/* Made by single_step.asm: calls call with TF set, and where that call returns to. */
void single_step_call(void (*call)(void));
extern const char single_step_return[];

#endif
