/*
 * input.c: one ring of characters from all input devices.
 *
 *	uart_receive() ──┐
 *	                 ├─→ ring ─→ arch_getc()
 *	keyboard_receive() ─┘
 *
 * The devices' interrupts, the timer's tick and every read fill the ring, so that a lost interrupt
 * loses no input. When the ring is full, characters stay in the devices: a serial line with flow
 * control, as every emulator has it, then waits, so a long script can be piped in.
 *
 * Ctrl-C is an ordinary character here. Those in the ring are counted, so that long work can notice
 * one without reading the characters before it.
 */
#include "arch/x86_64/input.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/keyboard.h"
#include "arch/x86_64/uart.h"
#include "mm/port.h"

#define RING_SIZE 4096 /* a power of two */
#define CTRL_C    0x03

static char ring[RING_SIZE];
static size_t nr_pushed, nr_popped; /* totals: their difference is the number in the ring */
static size_t nr_ctrl_c;
static enum input_device last_device;

bool input_has_room(size_t count)
{
	return nr_pushed - nr_popped + count <= RING_SIZE;
}

void input_push(enum input_device device, char c)
{
	last_device = device;
	ring[nr_pushed++ % RING_SIZE] = c;
	if (c == CTRL_C)
		nr_ctrl_c++;
}

void input_poll(void)
{
	uart_receive();
	keyboard_receive();
}

static int pop(void)
{
	char c;

	if (nr_popped == nr_pushed)
		return -1;
	c = ring[nr_popped++ % RING_SIZE];
	if (c == CTRL_C)
		nr_ctrl_c--;
	return (unsigned char)c;
}

int arch_getc(void)
{
	unsigned long flags = port_irq_save();
	int c;

	input_poll();
	c = pop();
	port_irq_restore(flags);
	return c;
}

bool arch_has_ctrl_c(void)
{
	unsigned long flags = port_irq_save();
	bool has;

	input_poll();
	has = nr_ctrl_c > 0;
	port_irq_restore(flags);
	return has;
}

bool arch_input_by_keyboard(void)
{
	return last_device == INPUT_KEYBOARD;
}

void arch_input_early_init(void)
{
	keyboard_init();
}

void arch_relax(void)
{
	__builtin_ia32_pause();
}

/*
 * An interrupt may have put a character into the ring after the caller's last read. So this looks
 * again with interrupts off. From then until HLT no interrupt is missed: see sti_hlt().
 */
void arch_idle(void)
{
	cli();
	input_poll();
	if (nr_popped == nr_pushed)
		sti_hlt();
	else
		sti();
}
