/*
 * traps.h: what the stubs of traps.asm leave on the stack, and who is called with it.
 */
#ifndef ARCH_X86_64_TRAPS_H
#define ARCH_X86_64_TRAPS_H

#include <stdint.h>

#define NR_VECTORS    256
#define VECTOR_DEBUG  1
#define VECTOR_NMI    2
#define VECTOR_DOUBLE 8
#define VECTOR_PAGE   14
#define VECTOR_MCE    18
#define NR_EXCEPTIONS 32
#define VECTOR_IRQ0   32 /* the interrupt controllers' 16 lines */
#define NR_IRQS       16
#define VECTOR_NONE   NR_VECTORS /* no exception: what panic.asm saved */

/* In the order of addresses: pushed last comes first. traps.asm pushes it. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* the processor's error code, 0 for vectors without one */
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * sizeof(uint64_t), "what traps.asm pushes");

/* Called by traps.asm for every vector, interrupts off. */
void trap_dispatch(struct trap_frame *frame);

/* Entry points, made by traps.asm: one a vector, TRAP_STUB_SIZE bytes apart. */
#define TRAP_STUB_SIZE 16
extern const char trap_stubs[];

#endif
