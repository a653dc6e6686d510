/*
 * a20.c: opens address line 20. A PC may hold it low after reset; then each address with bit 20 set
 * reaches the memory 1 MiB below.
 *
 * On most machines the line is open already, so it is tested first. If it is closed, three methods
 * are tried, the least intrusive first. Each is followed by tests for some milliseconds, because
 * some controllers react late. A disk call may close the line again (seen with SeaBIOS and AHCI,
 * after the keyboard controller had opened it), so disk_read() calls a20_enable() after each call,
 * which then begins with the method that worked last.
 */
#include <stdbool.h>

#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/cpu.h"
#include "stage2/stage2.h"

#define MIB               0x100000u

#define KBC_DATA          0x60
#define KBC_STATUS        0x64
#define KBC_INPUT_FULL    0x02
#define KBC_ABSENT        0xff
#define KBC_WRITE_OUTPUT  0xd1
#define KBC_OUTPUT_A20_ON 0xdf /* bit 1 opens A20; a clear bit 0 would reset the machine */
#define KBC_NO_COMMAND    0xff /* some controllers act only after a further command */
#define KBC_MAX_WAIT      100000

#define PORT_92           0x92
#define PORT_92_RESET     0x01
#define PORT_92_A20       0x02

#define MAX_TESTS         20000 /* each waits about a microsecond */

volatile uint32_t a20_probe; /* not static, so that a host test can give it an alias */

/*
 * Returns true if A20 is open: a write 1 MiB above a20_probe leaves that as it was. This works even
 * without RAM up there.
 */
static bool a20_open(void)
{
	uintptr_t high_address = (uintptr_t)&a20_probe + MIB;
	volatile uint32_t *high;
	uint32_t kept;
	bool open;

	/* Hides from the compiler that this address is derived from a20_probe's. */
	__asm__("" : "+r"(high_address));
	high = (volatile uint32_t *)high_address;
	kept = *high;
	a20_probe = 0x0a200a20;
	*high = ~0x0a200a20u;
	io_delay();
	open = a20_probe == 0x0a200a20;
	*high = kept;
	return open;
}

/* Returns true as soon as A20 is open, false if it stays closed for MAX_TESTS tests. */
static bool a20_opens(void)
{
	for (uint32_t i = 0; i < MAX_TESTS; i++) {
		if (a20_open())
			return true;
	}
	return false;
}

static void by_bios(void)
{
	struct bios_regs regs = { .eax = 0x2401, .flags = FLAGS_INTERRUPT };

	bios_call(0x15, &regs);
}

static bool kbc_ready(void)
{
	for (uint32_t i = 0; i < KBC_MAX_WAIT; i++) {
		if ((inb(KBC_STATUS) & KBC_INPUT_FULL) == 0)
			return true;
	}
	return false;
}

static void by_keyboard_controller(void)
{
	if (inb(KBC_STATUS) == KBC_ABSENT || !kbc_ready())
		return;
	outb(KBC_STATUS, KBC_WRITE_OUTPUT);
	if (!kbc_ready())
		return;
	outb(KBC_DATA, KBC_OUTPUT_A20_ON);
	if (!kbc_ready())
		return;
	outb(KBC_STATUS, KBC_NO_COMMAND);
	kbc_ready();
}

/* Opens A20 by port 92h. Bit 0 must be written as 0: changed to 1, it resets the machine, and some
   machines read it as 1. */
static void by_port_92(void)
{
	uint8_t value = inb(PORT_92);

	outb(PORT_92, (uint8_t)((value | PORT_92_A20) & ~PORT_92_RESET));
}

static void (*const methods[])(void) = { by_bios, by_keyboard_controller, by_port_92 };
#define NR_METHODS (sizeof(methods) / sizeof(methods[0]))

void a20_enable(void)
{
	static uint32_t method; /* the one that worked last */

	if (a20_open())
		return;
	for (uint32_t i = 0; i < NR_METHODS; i++) {
		methods[method]();
		if (a20_opens())
			return;
		method = (method + 1) % NR_METHODS;
	}
	fail("A20 stays closed: tried INT 15h AX=2401h, the keyboard controller and port 92h");
}
