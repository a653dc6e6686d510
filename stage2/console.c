/*
 * console.c: see console.h. Every wait is bounded, and a UART that has stopped is not used again,
 * so absent or dead hardware delays the boot only once.
 */
#include "stage2/console.h"

#include "lib/format.h"
#include "lib/progress.h"
#include "stage2/bios.h"
#include "stage2/cpu.h"
#include "stage2/progress.h"
#include "stage2/stage2.h"

#define PORT_E9         0xe9
#define E9_PRESENT      0xe9

#define COM1            0x3f8
#define COM1_INTERRUPTS (COM1 + 1)
#define COM1_FIFO       (COM1 + 2)
#define COM1_LINE       (COM1 + 3)
#define COM1_MODEM      (COM1 + 4)
#define COM1_STATUS     (COM1 + 5)
#define LINE_8N1        0x03
#define LINE_DIVISOR    0x80
#define FIFO_ON         0x01
#define MODEM_DTR_RTS   0x03
#define STATUS_RECEIVED 0x01
#define STATUS_READY    0x20
#define STATUS_ABSENT   0xff
#define COM1_MAX_WAIT   20000 /* polls of about 1 us each; sending a byte takes 87 us */

#define VIDEO_COLOUR    0xb8000u
#define VIDEO_MONO      0xb0000u
#define MODE_GREY_80    2
#define MODE_COLOUR_80  3
#define MODE_MONO       7
#define ROWS            25
#define WHITE_ON_BLACK  0x07

/* The BIOS's variables about its text screen: low_memory.ld has the addresses. */
extern const volatile uint8_t bda_video_mode;
extern const volatile uint16_t bda_columns;
extern const volatile uint8_t bda_cursor[2]; /* column, row */

#define CALLS_SHOWN 16 /* these and the rest of the report fit on a screen of 25 rows */

static bool com1_present;
static bool e9_present;
static bool bios_gone;
static bool line_open = true; /* the boot sector has begun the line "firstpage: stage2 " */
static uint32_t column, row;

void console_text_mode(void)
{
	struct bios_regs regs = { .eax = MODE_COLOUR_80, .flags = FLAGS_INTERRUPT };

	if (bda_video_mode != MODE_MONO)
		bios_call(0x10, &regs);
}

void console_init(void)
{
	/* Some BIOSes show a picture while they boot, which would hide the messages. */
	if (bda_video_mode != MODE_COLOUR_80 && bda_video_mode != MODE_GREY_80)
		console_text_mode();
	e9_present = inb(PORT_E9) == E9_PRESENT;
	com1_present = inb(COM1_STATUS) != STATUS_ABSENT;
	if (!com1_present)
		return;
	outb(COM1_INTERRUPTS, 0);
	outb(COM1_LINE, LINE_DIVISOR | LINE_8N1);
	outb(COM1, 1); /* 115200 / 1 */
	outb(COM1 + 1, 0);
	outb(COM1_LINE, LINE_8N1);
	/* Enabling the FIFO discards received input, which is meant for the kernel. */
	if (!(inb(COM1_STATUS) & STATUS_RECEIVED))
		outb(COM1_FIFO, FIFO_ON);
	outb(COM1_MODEM, MODEM_DTR_RTS);
}

void console_leave_bios(void)
{
	column = bda_cursor[0];
	row = bda_cursor[1];
	bios_gone = true;
}

static void com1_put(char c)
{
	for (uint32_t i = 0; i < COM1_MAX_WAIT; i++) {
		if (inb(COM1_STATUS) & STATUS_READY) {
			outb(COM1, (uint8_t)c);
			return;
		}
	}
	com1_present = false; /* so that the next characters do not wait too */
}

/*
 * Writes a character to video memory, in text modes only. After the last row it goes on at the top:
 * the few lines that are left do not justify code that scrolls.
 */
static void video_put(char c)
{
	uint8_t mode = bda_video_mode;
	uint32_t columns = bda_columns;
	uint32_t base = mode == MODE_MONO ? VIDEO_MONO : VIDEO_COLOUR;

	if ((mode > 3 && mode != MODE_MONO) || columns == 0 || columns > 132)
		return;
	if (c == '\r' || column >= columns)
		column = 0;
	if (c == '\n')
		row++;
	if (row >= ROWS)
		row = 0;
	if (c >= ' ') {
		uint32_t at = base + 2 * (row * columns + column++);

		*(volatile uint16_t *)(uintptr_t)at = (uint16_t)(WHITE_ON_BLACK << 8 | (uint8_t)c);
	}
}

static void put(char c)
{
	if (e9_present)
		outb(PORT_E9, (uint8_t)c);
	if (com1_present)
		com1_put(c);
	if (bios_gone)
		video_put(c);
	else
		bios_teletype(c);
}

static void put_text(const char *text)
{
	for (; *text; text++)
		put(*text);
}

static void say_v(const char *fmt, va_list ap)
{
	static char text[201];

	fmt_vsnprintf(text, sizeof(text), fmt, ap);
	say_end();
	put_text("firstpage: ");
	put_text(text);
	put_text("\r\n");
}

void say_more(const char *fmt, ...)
{
	char text[80];
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!line_open)
		put_text("firstpage: ");
	put_text(text);
	line_open = true;
}

bool say_is_open(void)
{
	return line_open;
}

void say_end(void)
{
	if (line_open)
		put_text("\r\n");
	line_open = false;
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_v(fmt, ap);
	va_end(ap);
}

/* Prints the last BIOS calls, the oldest first: a report about a strange BIOS needs them. */
static void show_bios_calls(void)
{
	uint32_t total = boot_info.bios_call_total;
	uint32_t first = total > CALLS_SHOWN ? total - CALLS_SHOWN : 0;

	for (uint32_t i = first; i < total; i++) {
		const struct boot_bios_call *call = &boot_info.bios_calls[i % BOOT_INFO_BIOS_CALLS];

		say("INT %02xh AX=%04x gave AH=%02x%s, %u time%s", call->interrupt, call->ax,
		    call->ah, call->flags & FLAGS_CARRY ? " carry" : "", call->tries,
		    call->tries == 1 ? "" : "s");
	}
}

void fail(const char *fmt, ...)
{
	enum progress step = progress_step();
	va_list ap;

	outb(PORT_PROGRESS, PROGRESS_FAILED);
	va_start(ap, fmt);
	say_v(fmt, ap);
	va_end(ap);
	say("in step [%02x] %s", step, progress_text(step));
	show_bios_calls();
	put_text("System halted.\r\n");
	halt();
}
