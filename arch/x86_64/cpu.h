/*
 * cpu.h: the processor: instructions that C lacks, register bits by their manual's names, and what
 * CPUID says.
 *
 * Sources: Intel SDM volume 3A chapter 2 (control registers) and volume 2 (instructions), AMD APM
 * volume 3 appendix E (CPUID 8000_00xxh).
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/port_inline.h" /* RFLAGS_IF */

#define CR0_WP    (1ul << 16) /* ring 0 obeys read-only pages */

#define CR4_MCE   (1ul << 6) /* machine checks are exceptions, not shutdowns */
#define CR4_PGE   (1ul << 7) /* global pages */

#define MSR_EFER  0xc0000080u
#define EFER_NXE  (1ul << 11)

#define RFLAGS_TF (1ul << 8)

#define DR6_BS    (1ul << 14)  /* a single step */
#define DR6_NONE  0xffff0ff0ul /* after reset: SDM 3B, 18.2.3 */

struct cpu_features {
	char vendor[13];
	char brand[49]; /* empty when the processor does not say */
	uint32_t family, model, stepping;
	uint32_t phys_bits; /* width of a physical address: 36 to 52 */
	uint32_t virt_bits;
	bool nx;            /* pages can be made not executable */
	bool pdpe1gb;       /* 1 GiB pages */
	bool pge;           /* global pages */
	bool mce;           /* machine check exception */
	bool clfsh;         /* CLFLUSH */
	bool erms;          /* fast rep movsb and stosb */
	bool invariant_tsc; /* the TSC runs at one rate in all power states */
	bool hypervisor;    /* running in a virtual machine that says so */
};

/* Filled by cpu_init(), constant from then on. */
extern struct cpu_features cpu_features;

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

/* The address of the last page fault. */
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

/* Also drops all translations but those of global pages. */
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

/* What the last debug exceptions were for. */
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

static inline void invlpg(uintptr_t virt)
{
	__asm__ volatile("invlpg (%0)" : : "r"(virt) : "memory");
}

/* Writes all caches back and empties them. */
static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

/*
 * The cache line goes to memory and is in no cache afterwards, before the next access (SDM 2A,
 * CLFLUSH; MFENCE orders what is read next). Every processor of a PC with long mode has CLFLUSH;
 * an emulator may be told to leave it out.
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

/* One pair: no interrupt can come between them, so none is slept through (SDM 2B, STI). */
static inline void sti_hlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause");
}

/* What LGDT and LIDT take. */
struct descriptor_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void lidt(const struct descriptor_pointer *pointer)
{
	__asm__ volatile("lidt %0" : : "m"(*pointer));
}

#endif
