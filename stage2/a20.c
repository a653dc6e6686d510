/*
 * a20.c: the address line that a PC keeps low after reset, so that 1 MiB looks like 0.
 *
 * Tested first, since it is mostly open; then opened in the three ways there are, gentlest first,
 * each followed by tests for a while: some controllers take milliseconds. A disk call may close it
 * again (seen with SeaBIOS and AHCI, after the keyboard controller had opened it), so this is done
 * again after reads, beginning with the way that worked.
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
#define KBC_OUTPUT_A20_ON 0xdf /* and no reset: bit 0 set */
#define KBC_NO_COMMAND    0xff /* some need a command after it, as Linux and Windows give */
#define KBC_MAX_WAIT      100000

#define PORT_92           0x92
#define PORT_92_RESET     0x01
#define PORT_92_A20       0x02

#define TESTS             20000 /* each with a delay of about a microsecond */

static volatile uint32_t probe;

/* Open when a write 1 MiB higher leaves the probe alone; RAM up there is not needed for that. */
static bool a20_open(void)
{
	uintptr_t high_address = (uintptr_t)&probe + MIB;
	volatile uint32_t *high;
	uint32_t kept;
	bool open;

	__asm__("" : "+r"(high_address)); /* another object, as far as the compiler knows */
	high = (volatile uint32_t *)high_address;
	kept = *high;
	probe = 0x0a200a20;
	*high = ~0x0a200a20u;
	io_delay();
	open = probe == 0x0a200a20;
	*high = kept;
	return open;
}

static bool a20_opens(void)
{
	for (uint32_t i = 0; i < TESTS; i++) {
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

/* Bit 0 resets the machine on a change from 0 to 1, and reads as 1 on some. */
static void by_port_92(void)
{
	uint8_t value = inb(PORT_92);

	outb(PORT_92, (uint8_t)((value | PORT_92_A20) & ~PORT_92_RESET));
}

static void (*const ways[])(void) = { by_bios, by_keyboard_controller, by_port_92 };
#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

void a20_enable(void)
{
	static uint32_t way; /* the one that worked last */

	if (a20_open())
		return;
	for (uint32_t i = 0; i < NR_WAYS; i++) {
		ways[way]();
		if (a20_opens())
			return;
		way = (way + 1) % NR_WAYS;
	}
	fail("A20 stays closed: tried INT 15h AX=2401h, the keyboard controller and port 92h");
}
