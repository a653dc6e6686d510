/*
 * devices.c: sets up the devices in their order, and shows progress codes.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/keyboard.h"
#include "arch/x86_64/pic.h"
#include "arch/x86_64/timer.h"
#include "arch/x86_64/uart.h"
#include "include/progress.h"

void arch_progress(uint8_t code)
{
	outb(PORT_PROGRESS, code);
}

void arch_devices_init(void)
{
	pic_init();
	timer_init();
	uart_enable_interrupt();
	keyboard_init();
	sti();
}
