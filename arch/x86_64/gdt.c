/*
 * gdt.c: each CPU's segment table and task state segment (SDM 3A, 3.4.5 and 8.7).
 *
 * 64-bit mode ignores bases and limits. Only the mode of the code segment still matters, and the
 * TSS, which has separate stacks for three exceptions that may occur when the current stack cannot
 * be used: NMI, double fault (the result of a stack overflow) and machine check.
 */
#include "arch/x86_64/gdt.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"

/* Descriptor bits, SDM 3A, figure 3-8. */
#define SEGMENT_ACCESSED (1ull << 40) /* already set, so that the processor never writes it */
#define SEGMENT_WRITABLE (1ull << 41)
#define SEGMENT_CODE     (3ull << 43)
#define SEGMENT_DATA     (2ull << 43)
#define SEGMENT_TSS      (9ull << 40) /* 64-bit TSS, available */
#define SEGMENT_PRESENT  (1ull << 47)
#define SEGMENT_LONG     (1ull << 53)

static void make_gdt(struct percpu *cpu)
{
	uint64_t base = (uint64_t)&cpu->tss;
	uint64_t limit = sizeof(cpu->tss) - 1;

	cpu->gdt[GDT_CODE / 8] = SEGMENT_CODE | SEGMENT_ACCESSED | SEGMENT_PRESENT | SEGMENT_LONG;
	cpu->gdt[GDT_DATA / 8] =
	    SEGMENT_DATA | SEGMENT_ACCESSED | SEGMENT_PRESENT | SEGMENT_WRITABLE;
	cpu->gdt[GDT_TSS / 8] = limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56 |
				SEGMENT_TSS | SEGMENT_PRESENT;
	cpu->gdt[GDT_TSS / 8 + 1] = base >> 32;
}

static void make_tss(struct percpu *cpu)
{
	static const enum stack_id of[] = {
		[IST_NMI] = STACK_NMI,
		[IST_DOUBLE_FAULT] = STACK_DOUBLE_FAULT,
		[IST_MACHINE_CHECK] = STACK_MACHINE_CHECK,
	};

	cpu->tss.io_map_base = sizeof(cpu->tss);
	for (unsigned int ist = IST_NMI; ist <= IST_MACHINE_CHECK; ist++)
		cpu->tss.ist[ist - 1] = (uint64_t)cpu->stacks[of[ist]].top;
}

/* Loads the segment registers. MOV cannot load CS; a far return does. */
static void load_segments(void)
{
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %1, %%ds\n\t"
			 "mov %1, %%es\n\t"
			 "mov %1, %%ss\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs"
			 :
			 : "i"(GDT_CODE), "r"(GDT_DATA), "r"(0)
			 : "rax", "memory");
}

void gdt_init(void)
{
	struct percpu *cpu = this_cpu();
	struct descriptor_pointer pointer = { sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt };

	make_tss(cpu);
	make_gdt(cpu);
	__asm__ volatile("lgdt %0" : : "m"(pointer));
	load_segments();
	percpu_load(cpu); /* some processors clear the base when GS is loaded */
	__asm__ volatile("lldt %w0" : : "r"(0)); /* none */
	__asm__ volatile("ltr %w0" : : "r"(GDT_TSS));
}
