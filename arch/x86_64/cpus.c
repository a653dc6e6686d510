/*
 * cpus.c: starts the processors (SDM 3A, 8.4.4), and knows which there are.
 *
 * Each is called by its own APIC id, one after the other, and claims its entry in start_calls[] by
 * the id in its local APIC: trampoline.asm. So more that come than were called, or one that comes
 * late, find no stack of another in use. The others' INIT has its effect during the 10 ms after the
 * first, so these are waited for once.
 *
 *	start_call.state   0 ─▶ CALLED ─▶ CLAIMED ─▶ COME   by the processor
 *	                          └─────────┴─────▶ WITHDRAWN by CPU 0, which waited long enough
 *
 * A processor that was withdrawn is parked. If it has claimed its entry, it keeps its stack.
 */
#include "arch/x86_64/cpus.h"

#include "arch/x86_64/acpi_tables.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/frame_access.h"
#include "arch/x86_64/ipi.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/timer.h"
#include "lib/madt.h"
#include "mm/cpu.h"
#include "mm/gfp.h"
#include "mm/numa.h"

/* Low memory that is kept free for this: memory_reserve_low(). trampoline.asm knows the first. */
#define TRAMPOLINE 0x8000u
#define LOW_TABLES 0x9000u /* three page tables: levels 4, 3 and 2 */

/* How long CPU 0 waits, in microseconds: the first two by the MP specification 1.4, B.4. */
#define INIT_US    10000  /* after INIT */
#define SIPI_US    200    /* after the first start-up interrupt, before the second is sent */
#define EACH_US    5000   /* after the second, before the next processor is called */
#define LATE_US    800000 /* in the end, for all that have not come until then */

_Static_assert(MADT_MAX_CPUS <= MM_MAX_CPUS, "each has a number");

static struct madt madt = { .nr_cpus = 1 };
static unsigned int nr_online = 1;

/* Why a processor is not online. */
static enum reason { NOT_STARTED, NO_ANSWER, NO_MEMORY, OUT_OF_REACH } reasons[MADT_MAX_CPUS];
static unsigned int most = MADT_MAX_CPUS; /* cpus_start()'s argument */

static uint64_t start_us; /* how long cpus_start() took */

/* ---- trampoline.asm ---- */

enum { CALLED = 1, CLAIMED, COME, WITHDRAWN };

struct start_call {
	uint32_t apic_id;
	uint32_t state;
	struct percpu *area;
	const char *stack;
};
_Static_assert(sizeof(struct start_call) == 24, "trampoline.asm");

struct start_call start_calls[MADT_MAX_CPUS];
uint32_t start_nr_calls;
uint32_t start_uninvited;
uint64_t start_root;
volatile void *start_apic; /* the registers of the local APIC, at the same address for all */

extern const char trampoline_start[], trampoline_end[];
extern const char trampoline_cr0[], trampoline_cr3[], trampoline_cr4[], trampoline_efer[];

/* ---- what there is ---- */

void cpus_find(void)
{
	struct acpi_table table = acpi_find_doubtful("APIC");

	madt_read(&madt, table.length ? table.bytes : NULL, table.length, apic_id());
	if (!madt.found)
		printk("no MADT: one CPU\n");
	if (madt.bad_checksum)
		printk("MADT: its checksum is wrong; it is used all the same\n");
	if (madt.boot_missing)
		printk("MADT: it does not list the processor that boots, APIC %u\n",
		       madt.apic_id[0]);
	if (madt.nr_duplicates)
		printk("MADT: processors listed again, left out: %u\n", madt.nr_duplicates);
	if (madt.nr_bad)
		printk("MADT: damaged entries, left out: %u\n", madt.nr_bad);
	if (madt.nr_too_many)
		printk("MADT: processors beyond the limit, left out: %u\n", madt.nr_too_many);
	percpus[0]->apic_id = madt.apic_id[0];
}

unsigned int cpus_listed(void)
{
	return madt.nr_cpus;
}

unsigned int cpus_online(void)
{
	return __atomic_load_n(&nr_online, __ATOMIC_RELAXED);
}

bool cpu_is_online(unsigned int cpu)
{
	return cpu < MM_MAX_CPUS && percpus[cpu] &&
	       __atomic_load_n(&percpus[cpu]->online, __ATOMIC_ACQUIRE);
}

const uint32_t *cpu_apic_ids(void)
{
	return madt.apic_id;
}

static void print_state(print_fn print, unsigned int cpu)
{
	if (cpu_is_online(cpu))
		print("online\n");
	else if (reasons[cpu] == NOT_STARTED)
		print("not started (maxcpus=%u)\n", most);
	else if (reasons[cpu] == NO_MEMORY)
		print("no memory for it\n");
	else if (reasons[cpu] == OUT_OF_REACH)
		print("out of reach without x2APIC mode\n");
	else
		print("does not start\n");
}

void cpus_print(print_fn print)
{
	uint32_t uninvited = __atomic_load_n(&start_uninvited, __ATOMIC_RELAXED);

	for (unsigned int cpu = 0; cpu < madt.nr_cpus; cpu++) {
		print("CPU %u: APIC %u, node %d, ", cpu, madt.apic_id[cpu], cpu_to_node(cpu));
		print_state(print, cpu);
	}
	if (uninvited)
		print("%u CPUs came uninvited and are parked\n", uninvited);
}

uint64_t cpus_start_us(void)
{
	return start_us;
}

/* ---- the start ---- */

/* Low memory is written through frame_show(): the direct map lacks it if the map, or memmap=, does
   not call it RAM. It is there all the same, because stage2 has used it. */

/* Makes a table entry of a page table in low memory, at phys. */
static void put_entry(phys_addr_t table, unsigned int index, uint64_t entry)
{
	((uint64_t *)frame_show(table))[index] = entry;
}

/* Makes page tables that map the first 2 MiB one to one, and the kernel's image. */
static void make_low_tables(void)
{
	const uint64_t bits = PTE_PRESENT | PTE_WRITE;
	const uint64_t *kernel = phys_to_virt(paging_root());

	for (unsigned int i = 0; i < 3; i++)
		memset(frame_show(LOW_TABLES + i * PAGE_SIZE), 0, PAGE_SIZE);
	put_entry(LOW_TABLES, 0, (LOW_TABLES + PAGE_SIZE) | bits);
	put_entry(LOW_TABLES, PTE_ENTRIES - 1, kernel[PTE_ENTRIES - 1]);
	put_entry(LOW_TABLES + PAGE_SIZE, 0, (LOW_TABLES + 2 * PAGE_SIZE) | bits);
	put_entry(LOW_TABLES + 2 * PAGE_SIZE, 0, PTE_PS | bits);
}

/* Sets a value of the trampoline's copy; place is where it has it in the image. */
static void set_value(const char *place, uint64_t value)
{
	char *copy = frame_show(TRAMPOLINE);

	*(volatile uint32_t *)(copy + (place - trampoline_start)) = (uint32_t)value;
}

static void make_trampoline(void)
{
	memcpy(frame_show(TRAMPOLINE), trampoline_start,
	       (uintptr_t)trampoline_end - (uintptr_t)trampoline_start);
	set_value(trampoline_cr0, read_cr0());
	set_value(trampoline_cr3, LOW_TABLES);
	set_value(trampoline_cr4,
		  read_cr4() & ~CR4_PGE); /* not before paging is on: SDM 3A, 4.10.2.4 */
	set_value(trampoline_efer, rdmsr(MSR_EFER) & ~EFER_LMA);
	start_root = paging_root();
	start_apic = apic_registers();
	make_low_tables();
	frame_hide();
}

/* Prepares the call of a processor. Returns false, and notes why, when it cannot be called. */
static bool prepare(unsigned int cpu)
{
	uint32_t apic_id = madt.apic_id[cpu];
	struct percpu *area;

	reasons[cpu] = OUT_OF_REACH;
	if (!apic_reaches(apic_id))
		return false;
	reasons[cpu] = NO_MEMORY;
	area = percpu_alloc(cpu, apic_id);
	if (!area)
		return false;
	reasons[cpu] = NO_ANSWER;
	start_calls[cpu] =
	    (struct start_call){ apic_id, CALLED, area, area->stacks[STACK_KERNEL].top };
	__atomic_store_n(&start_nr_calls, cpu + 1, __ATOMIC_RELEASE);
	return true;
}

static bool has_come(unsigned int cpu, unsigned int microseconds)
{
	uint64_t start = arch_timestamp();

	while (!cpu_is_online(cpu) && arch_us_since(start) < microseconds)
		pause();
	return cpu_is_online(cpu);
}

/* Calls a processor by two start-up interrupts; the second only if the first was not enough. */
static void call(unsigned int cpu)
{
	apic_send_startup(madt.apic_id[cpu], TRAMPOLINE);
	if (has_come(cpu, SIPI_US))
		return;
	apic_send_startup(madt.apic_id[cpu], TRAMPOLINE);
	has_come(cpu, EACH_US);
}

/* Returns whether a processor was called, has not come, and may still come. */
static bool is_expected(unsigned int cpu)
{
	uint32_t state = __atomic_load_n(&start_calls[cpu].state, __ATOMIC_RELAXED);

	return state && state != WITHDRAWN && !cpu_is_online(cpu);
}

static unsigned int nr_expected(void)
{
	unsigned int nr = 0;

	for (unsigned int cpu = 1; cpu < madt.nr_cpus; cpu++)
		nr += is_expected(cpu);
	return nr;
}

/* Withdraws the entry of a processor, if it is in this state. Returns whether it was. */
static bool withdraw_from(unsigned int cpu, uint32_t state)
{
	return __atomic_compare_exchange_n(&start_calls[cpu].state, &state, WITHDRAWN, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void withdraw(unsigned int cpu)
{
	if (withdraw_from(cpu, CALLED))
		percpu_free(start_calls[cpu].area);
	else if (has_come(cpu, LATE_US) || !withdraw_from(cpu, CLAIMED))
		return;
	printk("CPU %u (APIC %u) does not start\n", cpu, madt.apic_id[cpu]);
}

/* Waits until all processors that were called have come, for a bounded time, and gives up the
 * others. */
static void await_expected(void)
{
	uint64_t start = arch_timestamp();

	while (nr_expected() && arch_us_since(start) < LATE_US)
		pause();
	for (unsigned int cpu = 1; cpu < madt.nr_cpus; cpu++)
		if (is_expected(cpu))
			withdraw(cpu);
}

/* Calls one processor after the other until as many CPUs are online as cpus_start() was told. */
static void call_all(void)
{
	for (unsigned int cpu = 0; cpu < madt.nr_cpus; cpu++)
		start_calls[cpu].apic_id = UINT32_MAX; /* nobody's, until it is prepared */
	for (unsigned int cpu = 1; cpu < madt.nr_cpus; cpu++)
		if (apic_reaches(madt.apic_id[cpu]))
			apic_send_init(madt.apic_id[cpu]);
	delay_us(INIT_US);
	for (unsigned int cpu = 1; cpu < madt.nr_cpus; cpu++) {
		if (cpus_online() + nr_expected() >= most)
			await_expected(); /* else more than `most` might come */
		if (cpus_online() >= most)
			break;
		if (prepare(cpu))
			call(cpu);
		else
			printk("CPU %u (APIC %u): %s\n", cpu, madt.apic_id[cpu],
			       reasons[cpu] == NO_MEMORY ? "no memory for it"
							 : "out of reach without x2APIC mode");
	}
	await_expected();
}

void cpus_start(unsigned int max)
{
	uint64_t start = arch_timestamp();
	bool reached = apic_find();

	most = max ? max : 1;
	if (madt.nr_cpus == 1 || most == 1)
		return;
	if (!reached) {
		printk("no local APIC: one CPU\n");
		madt.nr_cpus = 1;
		return;
	}
	apic_enable();
	make_trampoline();
	call_all();
	mm_divide_caches();
	if (tsc_khz())
		start_us = (arch_timestamp() - start) * 1000 / tsc_khz();
	printk("%u CPUs online\n", cpus_online());
	if (start_uninvited)
		printk("%u CPUs came uninvited and are parked\n", start_uninvited);
}

/* The first C code of a processor, on its own stack: trampoline.asm. */
__attribute__((noreturn)) void start_arrived(void);
void start_arrived(void)
{
	uint32_t claimed = CLAIMED;

	traps_load();
	if (cpu_features.pge)
		write_cr4(read_cr4() | CR4_PGE);
	apic_enable();
	if (!__atomic_compare_exchange_n(&start_calls[port_cpu_id()].state, &claimed, COME, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&start_uninvited, 1, __ATOMIC_RELAXED);
		arch_halt();
	}
	__atomic_fetch_add(&nr_online, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&this_cpu()->online, true, __ATOMIC_RELEASE);
	cpus_work();
}
