/*
 * consoles.c: the table of consoles, and the smallest of them: port E9h.
 *
 * Bochs and QEMU copy what is written to port E9h to the host, and let the port read E9h so that a
 * guest can tell (Bochs user manual, port_e9_hack). Other machines read FF there.
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

/* A terminal on the line wants both. */
static void uart_put_text(char c)
{
	if (c == '\n')
		uart_put('\r');
	uart_put(c);
}

const struct arch_console arch_consoles[NR_ARCH_CONSOLES] = {
	{ "ttyS0", uart_init, uart_put_text, uart_flush, false, 0, 0 },
	{ "tty0", vga_init, vga_put, NULL, false, VGA_COLUMNS, VGA_ROWS },
	{ "e9", e9_init, e9_put, NULL, true, 0, 0 },
};
