/*
 * memory.c: reads the memory map from the BIOS.
 *
 * The sources, the most trusted first: INT 15h AX=E820h, a list of typed ranges; AX=E801h, two
 * sizes; AH=88h, one size. Without a list, INT 12h gives the size of the memory below 640 KiB. The
 * entries are stored in boot_info exactly as the BIOS returned them; the kernel corrects and shows
 * them. Every fault of the BIOS is a bit of map_faults. If a list is discarded, none of its entries
 * is kept.
 */
#include "include/boot_info.h"
#include "lib/e820.h"
#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/stage2.h"

#define SMAP        0x534d4150u /* "SMAP" */
#define ASK_BYTES   24u
#define MIN_BYTES   20u
#define KIB         1024u
#define MIB         0x100000u
#define LOW_BEGIN   0x1000u     /* real_stack_bottom: below are only the BIOS's own data */
#define LOW_END     0x80000u    /* low_memory_end */
#define EBDA_LEAST  0x10000u    /* a word at 40:0Eh that gives less is no address of an EBDA */
#define E801_AX_MAX (15u * KIB) /* KiB between 1 and 16 MiB */

/* Carry is set before the first call of a function: a BIOS that does not know the function may
   return with all registers and flags unchanged, and carry then says so. */
#define NOT_SERVED  FLAGS_CARRY

extern const volatile uint16_t bda_ebda_segment; /* low_memory.ld */

struct e820_map memory_map;

/*
 * The buffer that E820 fills. It is larger than an entry, for a BIOS that writes more than it was
 * asked for. It is not cleared between calls, because one BIOS writes only the fields that differ
 * from the entry before.
 */
static struct {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t attributes;
	uint8_t excess[104];
} answer;

enum list_state { LIST_GOES_ON, LIST_ENDED, LIST_ABSENT };

static void add_entry(uint64_t base, uint64_t size, uint32_t type, uint32_t attributes,
		      uint32_t length)
{
	struct e820_entry *entry = &boot_info.e820[boot_info.e820_count++];

	*entry = (struct e820_entry){ base, size, type, attributes, length, 0 };
}

/* What the next call passes to the BIOS. */
struct list_call {
	uint32_t next;  /* the continuation value: 0 for the first call */
	uint32_t flags; /* NOT_SERVED; 0 for a BIOS that leaves carry as it comes */
};

/* Asks for the next entry. */
static enum list_state e820_call(struct list_call *call)
{
	struct bios_regs regs = {
		.eax = 0xe820,
		.ebx = call->next,
		.ecx = ASK_BYTES,
		.edx = SMAP,
		.edi = real_offset(&answer),
		.es = real_segment(&answer),
		.flags = call->flags,
	};
	bool first = call->next == 0;
	bool done;

	answer.attributes = E820_ATTR_ENABLED; /* a BIOS that returns 20 bytes does not write it */
	done = bios_call(0x15, &regs);
	if (regs.flags & FLAGS_INTERRUPT)
		boot_info.map_faults |= MAP_FAULT_INTERRUPT_ON;
	if (!done && first && regs.eax == SMAP && call->flags) {
		/* It has the function, but carry came back as it was: from now on it is clear. */
		call->flags = 0;
		return e820_call(call);
	}
	if (!done) {
		boot_info.map_faults |= first ? 0 : MAP_FAULT_CARRY_END;
		return LIST_ENDED; /* where it has no entry, it counts as absent */
	}
	if (regs.eax != SMAP) {
		boot_info.map_faults |= first ? 0 : MAP_FAULT_SMAP_LOST;
		return LIST_ABSENT;
	}
	if (regs.ecx < MIN_BYTES)
		boot_info.map_faults |= MAP_FAULT_SHORT_ENTRY;
	else
		add_entry(answer.base, answer.size, answer.type, answer.attributes, regs.ecx);
	call->next = regs.ebx;
	return regs.ebx == 0 ? LIST_ENDED : LIST_GOES_ON;
}

static bool same_entry(const struct e820_entry *a, const struct e820_entry *b)
{
	return a->base == b->base && a->size == b->size && a->type == b->type;
}

static bool seen_before(uint32_t index)
{
	for (uint32_t i = 0; i < index; i++) {
		if (same_entry(&boot_info.e820[i], &boot_info.e820[index]))
			return true;
	}
	return false;
}

/*
 * Decides about a list that has not ended after as many calls as the table has entries. If the list
 * repeats itself, its last entries have occurred before: they are removed, and the rest is the
 * list. Otherwise the list is longer than the table, even if a short entry was skipped; then all of
 * it is discarded, because half a map is worse than none.
 */
static enum list_state cut_off(void)
{
	uint32_t count = boot_info.e820_count;

	while (count > 0 && seen_before(count - 1))
		count--;
	if (count == boot_info.e820_count) {
		boot_info.map_faults |= MAP_FAULT_FULL;
		return LIST_ABSENT;
	}
	boot_info.map_faults |= MAP_FAULT_ENDLESS;
	boot_info.e820_count = count;
	return LIST_ENDED;
}

static bool by_e820(void)
{
	enum list_state state = LIST_GOES_ON;
	struct list_call call = { .next = 0, .flags = NOT_SERVED };

	/* Each call adds at most one entry, so this bounds the entries as well. Counting entries
	   would not do: a BIOS may return short ones, which are skipped, for ever. */
	for (uint32_t calls = 0; state == LIST_GOES_ON && calls < E820_MAX_RAW; calls++)
		state = e820_call(&call);
	if (state == LIST_GOES_ON)
		state = cut_off();
	/* A list is used even if it has no RAM: the other functions' sizes are less reliable. */
	if (state == LIST_ENDED && boot_info.e820_count > 0)
		return true;
	boot_info.e820_count = 0;
	return false;
}

/* Adds an entry for RAM that another function reported, in the form that E820 would have used. */
static void add_ram(uint64_t base, uint64_t size)
{
	if (size != 0)
		add_entry(base, size, E820_TYPE_RAM, E820_ATTR_ENABLED, MIN_BYTES);
}

/*
 * Returns whether AX is no size, after a call that had `asked` in AX: it came back as it was, or AH
 * is a status, 80h (invalid command) or 86h (not supported), and AL came back as it was.
 */
static bool is_no_size(uint32_t ax, uint32_t asked)
{
	uint32_t ah = ax >> 8;

	return ax == asked || ((ah == 0x80 || ah == 0x86) && (ax & 0xff) == (asked & 0xff));
}

/*
 * Sets the KiB from 1 to 16 MiB and the blocks of 64 KiB above. Returns false if E801h has no
 * answer: its registers may come back as they were, with carry clear.
 */
static bool e801_call(uint32_t flags, uint32_t *low_kib, uint32_t *high_64kib)
{
	struct bios_regs regs = { .eax = 0xe801, .flags = flags };

	if (!bios_call(0x15, &regs))
		return false;
	*low_kib = regs.ecx & 0xffff;
	*high_64kib = regs.edx & 0xffff;
	if (*low_kib || *high_64kib)
		return true;
	*low_kib = regs.eax & 0xffff; /* some BIOSes answer in AX and BX only */
	*high_64kib = regs.ebx & 0xffff;
	return !is_no_size(*low_kib, 0xe801) && (*low_kib || *high_64kib);
}

/* A BIOS may have an answer and leave carry as it came. So carry is clear in a second call. */
static bool by_e801(void)
{
	uint32_t low_kib, high_64kib;

	if (!e801_call(NOT_SERVED, &low_kib, &high_64kib) && !e801_call(0, &low_kib, &high_64kib))
		return false;
	if (low_kib > E801_AX_MAX) {
		boot_info.map_faults |= MAP_FAULT_E801_BOGUS;
		low_kib = E801_AX_MAX;
	}
	add_ram(MIB, (uint64_t)low_kib * KIB);
	add_ram(16ull * MIB, (uint64_t)high_64kib * 64 * KIB);
	return true;
}

/* Sets the KiB above 1 MiB. AH of ax is 88h. Returns false if there is no answer. */
static bool ah88_call(uint32_t ax, uint32_t flags, uint32_t *kib)
{
	struct bios_regs regs = { .eax = ax, .flags = flags };

	if (!bios_call(0x15, &regs))
		return false;
	*kib = regs.eax & 0xffff;
	return *kib && !is_no_size(*kib, ax);
}

/*
 * A second call has carry clear, as in by_e801(), and another AL, which is no parameter. So a size
 * that looks like what was asked or like a status, 34 MiB or 32, is taken at one of the calls. Only
 * of a BIOS that leaves carry as it came, whose first answer does not count, 8001h, 8601h and 8801h
 * KiB are not taken.
 */
static bool by_88(void)
{
	uint32_t kib;

	if (!ah88_call(0x8800, NOT_SERVED, &kib) && !ah88_call(0x8801, 0, &kib))
		return false;
	add_ram(MIB, (uint64_t)kib * KIB);
	return true;
}

/* Returns the KiB of low memory that INT 12h reports, 0 if it fails. */
static uint32_t ask_low_memory(void)
{
	struct bios_regs regs = { 0 };
	uint32_t kib = bios_call(0x12, &regs) ? regs.eax & 0xffff : 0;

	boot_info.int12_kib = kib <= 640 ? kib : 0;
	boot_info.ebda_segment = bda_ebda_segment;
	return kib;
}

/* Makes entries from sizes, for a BIOS without a list: low memory from INT 12h, the rest from E801
   or 88h. Returns the source. */
static uint32_t by_counts(void)
{
	add_ram(0, (uint64_t)boot_info.int12_kib * KIB);
	if (by_e801())
		return MAP_E801;
	if (by_88())
		return MAP_88;
	return MAP_INT12;
}

/* Prints a line for each fault, and the source if it is not E820. */
static void report_faults(void)
{
	static const struct {
		uint32_t fault;
		const char *text;
	} warnings[] = {
		{ MAP_FAULT_SMAP_LOST, "E820 lost its signature midway: list discarded" },
		{ MAP_FAULT_ENDLESS, "the E820 list does not end: cut where it repeats" },
		{ MAP_FAULT_FULL, "the E820 list is longer than 1024 entries: discarded" },
		{ MAP_FAULT_SHORT_ENTRY, "E820 returned an entry of less than 20 bytes: skipped" },
		{ MAP_FAULT_E801_BOGUS,
		  "E801 claims more than 15 MiB between 1 and 16 MiB: 15 MiB used" },
		{ MAP_FAULT_INTERRUPT_ON, "E820 came back with interrupts on" },
	};

	for (uint32_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		if (boot_info.map_faults & warnings[i].fault)
			say("memory map: %s", warnings[i].text);
	}
	if (boot_info.map_source != MAP_E820)
		say("memory map: no E820 list, taken from INT %s",
		    boot_info.map_source == MAP_E801 ? "15h AX=E801h"
		    : boot_info.map_source == MAP_88 ? "15h AH=88h"
						     : "12h alone");
}

/*
 * Decides whether the loader may use [LOW_BEGIN, LOW_END) if INT 12h reports less, int12_kib KiB. A
 * BIOS may do so by an option of its set-up (447 KiB on an AMI BIOS), or lack the function; then
 * the map must call RAM what lies above, and no EBDA may begin there.
 *
 * The map can only be read by code that already uses this memory: stage2's .bss, its stack and
 * boot_info have been written. Whatever lay there is lost if the answer is no, but then nothing
 * boots, and up to here nothing is asked of the BIOS but services of the keyboard, the screen, A20
 * and the map.
 */
static void check_low_memory(uint32_t int12_kib)
{
	uint64_t begin = (uint64_t)int12_kib * KIB;
	uint64_t ebda = (uint64_t)boot_info.ebda_segment << 4;
	uint64_t end;

	if (begin >= LOW_END)
		return;
	if (begin < LOW_BEGIN)
		begin = LOW_BEGIN;
	end = e820_ram_until(&memory_map, begin);
	if (end < LOW_END && boot_info.map_source != MAP_E820)
		fail("low memory: RAM is needed up to %u KiB; INT 12h reports %u KiB, and there is "
		     "no E820 map that has more",
		     LOW_END / KIB, int12_kib);
	if (end < LOW_END)
		fail("low memory: RAM is needed up to %u KiB; INT 12h reports %u KiB, and the E820 "
		     "map has none at %u KiB",
		     LOW_END / KIB, int12_kib, (uint32_t)(end / KIB));
	if (ebda >= EBDA_LEAST && ebda >= begin && ebda < LOW_END)
		fail("low memory: RAM is needed up to %u KiB; INT 12h reports %u KiB, and the "
		     "BIOS has data of its own (EBDA) from %u KiB on",
		     LOW_END / KIB, int12_kib, (uint32_t)(ebda / KIB));
	say("memory map: INT 12h reports %u KiB of low memory, less than is needed; the E820 map "
	    "has %u KiB and is believed",
	    int12_kib, (uint32_t)(end / KIB));
}

void memory_read(void)
{
	uint32_t int12_kib = ask_low_memory();

	boot_info.map_source = by_e820() ? MAP_E820 : by_counts();
	report_faults();
	cpu_stamp(STAGE_E820);
	e820_sanitize(&memory_map, boot_info.e820, boot_info.e820_count);
	if (e820_bytes(&memory_map, E820_TYPE_RAM) == 0)
		fail("memory map: no RAM in its %u entries", boot_info.e820_count);
	check_low_memory(int12_kib);
}
