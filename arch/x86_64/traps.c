/*
 * traps.c: the interrupt descriptor table (IDT), and the handling of each vector.
 *
 * Nothing in this kernel faults on purpose, so exceptions end in trap_panic(), except the debug
 * exceptions of single_step.c. pic.c handles the interrupt controllers' lines, and ipi.c what CPUs
 * send to each other. All CPUs share the table. The gates clear IF,
 * so only NMI and machine check can interrupt a handler; both have their own stacks.
 */
#include "arch/x86_64/traps.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/ipi.h"
#include "arch/x86_64/gdt.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/pic.h"
#include "arch/x86_64/sections.h"
#include "arch/x86_64/single_step.h"
#include "lib/format.h"
#include "mm/port.h"

#define GATE_INTERRUPT    0x8e00u /* present, ring 0, 64-bit interrupt gate: SDM 3A, figure 6-8 */

/* Page fault error code, SDM 3A, 4.7. */
#define PF_PROTECTION     0x01ul
#define PF_WRITE          0x02ul
#define PF_RESERVED       0x08ul
#define PF_FETCH          0x10ul

/* Error code of the segment exceptions, SDM 3A, 6.13. */
#define SELECTOR_EXTERNAL 0x1ul
#define SELECTOR_IDT      0x2ul
#define SELECTOR_LDT      0x4ul

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t flags; /* IST in the low 3 bits */
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3A, figure 6-8");

static struct gate idt[NR_VECTORS];

static const char *const exception_names[NR_EXCEPTIONS] = {
	[0] = "divide error",
	[1] = "debug exception",
	[2] = "NMI",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "invalid opcode",
	[7] = "no FPU",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack segment fault",
	[13] = "general protection fault",
	[14] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD error",
	[20] = "virtualization exception",
	[21] = "control protection exception",
};

static enum interrupt_stack stack_for(unsigned vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return IST_NMI;
	case VECTOR_DOUBLE:
		return IST_DOUBLE_FAULT;
	case VECTOR_MCE:
		return IST_MACHINE_CHECK;
	default:
		return IST_NONE;
	}
}

static void set_gate(unsigned vector)
{
	uintptr_t stub = (uintptr_t)trap_stubs + (uintptr_t)vector * TRAP_STUB_SIZE;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)stub,
		.selector = GDT_CODE,
		.flags = (uint16_t)(GATE_INTERRUPT | stack_for(vector)),
		.offset_middle = (uint16_t)(stub >> 16),
		.offset_high = (uint32_t)(stub >> 32),
	};
}

void traps_init(void)
{
	percpu_init();
	for (unsigned vector = 0; vector < NR_VECTORS; vector++)
		set_gate(vector);
	traps_load();
}

void traps_load(void)
{
	struct descriptor_pointer pointer = { sizeof(idt) - 1, (uint64_t)idt };

	gdt_init();
	lidt(&pointer);
}

const struct trap_frame *arch_panic_frame(void)
{
	return &this_cpu()->panic_frame;
}

uintptr_t arch_frame_address(const struct trap_frame *frame)
{
	return frame->rip;
}

bool arch_fault_address(const struct trap_frame *frame, uintptr_t *address)
{
	if (frame->vector != VECTOR_PAGE && frame->vector != VECTOR_DOUBLE)
		return false;
	*address = read_cr2();
	return true;
}

static int describe_page_fault(const struct trap_frame *frame, char *text, size_t size)
{
	const char *access = frame->error & PF_FETCH   ? "execution"
			     : frame->error & PF_WRITE ? "write"
						       : "read";
	const char *why = frame->error & PF_RESERVED ? "a reserved bit is set in its table entry"
			  : frame->error & PF_PROTECTION ? "its protection forbids that"
							 : "it is not mapped";

	return fmt_snprintf(text, size, "page fault: %s at 0x%016lx: %s", access, read_cr2(), why);
}

/* Describes a segment exception. Its error code, if not 0, names the descriptor that was wrong. */
static int describe_selector(const struct trap_frame *frame, char *text, size_t size)
{
	uint64_t error = frame->error;
	const char *table = error & SELECTOR_IDT ? "IDT" : error & SELECTOR_LDT ? "LDT" : "GDT";

	return fmt_snprintf(text, size, "%s: %s entry %lu%s", exception_names[frame->vector], table,
			    error >> 3, error & SELECTOR_EXTERNAL ? ", on an interrupt" : "");
}

/* Describes a stack overflow. Returns false if the exception is none. A push onto a guard page
   faults, and the processor needs the same stack to deliver that fault: so it is a double fault. */
static bool describe_overflow(const struct trap_frame *frame, char *text, size_t size)
{
	const struct kernel_stack *stack = NULL;

	if (frame->vector == VECTOR_PAGE || frame->vector == VECTOR_DOUBLE)
		stack = stack_guarded_by(read_cr2());
	if (stack)
		fmt_snprintf(text, size, "stack overflow: the %s stack ends at %p", stack->name,
			     (const void *)stack->bottom);
	return stack;
}

static void describe(const struct trap_frame *frame, char *text, size_t size)
{
	const char *name = frame->vector < NR_EXCEPTIONS ? exception_names[frame->vector] : NULL;

	if (describe_overflow(frame, text, size))
		return;
	if (frame->vector == VECTOR_PAGE)
		describe_page_fault(frame, text, size);
	else if (frame->vector >= 10 && frame->vector <= 13 && frame->error)
		describe_selector(frame, text, size);
	else if (name)
		fmt_snprintf(text, size, "%s", name);
	else
		fmt_snprintf(text, size, "interrupt on vector %lu, which has no handler",
			     frame->vector);
}

void trap_dispatch(struct trap_frame *frame)
{
	char reason[128];

	if (frame->vector >= VECTOR_IRQ0 && frame->vector < VECTOR_IRQ0 + NR_IRQS) {
		irq_dispatch((unsigned)frame->vector - VECTOR_IRQ0);
		return;
	}
	if (frame->vector >= VECTOR_CALL) {
		cpus_interrupt((unsigned int)frame->vector);
		return;
	}
	if (frame->vector == VECTOR_NMI)
		cpus_nmi(frame);
	if (frame->vector == VECTOR_DEBUG && single_step_trap(frame))
		return;
	describe(frame, reason, sizeof(reason));
	trap_panic(frame, reason);
}

void arch_print_frame(const struct trap_frame *f)
{
	if (f->vector != VECTOR_NONE)
		printk("vector %lu, error code 0x%lx\n", f->vector, f->error);
	printk("RIP: %04lx:%016lx RFLAGS: %08lx\n", f->cs, f->rip, f->rflags);
	printk("RSP: %04lx:%016lx RBP: %016lx\n", f->ss, f->rsp, f->rbp);
	printk("RAX: %016lx RBX: %016lx RCX: %016lx\n", f->rax, f->rbx, f->rcx);
	printk("RDX: %016lx RSI: %016lx RDI: %016lx\n", f->rdx, f->rsi, f->rdi);
	printk("R08: %016lx R09: %016lx R10: %016lx\n", f->r8, f->r9, f->r10);
	printk("R11: %016lx R12: %016lx R13: %016lx\n", f->r11, f->r12, f->r13);
	printk("R14: %016lx R15: %016lx\n", f->r14, f->r15);
	printk("CR0: %016lx CR2: %016lx CR3: %016lx CR4: %016lx\n", read_cr0(), read_cr2(),
	       read_cr3(), read_cr4());
}
