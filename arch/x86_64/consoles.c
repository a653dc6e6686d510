/*
 * consoles.c: the table of consoles, and the smallest of them, port E9h.
 *
 * Bochs and QEMU copy what is written to port E9h to the host. The port reads E9h there, so that a
 * guest can detect it (Bochs user manual, port_e9_hack); on other machines it reads FFh.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/uart.h"
#include "arch/x86_64/vga.h"

#define PORT_E9 0xe9

static bool e9_init(void)
{
	return inb(PORT_E9) == PORT_E9;
}

static void e9_put(char c)
{
	outb(PORT_E9, (uint8_t)c);
}

/* Prints a character. A terminal needs a carriage return and a line feed for a new line. */
static void uart_put_text(char c)
{
	if (c == '\n')
		uart_put('\r');
	uart_put(c);
}

const struct arch_console arch_consoles[NR_ARCH_CONSOLES] = {
	{ .name = "ttyS0", .init = uart_init, .put = uart_put_text, .flush = uart_flush },
	{ .name = "tty0",
	  .init = vga_init,
	  .put = vga_put,
	  .columns = VGA_COLUMNS,
	  .rows = VGA_ROWS,
	  .nr_lines = &vga_nr_lines },
	{ .name = "e9", .init = e9_init, .put = e9_put, .always = true },
};
