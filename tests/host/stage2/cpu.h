/*
 * cpu.h: included first in a host test of stage2 and in the files that it tests, it takes the place
 * of stage2/cpu.h: instructions for the processor and its ports become calls of the test.
 */
#ifndef FIRSTPAGE_STAGE2_CPU_H
#define FIRSTPAGE_STAGE2_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* A test defines those that its files call. */
void outb(uint16_t port, uint8_t value);
uint8_t inb(uint16_t port);
void io_delay(void);
__attribute__((noreturn)) void halt(void);
struct cpuid cpuid(uint32_t leaf);
uint64_t rdtsc(void);
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
bool eflags_bit_changes(uint32_t bit);

#endif
