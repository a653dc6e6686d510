/*
 * stacks.c: the table of the kernel's stacks. kernel.ld places them in .bss.
 */
#include "arch/x86_64/sections.h"

#include <stddef.h>

#define DECLARE(symbol) extern const char symbol##_guard[], symbol[], symbol##_top[]
#define BORDERS(symbol) symbol##_guard, symbol, symbol##_top

DECLARE(__boot_stack);
DECLARE(__nmi_stack);
DECLARE(__double_fault_stack);
DECLARE(__machine_check_stack);

const struct kernel_stack kernel_stacks[NR_STACKS] = {
	[STACK_BOOT] = { "kernel", BORDERS(__boot_stack) },
	[STACK_NMI] = { "NMI", BORDERS(__nmi_stack) },
	[STACK_DOUBLE_FAULT] = { "double fault", BORDERS(__double_fault_stack) },
	[STACK_MACHINE_CHECK] = { "machine check", BORDERS(__machine_check_stack) },
};

const struct kernel_stack *stack_of(uintptr_t address)
{
	for (size_t i = 0; i < NR_STACKS; i++)
		if (address >= (uintptr_t)kernel_stacks[i].bottom &&
		    address < (uintptr_t)kernel_stacks[i].top)
			return &kernel_stacks[i];
	return NULL;
}

const struct kernel_stack *stack_guarded_by(uintptr_t address)
{
	for (size_t i = 0; i < NR_STACKS; i++)
		if (address >= (uintptr_t)kernel_stacks[i].guard &&
		    address < (uintptr_t)kernel_stacks[i].bottom)
			return &kernel_stacks[i];
	return NULL;
}
