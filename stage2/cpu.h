/*
 * cpu.h: instructions that C cannot express. All exist on a 386, unless a comment says otherwise.
 */
#ifndef FIRSTPAGE_STAGE2_CPU_H
#define FIRSTPAGE_STAGE2_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* Writes a byte to an I/O port. */
static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Reads a byte from an I/O port. A port that no device decodes reads FFh. */
static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* Waits about a microsecond on any machine, by a write to a port that no device decodes. */
static inline void io_delay(void)
{
	outb(0xed, 0);
}

/* Stops the processor for good. */
static inline __attribute__((noreturn)) void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The registers that CPUID returns. */
struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/*
 * Returns CPUID's answer for a leaf, subleaf 0. A processor may lack CPUID: call this only after
 * cpu_check() has found it.
 */
static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

/* Returns the time stamp counter. Only for a processor whose CPUID reports one. */
static inline uint64_t rdtsc(void)
{
	uint64_t now;

	__asm__ volatile("rdtsc" : "=A"(now));
	return now;
}

/* Returns the value of a model-specific register. Every processor with long mode has RDMSR. */
static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

/* Sets a model-specific register. Every processor with long mode has WRMSR. */
static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "A"(value));
}

/*
 * Returns true if software can change this bit of EFLAGS. CPUID exists if it can change bit 21
 * (SDM volume 1, section 20.1). Leaves EFLAGS as it was.
 */
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
