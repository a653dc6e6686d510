/*
 * gdt.c: the kernel's own segment table and task state segment (SDM 3A, 3.4.5 and 8.7).
 *
 * 64-bit mode ignores bases and limits. Only the mode of the code segment still matters, and the
 * TSS, which has separate stacks for three exceptions that may occur when the current stack cannot
 * be used: NMI, double fault (the result of a stack overflow) and machine check.
 */
#include "arch/x86_64/gdt.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/sections.h"

/* Descriptor bits, SDM 3A, figure 3-8. */
#define SEGMENT_ACCESSED (1ull << 40) /* already set, so that the processor never writes it */
#define SEGMENT_WRITABLE (1ull << 41)
#define SEGMENT_CODE     (3ull << 43)
#define SEGMENT_DATA     (2ull << 43)
#define SEGMENT_TSS      (9ull << 40) /* 64-bit TSS, available */
#define SEGMENT_PRESENT  (1ull << 47)
#define SEGMENT_LONG     (1ull << 53)

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

static struct tss tss = { .io_map_base = sizeof(struct tss) };

static uint64_t gdt[] = {
	[GDT_CODE / 8] = SEGMENT_CODE | SEGMENT_ACCESSED | SEGMENT_PRESENT | SEGMENT_LONG,
	[GDT_DATA / 8] = SEGMENT_DATA | SEGMENT_ACCESSED | SEGMENT_PRESENT | SEGMENT_WRITABLE,
	[GDT_TSS / 8] = 0, /* set at run time: a C initialiser cannot split an address */
	[GDT_TSS / 8 + 1] = 0,
};

static void make_tss_descriptor(void)
{
	uint64_t base = (uint64_t)&tss;
	uint64_t limit = sizeof(tss) - 1;

	gdt[GDT_TSS / 8] = limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56 |
			   SEGMENT_TSS | SEGMENT_PRESENT;
	gdt[GDT_TSS / 8 + 1] = base >> 32;
}

static void set_stack(enum interrupt_stack place, enum stack_id id)
{
	tss.ist[place - 1] = (uint64_t)kernel_stacks[id].top;
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
	struct descriptor_pointer pointer = { sizeof(gdt) - 1, (uint64_t)gdt };

	set_stack(IST_NMI, STACK_NMI);
	set_stack(IST_DOUBLE_FAULT, STACK_DOUBLE_FAULT);
	set_stack(IST_MACHINE_CHECK, STACK_MACHINE_CHECK);
	make_tss_descriptor();
	__asm__ volatile("lgdt %0" : : "m"(pointer));
	load_segments();
	__asm__ volatile("lldt %w0" : : "r"(0)); /* none */
	__asm__ volatile("ltr %w0" : : "r"(GDT_TSS));
}
