/*
 * traps.h: the vectors, the registers that traps.asm saves on the stack, and the C function that it
 * calls with them.
 */
#ifndef ARCH_X86_64_TRAPS_H
#define ARCH_X86_64_TRAPS_H

#include <stdint.h>

#define NR_VECTORS      256
#define VECTOR_DEBUG    1
#define VECTOR_NMI      2
#define VECTOR_DOUBLE   8
#define VECTOR_PAGE     14
#define VECTOR_MCE      18
#define NR_EXCEPTIONS   32
#define VECTOR_IRQ0     32 /* the first of the interrupt controllers' 16 lines */
#define NR_IRQS         16
#define VECTOR_CALL     254        /* another CPU wants something: ipi.h */
#define VECTOR_SPURIOUS 255        /* of the local APIC */
#define VECTOR_NONE     NR_VECTORS /* in a frame that panic.asm saved: there was no exception */

/* The registers of the interrupted code. traps.asm pushes them from the last to the first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* the processor's error code, 0 for vectors without one */
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * sizeof(uint64_t), "what traps.asm pushes");

/* Handles an exception or interrupt. traps.asm calls it for every vector, with interrupts off. If
   it returns, the interrupted code continues with the registers in *frame. */
void trap_dispatch(struct trap_frame *frame);

/* Loads the GDT and the IDT on a CPU other than CPU 0, for which traps_init() (arch.h) does it. */
void traps_load(void);

/* The entry points of traps.asm: one per vector, TRAP_STUB_SIZE bytes apart. */
#define TRAP_STUB_SIZE 16
extern const char trap_stubs[];

#endif
