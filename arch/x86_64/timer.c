/*
 * timer.c: channel 0 of the 8254 gives a slow tick, and channel 2 measures the TSC.
 *
 * The tick wakes the idle loop, so that a lost device interrupt delays input but does not lose it.
 * Channel 2 counts down once, since its gate (port 61h, bit 0) is open, from when the upper byte of
 * its count is written; bit 5 shows when it has reached 0 (Intel 8254 data sheet, mode 0). Every
 * wait is bounded: on a machine without the chip the rate stays unknown, and delays are made of I/O
 * port accesses.
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
#define TICK_COUNT     (PIT_HZ / TICK_HZ)
#define MAX_TRIALS     20
#define TRIAL_MS       2u
#define TRIAL_COUNT    (PIT_HZ * TRIAL_MS / 1000)
#define MAX_POLLS      4000000u /* in all, at a microsecond or less each: far more than trials take */

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

/*
 * Lets the timer run for TRIAL_COUNT. Raises *low to cycles of the TSC that this certainly takes,
 * and lowers *high to cycles that it does not exceed: the timer starts while the upper byte of the
 * count is written, and ends while port 61h is read for the last time, or between that and the read
 * before. If there was none, because the host of a virtual machine was away or because the bit is
 * stuck, *low stays as it is. Subtracts the number of reads from *polls, and ends when that is 0.
 */
static void narrow(uint64_t *low, uint64_t *high, unsigned *polls)
{
	uint8_t port_b = inb(PORT_B) & PORT_B_OTHERS;
	uint64_t before, after, now;

	outb(PORT_B, port_b | PORT_B_GATE2);
	outb(PIT_COMMAND, PIT_ONCE2);
	outb(PIT_CHANNEL2, (uint8_t)TRIAL_COUNT);
	before = arch_timestamp();
	outb(PIT_CHANNEL2, TRIAL_COUNT >> 8);
	after = now = arch_timestamp();
	while (*polls > 0 && !(inb(PORT_B) & PORT_B_OUT2)) {
		(*polls)--;
		if (now - after > *low)
			*low = now - after;
		now = arch_timestamp();
	}
	now = arch_timestamp();
	if (now - before < *high)
		*high = now - before;
}

/*
 * Measures the TSC's rate to 0.2 %, by one trial where ports are read within a microsecond or two.
 * Where the host of a virtual machine takes longer or is busy, each trial narrows what the ones
 * before have shown.
 */
static void measure_tsc(void)
{
	uint64_t low = 0, high = UINT64_MAX;
	unsigned polls = MAX_POLLS;

	for (int i = 0; i < MAX_TRIALS && low + high / 500 < high; i++)
		narrow(&low, &high, &polls);
	if (low != 0 && polls != 0)
		khz = (low + high) / 2 * PIT_HZ / (TRIAL_COUNT * 1000ul);
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
	outb(PIT_COMMAND, PIT_RATE0);
	outb(PIT_CHANNEL0, (uint8_t)TICK_COUNT);
	outb(PIT_CHANNEL0, TICK_COUNT >> 8);
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
