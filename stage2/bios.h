/*
 * bios.h: BIOS calls from C.
 *
 * A BIOS may destroy any register, so callers set every register that they need before each call,
 * and read afterwards what the BIOS left.
 */
#ifndef FIRSTPAGE_STAGE2_BIOS_H
#define FIRSTPAGE_STAGE2_BIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAGS_CARRY     0x0001u
#define FLAGS_INTERRUPT 0x0200u

/*
 * The registers passed to the BIOS and, after the call, those it left. A pointer is passed as a
 * segment and an offset: real_segment() and real_offset() make them.
 */
struct bios_regs {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
	uint16_t ds, es;
	uint32_t flags;
};
_Static_assert(offsetof(struct bios_regs, ds) == 28, "struc regs in bios.asm");
_Static_assert(offsetof(struct bios_regs, flags) == 32, "struc regs in bios.asm");
_Static_assert(sizeof(struct bios_regs) == 36, "struc regs in bios.asm");

/*
 * Calls a BIOS interrupt with the registers in *regs, and stores there what the BIOS left. With
 * FLAGS_INTERRUPT in regs->flags the BIOS runs with interrupts enabled, as disk services need.
 * Returns true if the carry flag came back clear, which for most functions means success.
 *
 * Records the call in boot_info's ring. A call with the same number, AX and outcome as the one
 * before only raises that one's count. Ends in fail() if the BIOS overran the real-mode stack.
 */
bool bios_call(uint8_t interrupt, struct bios_regs *regs);

/* Prints a character on the screen by INT 10h AH=0Eh. Does not record the call in the ring. */
void bios_teletype(char c);

/* Returns the segment of an address below 1 MiB whose offset, real_offset(), is below 16. */
static inline uint16_t real_segment(const void *p)
{
	return (uint16_t)((uintptr_t)p >> 4);
}

/* Returns the offset, 0 to 15, that belongs to real_segment(p). */
static inline uint16_t real_offset(const void *p)
{
	return (uint16_t)((uintptr_t)p & 15);
}

/* Returns bits 8 to 15 of a register: AH of EAX, DH of EDX. */
static inline uint8_t reg_high(uint32_t reg)
{
	return (uint8_t)(reg >> 8);
}

#endif
