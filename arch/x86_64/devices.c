/*
 * devices.c: the order in which devices are brought up.
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/keyboard.h"
#include "arch/x86_64/pic.h"
#include "arch/x86_64/timer.h"
#include "arch/x86_64/uart.h"

void arch_devices_init(phys_addr_t rsdp)
{
	pic_init();
	timer_init();
	uart_enable_interrupt();
	keyboard_init();
	acpi_init(rsdp);
	sti();
}
