/*
 * percpu.h: what each CPU has for itself. The base of GS is the address of the CPU's own area, from
 * the kernel's first instruction on; a CPU reaches the areas of others by percpus[].
 *
 *	GS base ─▶ struct percpu
 *	 + PERCPU_CACHES  the allocator's memory for this CPU (mm/cpu.h), with the symbols
 *	                  cpu_table and cpu_home at its beginning (mm/port.h: MM_CPU_SPACE)
 *
 * The area of CPU 0 is static. That of another CPU is allocated on its node before it is started,
 * as are its stacks.
 */
#ifndef ARCH_X86_64_PERCPU_H
#define ARCH_X86_64_PERCPU_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/gdt.h"
#include "arch/x86_64/sections.h"
#include "arch/x86_64/traps.h"
#include "mm/port.h"

/* Offsets that assembly and port_config.h know. */
#define PERCPU_NUMBER       8
#define PERCPU_PANIC        64
#define PERCPU_CACHES       1024

#define PERCPU_CALLER_WORDS (MM_MAX_CPUS / 64)

struct percpu { /* NOLINT(clang-analyzer-optin.performance.Padding): lines of their own */
	struct percpu *self;
	unsigned int number;
	uint32_t apic_id;
	struct kernel_stack *stacks; /* NR_STACKS of them */
	uint64_t reserved[5];

	struct trap_frame panic_frame; /* the registers of panic()'s caller: panic.asm */

	uint64_t gdt[NR_GDT];
	struct tss tss;

	/* What this CPU asks of others, and how many have not done it: port_on_each_cpu(). */
	struct {
		void (*function)(void *argument);
		void *argument;
		unsigned int left;
	} call;

	/* Written by other CPUs from here on. */
	uint64_t callers[PERCPU_CALLER_WORDS] __attribute__((aligned(MM_LINE)));

	void (*work)(void *argument); /* what cpus_begin() wants to be run; NULL: nothing */
	void *argument;
	bool busy; /* work has been given, and has not returned */

	bool online;
	const struct trap_frame *stopped; /* where cpus_stop() stopped this CPU; NULL: it did not */
} __attribute__((aligned(MM_LINE)));

_Static_assert(offsetof(struct percpu, number) == PERCPU_NUMBER, "port_config.h");
_Static_assert(offsetof(struct percpu, panic_frame) == PERCPU_PANIC, "panic.asm");
_Static_assert(sizeof(struct percpu) <= PERCPU_CACHES, "the allocator's memory follows");

/* The areas, by the CPU's number. NULL: that CPU has none. */
extern struct percpu *percpus[MM_MAX_CPUS];

/* Returns this CPU's area. */
static inline struct percpu *this_cpu(void)
{
	struct percpu *self;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(self));
	return self;
}

/* Completes the area of CPU 0, to which entry.asm has set GS. The first of the boot's steps. */
void percpu_init(void);

/*
 * Allocates the area of a CPU and its stacks on its node, and makes it one that may use the
 * allocator. Returns NULL when there is no memory.
 */
struct percpu *percpu_alloc(unsigned int number, uint32_t apic_id);

/* Gives back what percpu_alloc() has allocated for a CPU that does not come. */
void percpu_free(struct percpu *cpu);

/* Makes an area the one that GS leads to on this CPU. */
void percpu_load(struct percpu *cpu);

/*
 * Returns whether GS leads to this CPU's own area, with the number and the APIC id of this CPU, and
 * whether its stack is that of the area. For the self-test.
 */
bool percpu_check(void);

#endif
