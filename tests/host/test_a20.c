/*
 * test_a20.c: tests how stage2/a20.c opens address line 20 on machines where the BIOS, the keyboard
 * controller or port 92h does it, at once, late or never. While the line is closed, the memory 1
 * MiB above a20_probe is a20_probe itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "stage2/bios.h"
#include "stage2/cpu.h"
#include "stage2/stage2.h"
#include "tests/host/stage2/said.h"

#include <cmocka.h> /* after said.h */

#define MIB        0x100000u
#define NEVER      UINT32_MAX
#define MAX_TESTS  20000u
#define MAX_WAIT   100000u
#define FAILED     "A20 stays closed: tried INT 15h AX=2401h, the keyboard controller and port 92h\n"
#define BIOS       "bios "
#define CONTROLLER "64=d1 60=df 64=ff "
#define PORT_92    "92=02 "

extern volatile uint32_t a20_probe;

static struct {
	bool open;
	char opened_by[20];     /* the last of the calls and writes that open it */
	uint32_t late;          /* … so many tests later */
	uint32_t opens_in;      /* tests until then, or NEVER */
	uint32_t tests;         /* since begin() */
	bool no_controller;     /* port 64h reads FFh */
	const char *busy_after; /* the write after which the controller is busy; NULL: each */
	uint32_t busy;          /* reads of port 64h for which it is busy after a write */
	uint32_t busy_reads;    /* of these, how many are left */
	uint32_t status_reads;  /* of port 64h */
	uint8_t port_92;
	char calls[300];
} machine;

static volatile uint32_t *above(void)
{
	uintptr_t address = (uintptr_t)&a20_probe + MIB;

	__asm__("" : "+r"(address));
	return (volatile uint32_t *)address;
}

/* Makes the memory 1 MiB above a20_probe, unless something of this program is there. */
static int map_memory(void **state)
{
	uintptr_t page = ((uintptr_t)&a20_probe + MIB) & ~0xffful;

	(void)state;
	(void)mmap((void *)page, 0x2000, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.opens_in = NEVER;
	*above() = 0x0a200a20; /* the value that a20_probe gets */
	return 0;
}

static void note(const char *call)
{
	size_t used = strlen(machine.calls);

	assert_in_range(used, 0, sizeof(machine.calls) - 20);
	snprintf(machine.calls + used, 20, "%s", call);
	if (strcmp(machine.opened_by, call) == 0)
		machine.opens_in = machine.late;
}

/* Is called between the write and the look at a20_probe: the time at which the alias counts. */
void io_delay(void)
{
	machine.tests++;
	if (machine.opens_in != NEVER && machine.opens_in-- == 0)
		machine.open = true;
	assert_int_not_equal(*above(), a20_probe);
	if (!machine.open)
		a20_probe = *above();
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	assert_int_equal(interrupt, 0x15);
	assert_int_equal(regs->eax, 0x2401);
	assert_int_equal(regs->flags, FLAGS_INTERRUPT);
	note(BIOS);
	return true;
}

uint8_t inb(uint16_t port)
{
	if (port == 0x92)
		return machine.port_92;
	assert_int_equal(port, 0x64);
	machine.status_reads++;
	if (machine.no_controller)
		return 0xff;
	if (machine.busy_reads == 0)
		return 0xfd; /* all bits but "input buffer full" */
	machine.busy_reads--;
	return 0x02;
}

void outb(uint16_t port, uint8_t value)
{
	char call[20];

	snprintf(call, sizeof(call), "%02x=%02x ", port, value);
	if (port != 0x92)
		assert_int_equal(machine.busy_reads, 0);
	note(call);
	if (!machine.busy_after || strcmp(machine.busy_after, call) == 0)
		machine.busy_reads = machine.busy;
}

static void check_opened(const char *calls)
{
	machine.calls[0] = 0;
	check_step(a20_enable, "");
	assert_true(machine.open);
	assert_string_equal(machine.calls, calls);
}

static void check_closed(const char *calls)
{
	machine.calls[0] = 0;
	check_step_fails(a20_enable, FAILED);
	assert_string_equal(machine.calls, calls);
}

/* Closes the line, which this call or write opens, so many tests later. */
static void closed_until(const char *opened_by, uint32_t late)
{
	machine.open = false;
	machine.opens_in = NEVER;
	machine.late = late;
	snprintf(machine.opened_by, sizeof(machine.opened_by), "%s", opened_by);
}

static void open_already(void **state)
{
	(void)state;
	machine.open = true;
	*above() = 0x12345678;
	check_opened("");
	assert_int_equal(machine.tests, 1);
	assert_int_equal(*above(), 0x12345678); /* what was there is still there */
}

/* Each method is tried after the ones before it; then it is the first one. */
static void each_method(void **state)
{
	(void)state;
	closed_until(BIOS, 0);
	check_opened(BIOS);
	closed_until("64=ff ", 0);
	check_opened(BIOS CONTROLLER);
	closed_until("64=ff ", 0);
	check_opened(CONTROLLER);
	closed_until(PORT_92, 0);
	check_opened(CONTROLLER PORT_92);
	closed_until(PORT_92, 0);
	check_opened(PORT_92);
	closed_until("64=ff ", 0);
	check_opened(PORT_92 BIOS CONTROLLER);
	closed_until("nothing", 0);
	check_closed(CONTROLLER PORT_92 BIOS);
	closed_until(PORT_92, 0);
	check_opened(CONTROLLER PORT_92);
	closed_until(BIOS, 0);
	check_opened(PORT_92 BIOS);
}

/* A method has 20,000 tests' time. */
static void late_ones(void **state)
{
	(void)state;
	closed_until(BIOS, MAX_TESTS - 1);
	check_opened(BIOS);
	assert_int_equal(machine.tests, 1 + MAX_TESTS);
	machine.tests = 0;
	closed_until("nothing", 0);
	check_closed(BIOS CONTROLLER PORT_92);
	assert_int_equal(machine.tests, 1 + 3 * MAX_TESTS);
}

/* The controller gets a byte only when it has taken the one before, or is left alone. */
static void a_busy_controller(void **state)
{
	(void)state;
	machine.busy = 1000;
	closed_until("64=ff ", 0);
	check_opened(BIOS CONTROLLER);
	assert_int_equal(machine.busy_reads, 0); /* the last byte was waited for */
	closed_until(BIOS, 0);
	check_opened(CONTROLLER PORT_92 BIOS);
	/* Ready at the last look, and one later. */
	machine.busy = MAX_WAIT - 1;
	closed_until("nothing", 0);
	check_closed(BIOS CONTROLLER PORT_92);
	machine.busy_reads = 0;
	machine.busy = MAX_WAIT;
	check_closed(BIOS "64=d1 " PORT_92);
	assert_int_equal(machine.busy_reads, MAX_WAIT); /* after port 92h */
	machine.busy_reads = 0;
	machine.busy_after = "60=df ";
	check_closed(BIOS "64=d1 60=df " PORT_92);
	/* Busy from the beginning. */
	machine.busy_reads = MAX_WAIT + 1;
	check_closed(BIOS PORT_92);
}

static void no_controller(void **state)
{
	(void)state;
	machine.no_controller = true;
	closed_until(PORT_92, 0);
	check_opened(BIOS PORT_92);
	assert_int_equal(machine.status_reads, 1); /* it is not waited for */
	closed_until(BIOS, 0);
	check_opened(PORT_92 BIOS);
}

/* Bit 1 is set, bit 0 is cleared, the others stay. */
static void bits_of_port_92(void **state)
{
	(void)state;
	for (int value = 0; value < 256; value++) {
		char write[20];

		machine.port_92 = (uint8_t)value;
		snprintf(write, sizeof(write), "92=%02x ", (value | 2) & 0xfe);
		closed_until(write, 0);
		machine.calls[0] = 0;
		check_step(a20_enable, "");
		assert_non_null(strstr(machine.calls, write));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(open_already, begin),
		cmocka_unit_test_setup(each_method, begin),
		cmocka_unit_test_setup(late_ones, begin),
		cmocka_unit_test_setup(a_busy_controller, begin),
		cmocka_unit_test_setup(no_controller, begin),
		cmocka_unit_test_setup(bits_of_port_92, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("a20", tests, map_memory, NULL);
}
