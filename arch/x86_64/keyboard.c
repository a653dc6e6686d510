/*
 * keyboard.c: the 8042 controller, and scan codes of set 1, into which it translates.
 *
 * The BIOS has tested and configured controller and keyboard, so this only ensures that
 * translation, clock and interrupt are on. A missing controller reads FFh. Where the BIOS emulates
 * the controller for a USB keyboard, that keyboard works too. Such an emulation may be incomplete:
 * so no other command is sent, and a controller that does not answer is used as it is.
 */
#include "arch/x86_64/keyboard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/input.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/pic.h"

#define KBD_DATA             0x60
#define KBD_STATUS           0x64 /* on reading */
#define KBD_COMMAND          0x64 /* on writing */

#define STATUS_OUTPUT_FULL   0x01
#define STATUS_INPUT_FULL    0x02
#define STATUS_MOUSE         0x20 /* the byte is the auxiliary device's */
#define STATUS_ABSENT        0xff

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_DISABLE      0xad
#define COMMAND_ENABLE       0xae

#define CONFIG_INTERRUPT     0x01
#define CONFIG_CLOCK_OFF     0x10
#define CONFIG_TRANSLATE     0x40

#define SCAN_RELEASE         0x80
#define SCAN_EXTENDED        0xe0
#define SCAN_PAUSE           0xe1 /* two more bytes follow, at press and at release */
#define SCAN_CTRL            0x1d
#define SCAN_SHIFT_LEFT      0x2a
#define SCAN_SHIFT_RIGHT     0x36
#define SCAN_CAPS_LOCK       0x3a

#define MAX_POLLS            10000u /* at about a microsecond */
#define MAX_DRAINED          64
#define LONGEST_CODE         4 /* ESC [ 3 ~ */

static bool present;
static bool shift, ctrl, caps_lock;
static bool extended;
static unsigned nr_skipped; /* bytes of the pause key still to come */

/* The characters without and with SHIFT, indexed by scan code. 0: the key has no character. */
static const char plain[] =
    "\0\0331234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
_Static_assert(sizeof(plain) == sizeof(shifted), "the same keys");

struct special_key {
	uint8_t scan;
	const char *text;
};

/* Keys whose scan codes follow SCAN_EXTENDED. The keypad sends the same codes without it. */
static const struct special_key special_keys[] = {
	{ 0x47, "\033[H" }, { 0x48, "\033[A" },  { 0x4b, "\033[D" },  { 0x4d, "\033[C" },
	{ 0x4f, "\033[F" }, { 0x50, "\033[B" },  { 0x53, "\033[3~" }, { 0x1c, "\r" },
	{ 0x35, "/" },      { 0x49, "\033[5~" }, { 0x51, "\033[6~" },
};

static bool wait_until_clear(uint8_t status)
{
	for (unsigned i = 0; i < MAX_POLLS; i++)
		if (!(inb(KBD_STATUS) & status))
			return true;
	return false;
}

static bool wait_for_output(void)
{
	for (unsigned i = 0; i < MAX_POLLS; i++)
		if (inb(KBD_STATUS) & STATUS_OUTPUT_FULL)
			return true;
	return false;
}

static bool write_to(uint16_t port, uint8_t value)
{
	if (!wait_until_clear(STATUS_INPUT_FULL))
		return false;
	outb(port, value);
	return true;
}

static void drain(void)
{
	for (int i = 0; i < MAX_DRAINED && inb(KBD_STATUS) & STATUS_OUTPUT_FULL; i++)
		inb(KBD_DATA);
}

static void configure(void)
{
	uint8_t config;

	if (!write_to(KBD_COMMAND, COMMAND_READ_CONFIG) || !wait_for_output())
		return;
	config = inb(KBD_DATA);
	config |= CONFIG_INTERRUPT | CONFIG_TRANSLATE;
	config &= (uint8_t)~CONFIG_CLOCK_OFF;
	if (write_to(KBD_COMMAND, COMMAND_WRITE_CONFIG))
		write_to(KBD_DATA, config);
}

/* Prepares the controller. Returns false if there is none. */
static bool start(void)
{
	if (inb(KBD_STATUS) == STATUS_ABSENT)
		return false;
	write_to(KBD_COMMAND, COMMAND_DISABLE); /* or a key could be taken for an answer */
	drain();
	configure();
	write_to(KBD_COMMAND, COMMAND_ENABLE);
	return true;
}

/* After an early call pic_init() has disabled the interrupt again. */
void keyboard_init(void)
{
	present = present || start();
	if (present)
		irq_enable(IRQ_KEYBOARD, keyboard_receive);
}

static void push_text(const char *text)
{
	while (*text)
		input_push(INPUT_KEYBOARD, *text++);
}

static void special_key(uint8_t scan)
{
	for (size_t i = 0; i < sizeof(special_keys) / sizeof(special_keys[0]); i++)
		if (special_keys[i].scan == scan)
			push_text(special_keys[i].text);
}

static char to_character(uint8_t scan)
{
	char c;

	if (scan >= sizeof(plain) - 1)
		return 0;
	c = plain[scan];
	if (c >= 'a' && c <= 'z') {
		if (ctrl)
			return (char)(c & 0x1f);
		return shift != caps_lock ? shifted[scan] : c;
	}
	return shift ? shifted[scan] : c;
}

static void press(uint8_t scan, bool is_extended)
{
	char c;

	if (scan == SCAN_CAPS_LOCK) {
		caps_lock = !caps_lock;
		return;
	}
	if (is_extended || (scan >= 0x47 && scan <= 0x53)) {
		special_key(scan);
		return;
	}
	c = to_character(scan);
	if (c)
		input_push(INPUT_KEYBOARD, c);
}

/* Updates the state of SHIFT and CTRL. Returns false if scan is neither. An extended SHIFT (E0 2A)
   is not a key: keyboards send it around some extended keys. */
static bool is_modifier(uint8_t scan, bool is_extended, bool pressed)
{
	if (scan == SCAN_CTRL)
		ctrl = pressed;
	else if (scan == SCAN_SHIFT_LEFT || scan == SCAN_SHIFT_RIGHT)
		shift = is_extended ? shift : pressed;
	else
		return false;
	return true;
}

static void take_scan_code(uint8_t code)
{
	uint8_t scan = code & (uint8_t)~SCAN_RELEASE;
	bool was_extended = extended;

	if (nr_skipped > 0) {
		nr_skipped--;
		return;
	}
	extended = code == SCAN_EXTENDED;
	if (code == SCAN_PAUSE)
		nr_skipped = 2;
	else if (!extended && !is_modifier(scan, was_extended, scan == code) && scan == code)
		press(scan, was_extended);
}

void keyboard_receive(void)
{
	uint8_t status, code;

	while (present && input_has_room(LONGEST_CODE)) {
		status = inb(KBD_STATUS);
		if (status == STATUS_ABSENT || !(status & STATUS_OUTPUT_FULL))
			return;
		code = inb(KBD_DATA);
		if (!(status & STATUS_MOUSE))
			take_scan_code(code);
	}
}
