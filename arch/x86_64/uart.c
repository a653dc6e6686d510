/*
 * uart.c: an 8250 to 16550A at the ports and the line of COM1 (National PC16550D data sheet).
 *
 * A missing chip reads FFh everywhere. A chip that never becomes ready to send is not used again
 * after MAX_TIMEOUTS bounded waits, so that it does not slow the kernel down: a port can disappear
 * with its USB host or management controller.
 */
#include "arch/x86_64/uart.h"

#include "arch/x86_64/input.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/pic.h"

#define COM1           0x3f8

#define UART_DATA      (COM1 + 0)
#define UART_IER       (COM1 + 1) /* interrupt enable */
#define UART_IIR       (COM1 + 2) /* interrupt identification, on reading */
#define UART_FCR       (COM1 + 2) /* FIFO control, on writing */
#define UART_LCR       (COM1 + 3) /* line control */
#define UART_MCR       (COM1 + 4) /* modem control */
#define UART_LSR       (COM1 + 5) /* line status */

#define IER_RECEIVED   0x01
#define IER_ALL        0x0f
#define IIR_FIFO       0xc0 /* both bits: a 16550A with working FIFOs */
#define FCR_ENABLE     0x01 /* on; an interrupt for every byte */
#define LCR_8N1        0x03
#define LCR_DIVISOR    0x80 /* DATA and IER are the divisor's bytes */
#define MCR_INTERRUPTS 0x0b /* DTR, RTS, and OUT2, which gates the interrupt on a PC */
#define LSR_RECEIVED   0x01
#define LSR_DAMAGED    0x1c /* parity, framing or break: not a character */
#define LSR_SEND_EMPTY 0x20
#define LSR_IDLE       0x40
#define LSR_ABSENT     0xff

#define DIVISOR_115200 1
#define FIFO_SIZE      16
#define MAX_POLLS      100000u /* at about a microsecond: 100 ms, 16 bytes take 1.4 ms */
#define MAX_TIMEOUTS   3

static bool present;
static unsigned fifo_size; /* bytes that may be sent once the sender is empty */
static unsigned room;      /* of those, not used yet */
static unsigned nr_timeouts;

/* Returns true if there is a UART: the upper half of IER always reads 0, and its lower half keeps
   what is written. No other chip does both. */
static bool detect(void)
{
	uint8_t none, all;

	if (inb(UART_LSR) == LSR_ABSENT)
		return false;
	outb(UART_LCR, LCR_8N1);
	outb(UART_IER, 0);
	none = inb(UART_IER);
	outb(UART_IER, IER_ALL);
	all = inb(UART_IER);
	outb(UART_IER, 0);
	return none == 0 && all == IER_ALL;
}

bool uart_init(void)
{
	present = detect();
	if (!present)
		return false;
	outb(UART_LCR, LCR_DIVISOR | LCR_8N1);
	outb(UART_DATA, DIVISOR_115200);
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	/* Enabling the FIFO discards received input, so it is not done if there is any. */
	if (!(inb(UART_LSR) & LSR_RECEIVED))
		outb(UART_FCR, FCR_ENABLE);
	outb(UART_MCR, MCR_INTERRUPTS);
	fifo_size = (inb(UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	return true;
}

static bool wait_for(uint8_t status)
{
	for (unsigned i = 0; i < MAX_POLLS; i++)
		if (inb(UART_LSR) & status)
			return true;
	return false;
}

/* Waits until the sender is empty and sets room. Gives the UART up after MAX_TIMEOUTS waits. */
static void make_room(void)
{
	if (wait_for(LSR_SEND_EMPTY)) {
		nr_timeouts = 0;
		room = fifo_size;
	} else if (++nr_timeouts == MAX_TIMEOUTS) {
		present = false;
	}
}

void uart_put(char c)
{
	if (present && room == 0)
		make_room();
	if (!present || room == 0)
		return;
	outb(UART_DATA, (uint8_t)c);
	room--;
}

void uart_flush(void)
{
	if (present)
		wait_for(LSR_IDLE);
}

void uart_receive(void)
{
	uint8_t status;
	char c;

	while (present && input_has_room(1)) {
		status = inb(UART_LSR);
		if (status == LSR_ABSENT || !(status & LSR_RECEIVED))
			return;
		c = (char)inb(UART_DATA);
		if (!(status & LSR_DAMAGED))
			input_push(INPUT_SERIAL, c);
	}
}

void uart_enable_interrupt(void)
{
	if (!present)
		return;
	irq_enable(IRQ_COM1, uart_receive);
	outb(UART_IER, IER_RECEIVED);
}
