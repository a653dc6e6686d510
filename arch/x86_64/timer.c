/*
 * timer.c: channel 0 of the 8254 gives a slow tick, and channel 2 measures the TSC.
 *
 * The tick wakes the idle loop, so that a lost device interrupt delays input but does not lose it.
 * Channel 2 counts down once while its gate (port 61h, bit 0) is open; bit 5 shows when it has
 * reached 0 (Intel 8254 data sheet, mode 0). Every wait is bounded: on a machine without the chip
 * the rate stays unknown, and delays are made of I/O port accesses.
 */
#include "arch/x86_64/timer.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/input.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/pic.h"
#include "mm/port.h"

#define PIT_HZ         1193182u
#define PIT_CHANNEL0   0x40
#define PIT_CHANNEL2   0x42
#define PIT_COMMAND    0x43
#define PIT_RATE0      0x34 /* channel 0, low byte then high byte, mode 2: divides the clock */
#define PIT_ONCE2      0xb0 /* channel 2, low byte then high byte, mode 0: counts down once */

#define PORT_B         0x61
#define PORT_B_GATE2   0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUT2    0x20
#define PORT_B_OTHERS  (0xff - PORT_B_GATE2 - PORT_B_SPEAKER)

#define ASSUMED_KHZ    2000000u

#define TICK_HZ        20u
#define TRIALS         3
#define MAX_TRIALS     20
#define TRIAL_MS       10u
#define MAX_POLLS      4000000u /* at a microsecond or less each: far more than a trial takes */

static uint64_t khz;

uint64_t tsc_khz(void)
{
	return khz;
}

/* LFENCE waits until all earlier instructions have completed: SDM 2B, RDTSC. */
uint64_t arch_timestamp(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return rdtsc();
}

uint64_t arch_us_since(uint64_t start)
{
	return (arch_timestamp() - start) * 1000 / (khz ? khz : ASSUMED_KHZ);
}

static void load_counter(uint16_t port, uint8_t command, unsigned count)
{
	outb(PIT_COMMAND, command);
	outb(port, (uint8_t)count);
	outb(port, (uint8_t)(count >> 8));
}

/* Returns the TSC's cycles in TRIAL_MS, or 0 if the timer does not count. */
static uint64_t count_cycles(void)
{
	uint8_t port_b = inb(PORT_B) & PORT_B_OTHERS;
	unsigned polls = 0;
	uint64_t start;

	outb(PORT_B, port_b);
	load_counter(PIT_CHANNEL2, PIT_ONCE2, PIT_HZ * TRIAL_MS / 1000);
	outb(PORT_B, port_b | PORT_B_GATE2);
	start = arch_timestamp();
	while (!(inb(PORT_B) & PORT_B_OUT2) && polls < MAX_POLLS)
		polls++;
	/* If the bit is set at once, it is stuck, and no timer counts. */
	return polls == 0 || polls == MAX_POLLS ? 0 : arch_timestamp() - start;
}

/* Returns whether two numbers of cycles differ by less than a hundredth. */
static bool agree(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) < a / 100;
}

/*
 * Measures the TSC's rate. The shortest of several trials was disturbed least, so it counts. There
 * are more if it is the only one so short: the host of a virtual machine may disturb many.
 */
static void measure_tsc(void)
{
	uint64_t best = 0;
	bool confirmed = false;

	for (int i = 0; i < (confirmed ? TRIALS : MAX_TRIALS); i++) {
		uint64_t cycles = count_cycles();

		if (!cycles)
			break;
		confirmed = (confirmed && best <= cycles) || agree(cycles, best);
		if (!best || cycles < best)
			best = cycles;
	}
	khz = best / TRIAL_MS;
	if (khz)
		printk("TSC: %lu kHz\n", khz);
	else
		printk("TSC: rate unknown, the 8254 does not count\n");
}

static void tick(void)
{
	input_poll();
}

void timer_init(void)
{
	measure_tsc();
	load_counter(PIT_CHANNEL0, PIT_RATE0, PIT_HZ / TICK_HZ);
	irq_enable(IRQ_TIMER, tick);
}

void delay_us(unsigned microseconds)
{
	uint64_t start = rdtsc();

	if (!khz) {
		while (microseconds-- > 0)
			io_delay();
		return;
	}
	while (rdtsc() - start < khz * microseconds / 1000)
		pause();
}
