/*
 * bios.h: BIOS calls from C. Any call may destroy any register: what comes back is what the BIOS
 * left, and the caller sets all it needs each time.
 */
#ifndef FIRSTPAGE_STAGE2_BIOS_H
#define FIRSTPAGE_STAGE2_BIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAGS_CARRY     0x0001u
#define FLAGS_INTERRUPT 0x0200u

/* What the BIOS gets and leaves. Pointers are segment and offset: real_segment(), real_offset(). */
struct bios_regs {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
	uint16_t ds, es;
	uint32_t flags;
};
_Static_assert(offsetof(struct bios_regs, ds) == 28, "struc regs in bios.asm");
_Static_assert(offsetof(struct bios_regs, flags) == 32, "struc regs in bios.asm");
_Static_assert(sizeof(struct bios_regs) == 36, "struc regs in bios.asm");

/*
 * Calls interrupt; regs in and out. With FLAGS_INTERRUPT in regs->flags the BIOS runs with
 * interrupts enabled, as disk services need. Noted in boot_info's ring; a call equal to the one
 * before, with the same outcome, is counted there. Returns true when carry came back clear.
 */
bool bios_call(uint8_t interrupt, struct bios_regs *regs);

/* One character to the screen; not noted. */
void bios_teletype(char c);

/* A place below 1 MiB as segment and offset, the offset below 16. */
static inline uint16_t real_segment(const void *p)
{
	return (uint16_t)((uintptr_t)p >> 4);
}

static inline uint16_t real_offset(const void *p)
{
	return (uint16_t)((uintptr_t)p & 15);
}

static inline uint8_t reg_high(uint32_t reg)
{
	return (uint8_t)(reg >> 8);
}

#endif
