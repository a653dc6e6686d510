/*
 * stacks.c: CPU 0's stacks, which kernel.ld places in .bss, and the search of all CPUs' stacks.
 */
#include "arch/x86_64/percpu.h"

#define DECLARE(symbol) extern const char symbol##_guard[], symbol[], symbol##_top[]
#define BORDERS(symbol) symbol##_guard, symbol, symbol##_top

DECLARE(__boot_stack);
DECLARE(__nmi_stack);
DECLARE(__double_fault_stack);
DECLARE(__machine_check_stack);

struct kernel_stack boot_stacks[NR_STACKS] = {
	[STACK_KERNEL] = { "kernel", BORDERS(__boot_stack) },
	[STACK_NMI] = { "NMI", BORDERS(__nmi_stack) },
	[STACK_DOUBLE_FAULT] = { "double fault", BORDERS(__double_fault_stack) },
	[STACK_MACHINE_CHECK] = { "machine check", BORDERS(__machine_check_stack) },
};

/* Returns the first stack of any CPU for which one of its two parts, the guard page or the stack
   itself, contains address. */
static const struct kernel_stack *find(uintptr_t address, bool in_guard)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		for (size_t i = 0; percpus[cpu] && percpus[cpu]->stacks && i < NR_STACKS; i++) {
			const struct kernel_stack *stack = &percpus[cpu]->stacks[i];
			uintptr_t start = (uintptr_t)(in_guard ? stack->guard : stack->bottom);
			uintptr_t end = (uintptr_t)(in_guard ? stack->bottom : stack->top);

			if (address >= start && address < end)
				return stack;
		}
	return NULL;
}

const struct kernel_stack *stack_of(uintptr_t address)
{
	return find(address, false);
}

const struct kernel_stack *stack_guarded_by(uintptr_t address)
{
	return find(address, true);
}
