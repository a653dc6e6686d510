/*
 * pic.c: two 8259A, the second connected to line 2 of the first (Intel 8259A data sheet).
 *
 * If a line's request disappears before it is acknowledged, a controller delivers its line 7 (7 or
 * 15) without setting that bit in its in-service register. Such a spurious interrupt must not be
 * acknowledged by an end-of-interrupt command.
 */
#include "arch/x86_64/pic.h"

#include <stdbool.h>

#include "arch/x86_64/io.h"
#include "arch/x86_64/traps.h"

#define PIC1_COMMAND   0x20
#define PIC1_DATA      0x21
#define PIC2_COMMAND   0xa0
#define PIC2_DATA      0xa1

#define ICW1_INIT_ICW4 0x11
#define ICW3_PIC1      0x04 /* a bit for each line with another controller: line 2 */
#define ICW3_PIC2      0x02 /* the number of that line */
#define ICW4_8086      0x01
#define OCW2_EOI       0x20
#define OCW3_READ_ISR  0x0b

#define MASK_ALL       0xff

static void (*handlers[NR_IRQS])(void);

static void write_slowly(uint16_t port, uint8_t value)
{
	outb(port, value);
	io_delay();
}

void pic_init(void)
{
	write_slowly(PIC1_COMMAND, ICW1_INIT_ICW4);
	write_slowly(PIC2_COMMAND, ICW1_INIT_ICW4);
	write_slowly(PIC1_DATA, VECTOR_IRQ0);
	write_slowly(PIC2_DATA, VECTOR_IRQ0 + 8);
	write_slowly(PIC1_DATA, ICW3_PIC1);
	write_slowly(PIC2_DATA, ICW3_PIC2);
	write_slowly(PIC1_DATA, ICW4_8086);
	write_slowly(PIC2_DATA, ICW4_8086);
	write_slowly(PIC1_DATA, MASK_ALL);
	write_slowly(PIC2_DATA, MASK_ALL);
}

/* The kernel uses lines of the first controller only. */
void irq_enable(unsigned irq, void (*handler)(void))
{
	handlers[irq] = handler;
	outb(PIC1_DATA, (uint8_t)(inb(PIC1_DATA) & ~(1u << irq)));
}

static uint8_t in_service(uint16_t command_port)
{
	outb(command_port, OCW3_READ_ISR);
	return inb(command_port);
}

/* Returns true for a spurious interrupt. For a spurious line 15 the first controller has really
   delivered its line 2, so that one is acknowledged here. */
static bool is_spurious(unsigned irq)
{
	if (irq == 7)
		return !(in_service(PIC1_COMMAND) & 1u << 7);
	if (irq != 15 || in_service(PIC2_COMMAND) & 1u << 7)
		return false;
	outb(PIC1_COMMAND, OCW2_EOI);
	return true;
}

void irq_dispatch(unsigned irq)
{
	if (is_spurious(irq))
		return;
	if (handlers[irq])
		handlers[irq]();
	if (irq >= 8)
		outb(PIC2_COMMAND, OCW2_EOI);
	outb(PIC1_COMMAND, OCW2_EOI);
}
