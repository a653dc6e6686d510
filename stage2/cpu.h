/*
 * cpu.h: the instructions that C has no words for. All exist on a 386, except those that say so.
 */
#ifndef FIRSTPAGE_STAGE2_CPU_H
#define FIRSTPAGE_STAGE2_CPU_H

#include <stdbool.h>
#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* About a microsecond, on any machine: a write to a port that nobody decodes. */
static inline void io_delay(void)
{
	outb(0xed, 0);
}

static inline __attribute__((noreturn)) void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* Needs CPUID: cpu_check() in cpu.c has made sure. */
static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

/* Need an MSR-capable processor: each with long mode is one. */
static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "A"(value));
}

/* Whether a bit of EFLAGS can be changed: how CPUID is found (SDM volume 1, section 20.1). */
static inline bool eflags_bit_changes(uint32_t bit)
{
	uint32_t before, after;

	__asm__ volatile("pushfl\n\t"
			 "popl %0\n\t"
			 "movl %0, %1\n\t"
			 "xorl %2, %1\n\t"
			 "pushl %1\n\t"
			 "popfl\n\t"
			 "pushfl\n\t"
			 "popl %1\n\t"
			 "pushl %0\n\t"
			 "popfl"
			 : "=&r"(before), "=&r"(after)
			 : "r"(bit)
			 : "cc");
	return ((before ^ after) & bit) != 0;
}

#endif
