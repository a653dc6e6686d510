/*
 * cpu.h: the processor: instructions that C cannot express, register bits under the names of the
 * manual, and the features that CPUID reports.
 *
 * Sources: Intel SDM volume 3A chapter 2 (control registers) and volume 2 (instructions), AMD APM
 * volume 3 appendix E (CPUID 8000_00xxh).
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CR0_WP      (1ul << 16) /* read-only pages are read-only for ring 0 too */

#define CR4_MCE     (1ul << 6) /* a machine check is an exception and not a shutdown */
#define CR4_PGE     (1ul << 7) /* global pages */

#define MSR_EFER    0xc0000080u
#define EFER_LMA    (1ul << 10) /* long mode is active; only the processor sets it */
#define EFER_NXE    (1ul << 11) /* enables the NX bit of page tables */

#define MSR_GS_BASE 0xc0000101u

#define RFLAGS_TF   (1ul << 8) /* trap after each instruction; SDM 1, figure 3-8 */
#define RFLAGS_IF   (1ul << 9) /* interrupts are on */

#define DR6_BS      (1ul << 14)  /* the debug exception is a single step */
#define DR6_NONE    0xffff0ff0ul /* no cause: the value after reset, SDM 3B, 18.2.3 */

struct cpu_features {
	char vendor[13]; /* such as "GenuineIntel" */
	char brand[49];  /* the processor's name; empty if it has none */
	uint32_t family, model, stepping;
	uint32_t phys_bits; /* width of a physical address: 36 to 52 */
	uint32_t virt_bits; /* width of a virtual address */
	bool nx;            /* pages can be made not executable */
	bool pdpe1gb;       /* 1 GiB pages */
	bool pge;           /* global pages */
	bool mce;           /* machine check exception */
	bool apic;          /* a local APIC, which is enabled */
	bool clfsh;         /* CLFLUSH */
	bool erms;          /* fast rep movsb and stosb */
	bool invariant_tsc; /* the TSC runs at one rate in all power states */
	bool hypervisor;    /* a hypervisor reports its presence */
};

/* Filled by cpu_init(), constant from then on. */
extern struct cpu_features cpu_features;

/* The registers that CPUID returns. */
struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

/* Returns the address whose access caused the last page fault. */
static inline uint64_t read_cr2(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

/* Loads a top page table. This also flushes the TLB, except for global pages. */
static inline void write_cr3(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* Returns the causes of the last debug exceptions. The processor only sets these bits. */
static inline uint64_t read_dr6(void)
{
	uint64_t value;

	__asm__ volatile("mov %%dr6, %0" : "=r"(value));
	return value;
}

static inline void write_dr6(uint64_t value)
{
	__asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

/* Flushes the TLB entry of the page that contains virt. */
static inline void invlpg(uintptr_t virt)
{
	__asm__ volatile("invlpg (%0)" : : "r"(virt) : "memory");
}

/* Writes all CPU caches back to memory and empties them. Takes milliseconds. */
static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

/*
 * Writes the cache line at address back to memory and removes it from all CPU caches, before any
 * later memory access: CLFLUSH (SDM 2A), then MFENCE to order later reads. Every 64-bit processor
 * has CLFLUSH, but an emulator can be configured without it.
 */
static inline void flush_line(const volatile void *address)
{
	if (cpu_features.clfsh)
		__asm__ volatile("clflush (%0); mfence" : : "r"(address) : "memory");
	else
		wbinvd();
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Enables interrupts and sleeps until one arrives. None is delivered between the two instructions
   (SDM 2B, STI), so an interrupt that is already pending ends the sleep. */
static inline void sti_hlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause");
}

/* The operand of LGDT and LIDT. */
struct descriptor_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void lidt(const struct descriptor_pointer *pointer)
{
	__asm__ volatile("lidt %0" : : "m"(*pointer));
}

#endif
