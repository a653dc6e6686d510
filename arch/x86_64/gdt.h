/*
 * gdt.h: segments and the stacks that the processor switches to by itself.
 */
#ifndef ARCH_X86_64_GDT_H
#define ARCH_X86_64_GDT_H

#define GDT_CODE 0x08 /* selectors: an index times 8, ring 0 */
#define GDT_DATA 0x10
#define GDT_TSS  0x18 /* 16 bytes long */

/* Places in the TSS's stack table; the IDT names them. 0: stay on the stack in use. */
enum interrupt_stack { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK };

/* Loads GDT, segment registers and task register. */
void gdt_init(void);

#endif
