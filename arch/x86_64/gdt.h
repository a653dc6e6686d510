/*
 * gdt.h: the kernel's segments, and the stacks to which the processor switches for some exceptions.
 */
#ifndef ARCH_X86_64_GDT_H
#define ARCH_X86_64_GDT_H

#include <stdint.h>

/* Selectors: the index in the GDT times 8, for ring 0. */
#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define GDT_TSS  0x18 /* its descriptor takes two entries */
#define NR_GDT   5

/* Entries of the TSS's interrupt stack table, which the IDT refers to. IST_NONE: the processor
   stays on the current stack. */
enum interrupt_stack { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK };

/* The task state segment, SDM 3A, figure 8-11. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[n - 1] has the number n in the IDT */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base; /* past the limit: no I/O map */
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3A, figure 8-11");

/* Loads this CPU's GDT, the segment registers and the task register. */
void gdt_init(void);

#endif
