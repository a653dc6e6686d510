/*
 * gdt.h: the kernel's segments, and the stacks to which the processor switches for some exceptions.
 */
#ifndef ARCH_X86_64_GDT_H
#define ARCH_X86_64_GDT_H

/* Selectors: the index in the GDT times 8, for ring 0. */
#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define GDT_TSS  0x18 /* its descriptor takes two entries */

/* Entries of the TSS's interrupt stack table, which the IDT refers to. IST_NONE: the processor
   stays on the current stack. */
enum interrupt_stack { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK };

/* Loads the GDT, the segment registers and the task register. */
void gdt_init(void);

#endif
