/*
 * ends.c: exit, power off, reboot and halt. There are several methods for each; if one has no
 * effect the code continues with the next.
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/timer.h"

#define QEMU_EXIT          0xf4   /* isa-debug-exit, as scripts/run places it */
#define BOCHS_SHUTDOWN     0x8900 /* Bochs ends when "Shutdown" has been written here */

/* PM1a control registers of emulators, for an emulator without ACPI tables. */
#define QEMU_PM1_CONTROL   0x604
#define BOCHS_PM1_CONTROL  0xb004
#define PM1_SLEEP_ENABLE   0x2000 /* with sleep type 0, which is soft off there */

#define RESET_CONTROL      0xcf9 /* Intel chipsets since the PIIX3 */
#define RESET_CONTROL_HARD 0x02
#define RESET_CONTROL_GO   0x06
#define KBD_COMMAND        0x64
#define KBD_PULSE_RESET    0xfe /* the 8042's output bit 0 is the processor's reset */

#define SETTLE_US          50000

static void bochs_shutdown(void)
{
	for (const char *text = "Shutdown"; *text; text++)
		outb(BOCHS_SHUTDOWN, (uint8_t)*text);
}

/* For a value v QEMU ends with exit status 2v + 1. It also ends with 1 on failures of its own, so
   v = 0 is not used. */
void arch_exit(unsigned status)
{
	outb(QEMU_EXIT, (uint8_t)(status + 1));
	bochs_shutdown();
	acpi_poweroff();
}

void arch_poweroff(void)
{
	acpi_poweroff();
	outw(QEMU_PM1_CONTROL, PM1_SLEEP_ENABLE);
	outw(BOCHS_PM1_CONTROL, PM1_SLEEP_ENABLE);
	bochs_shutdown();
}

/* Resets the machine by a triple fault: without an IDT neither an exception nor the double fault
   that follows can be delivered, so the processor shuts down, and the chipset resets it. */
static void triple_fault(void)
{
	struct descriptor_pointer none = { 0, 0 };

	lidt(&none);
	__asm__ volatile("ud2");
}

void arch_reboot(void)
{
	cli();
	acpi_reset();
	outb(RESET_CONTROL, RESET_CONTROL_HARD);
	outb(RESET_CONTROL, RESET_CONTROL_GO);
	delay_us(SETTLE_US);
	outb(KBD_COMMAND, KBD_PULSE_RESET);
	delay_us(SETTLE_US);
	triple_fault();
	arch_halt();
}

void arch_halt(void)
{
	for (;;) {
		cli();
		hlt();
	}
}
