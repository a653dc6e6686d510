#include "arch/x86_64/apic.h"

#include "arch/x86_64/acpi_tables.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/traps.h"
#include "mm/port.h"

#define MSR_APIC_BASE     0x1bu
#define BASE_X2APIC       (1ul << 10)
#define BASE_ENABLED      (1ul << 11)
#define BASE_ADDRESS      0x000ffffffffff000ul

/* Registers: offsets in memory. As an MSR a register has the number 800h + offset / 16. */
#define REG_ID            0x020 /* in memory the id is in the top 8 bits */
#define REG_TASK_PRIORITY 0x080
#define REG_END           0x0b0
#define REG_SPURIOUS      0x0f0
#define REG_COMMAND       0x300 /* low half; in x2APIC mode the whole register */
#define REG_COMMAND_HIGH  0x310
#define REG_LINT0         0x350
#define REG_LINT1         0x360
#define MSR_X2APIC        0x800u

#define SPURIOUS_ENABLE   (1u << 8)
#define LVT_MASKED        (1u << 16)
#define LVT_NMI           0x400u
#define LVT_EXTINT        0x700u /* the PIC supplies the vector */

#define COMMAND_FIXED     0x00000u
#define COMMAND_NMI       0x00400u
#define COMMAND_INIT      0x00500u
#define COMMAND_STARTUP   0x00600u
#define COMMAND_PENDING   0x01000u /* the last interrupt has not been sent yet */
#define COMMAND_ASSERT    0x04000u

#define MAX_POLLS         1000000u

static volatile uint8_t *registers; /* NULL before apic_find(), and in x2APIC mode */

static void write_register(unsigned int offset, uint32_t value)
{
	if (registers)
		*(volatile uint32_t *)(registers + offset) = value;
	else
		wrmsr(MSR_X2APIC + offset / 16, value);
}

static uint32_t read_register(unsigned int offset)
{
	if (registers)
		return *(volatile uint32_t *)(registers + offset);
	return (uint32_t)rdmsr(MSR_X2APIC + offset / 16);
}

uint32_t apic_id(void)
{
	uint64_t base = cpu_features.apic ? rdmsr(MSR_APIC_BASE) : 0;
	volatile uint8_t *early = registers;

	if (!(base & BASE_ENABLED))
		return 0;
	if (base & BASE_X2APIC)
		return (uint32_t)rdmsr(MSR_X2APIC + REG_ID / 16);
	if (!early)
		early = acpi_map(base & BASE_ADDRESS, PAGE_SIZE);
	return early ? *(volatile uint32_t *)(early + REG_ID) >> 24 : 0;
}

bool apic_find(void)
{
	uint64_t base;

	if (!cpu_features.apic)
		return false;
	base = rdmsr(MSR_APIC_BASE);
	if (!(base & BASE_ENABLED))
		return false;
	if (!(base & BASE_X2APIC))
		registers = ioremap(base & BASE_ADDRESS, PAGE_SIZE);
	return true;
}

volatile void *apic_registers(void)
{
	return registers;
}

/*
 * On CPU 0 the firmware has mostly enabled it, and has connected the PIC in one of two ways (MP
 * specification 1.4, 3.6.2.2): by LINT0, or by the I/O APIC. That is left as it is.
 */
void apic_enable(void)
{
	bool boots = port_cpu_id() == 0, enabled;

	write_register(REG_TASK_PRIORITY, 0);
	enabled = read_register(REG_SPURIOUS) & SPURIOUS_ENABLE;
	/* Before it is enabled, every line stays masked: SDM 3A, 10.4.7.2. */
	write_register(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	if (boots && enabled)
		return;
	write_register(REG_LINT0, boots ? LVT_EXTINT : LVT_MASKED);
	write_register(REG_LINT1, boots ? LVT_NMI : LVT_MASKED);
}

bool apic_reaches(uint32_t apic_id)
{
	return !registers || apic_id < 0xff;
}

/* The two halves of the command are written with interrupts off: a handler may send one, too. */
static void command(uint32_t apic_id, uint32_t what)
{
	unsigned long flags = port_irq_save();

	if (registers) {
		volatile uint32_t *low = (volatile uint32_t *)(registers + REG_COMMAND);

		for (unsigned int i = 0; *low & COMMAND_PENDING && i < MAX_POLLS; i++)
			pause();
		write_register(REG_COMMAND_HIGH, apic_id << 24);
		*low = what;
	} else {
		/* Unlike a store, WRMSR to x2APIC's registers does not wait for earlier stores: SDM
		   3A, 10.12.3. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + REG_COMMAND / 16, (uint64_t)apic_id << 32 | what);
	}
	port_irq_restore(flags);
}

void apic_send(uint32_t apic_id, uint8_t vector)
{
	command(apic_id, COMMAND_FIXED | COMMAND_ASSERT | vector);
}

void apic_send_nmi(uint32_t apic_id)
{
	command(apic_id, COMMAND_NMI | COMMAND_ASSERT);
}

void apic_send_init(uint32_t apic_id)
{
	command(apic_id, COMMAND_INIT | COMMAND_ASSERT);
}

void apic_send_startup(uint32_t apic_id, uint32_t address)
{
	command(apic_id, COMMAND_STARTUP | COMMAND_ASSERT | address >> 12);
}

void apic_end_of_interrupt(void)
{
	write_register(REG_END, 0);
}
