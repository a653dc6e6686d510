/*
 * sections.h: borders of the kernel's image and its stacks, from arch/x86_64/kernel.ld.
 *
 * All of these are addresses of page borders; nothing may be read through them but what lies there.
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
 * Stacks: [bottom, top) is mapped, the page at guard, directly below bottom, is not once the
 * kernel's own page tables are in use.
 */
enum stack_id { STACK_BOOT, STACK_NMI, STACK_DOUBLE_FAULT, STACK_MACHINE_CHECK, NR_STACKS };

struct kernel_stack {
	const char *name;
	const char *guard;
	const char *bottom;
	const char *top;
};

extern const struct kernel_stack kernel_stacks[NR_STACKS];

/* The stack that has address between bottom and top; null when none has. */
const struct kernel_stack *stack_of(uintptr_t address);

/* The stack whose guard page has address: it has overflowed. Null when none. */
const struct kernel_stack *stack_guarded_by(uintptr_t address);

#endif
