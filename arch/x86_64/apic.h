/*
 * apic.h: the local APIC, by which processors send interrupts to each other (SDM 3A, chapter 10).
 *
 * Its registers are memory, or MSRs where the firmware has left x2APIC mode on; this kernel does
 * not change the mode. Only directed interrupts are sent, never one to all: a processor that nobody
 * has called could not take it.
 */
#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Returns the id of this CPU's local APIC, by which the firmware's tables name processors: the
 * register's, which the firmware may have changed, and not CPUID's. 0 if there is no local APIC.
 * Its address is found by acpi_map() before apic_find(), so it can be called once CPUID was read.
 */
uint32_t apic_id(void);

/* Finds the local APIC and maps its registers. Returns false if there is none, or it is off. */
bool apic_find(void);

/* Returns where apic_find() has mapped the registers; NULL in x2APIC mode. */
volatile void *apic_registers(void);

/*
 * Makes this CPU's local APIC ready to take interrupts. The PIC's lines go to CPU 0 alone. Comes
 * after apic_find().
 */
void apic_enable(void);

/* Returns whether the processor with this APIC id can be sent an interrupt: without x2APIC mode
   only ids below 255 can. */
bool apic_reaches(uint32_t apic_id);

/* Send an interrupt on a vector, an NMI, an INIT and a start-up interrupt to a processor. A started
   processor begins in real mode at the address, a multiple of 4 KiB below 1 MiB. */
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint32_t address);

/* Ends the handling of an interrupt that another CPU has sent by apic_send(). */
void apic_end_of_interrupt(void);

#endif
