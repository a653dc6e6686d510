/*
 * sections.h: the borders of the kernel's image and of its stacks, which kernel.ld defines.
 *
 * These symbols are addresses. All but _start are multiples of PAGE_SIZE.
 */
#ifndef ARCH_X86_64_SECTIONS_H
#define ARCH_X86_64_SECTIONS_H

#include <stdint.h>

extern const char __kernel_start[], __kernel_end[];
extern const char __text_start[], __text_end[];     /* R-X */
extern const char __rodata_start[], __rodata_end[]; /* R-- */
extern char __data_start[], __data_end[];           /* RW-, .bss and stacks included */
extern const char __ksyms_start[], __ksyms_end[];   /* R-- */
extern const char _start[];                         /* the entry point */

/*
 * The stacks of a CPU. A stack is [bottom, top). The page at guard, directly below bottom, is not
 * mapped once the kernel's own page tables are in use.
 */
enum stack_id { STACK_KERNEL, STACK_NMI, STACK_DOUBLE_FAULT, STACK_MACHINE_CHECK, NR_STACKS };

struct kernel_stack {
	const char *name;
	const char *guard;
	const char *bottom;
	const char *top;
};

/* CPU 0's, which are in the image. percpu.h leads to those of all CPUs. */
extern struct kernel_stack boot_stacks[NR_STACKS];

/* Returns the stack that contains address, of any CPU, or NULL if none does. O(CPUs). */
const struct kernel_stack *stack_of(uintptr_t address);

/* Returns the stack whose guard page contains address, of any CPU, or NULL. An access there is a
   stack overflow. */
const struct kernel_stack *stack_guarded_by(uintptr_t address);

#endif
