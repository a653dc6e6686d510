/*
 * fuzz_e820.c: fuzzes stage2/memory.c: libFuzzer's input is the BIOS that it asks for a map.
 *
 *   byte 0          bit 0: the bases of answers move on, so that no list repeats;
 *                   bits 1, 2, 3: carry from INT 12h, E801h, 88h
 *   1, 2            the E820h call that ends the list; 0: what the answers say
 *   3 to 16         AX of INT 12h; AX, BX, CX, DX of E801h; AX of 88h; the word at 40:0Eh
 *   then answers    of E820h, which start over at their end:
 *     how           bit 0: carry; 1: no "SMAP"; 2: EBX is 0; 3: returns with interrupts enabled;
 *                   4, 5: ECX is 20, 24, the next byte, the next four bytes; 6: the input has the
 *                   entry in short, base and size as 2 bytes each in units of 64 KiB and 1 byte of
 *                   type, otherwise the 24 bytes that are stored; 7: nothing is stored
 *
 * The answers are also recorded here. stage2's list must be these answers, it must stop asking, and
 * the map made of the list must be the one that e820_oracle.h demands. A map without RAM must end
 * in fail(), and one that lacks low memory where INT 12h reports little; nothing else may.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "stage2/bios.h"
#include "stage2/console.h"
#include "stage2/stage2.h"
#include "tests/host/e820_oracle.h"
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/stage2/real_mode.h"

#define SMAP         0x534d4150u
#define ANSWER_BYTES 128u /* the size of memory.c's buffer for an answer */
#define MIB          0x100000ull
#define LONGEST_LINE 200
#define LONG_MAP     64u

struct boot_info boot_info;
volatile uint16_t bda_ebda_segment;

static struct {
	uint8_t flags;
	uint16_t last_call, int12_ax, e801[4], ax_88;
	const uint8_t *answers;
	size_t size;
} script;

/* What the BIOS has answered so far. */
static struct {
	struct fuzz_input answers; /* those to come */
	uint32_t calls;            /* of E820h */
	uint32_t next;             /* EBX of the last answer */
	uint32_t faults;           /* MAP_FAULT_* that stage2 must report */
	bool carry_kept;           /* the first call was made again with carry clear */
	bool done;                 /* the list has ended */
	bool lost;                 /* … because "SMAP" was missing */
	uint8_t *buffer;           /* where answers are stored */
	uint32_t nr;
	struct e820_entry entries[E820_MAX_RAW];
} said;

static jmp_buf failed;

static void check_line(const char *fmt, va_list ap)
{
	char line[LONGEST_LINE + 1];
	int length = vsnprintf(line, sizeof(line), fmt, ap);

	FUZZ_CHECK(length > 0 && length < LONGEST_LINE);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check_line(fmt, ap);
	va_end(ap);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check_line(fmt, ap);
	va_end(ap);
	longjmp(failed, 1);
}

void cpu_stamp(enum boot_stage stage)
{
	FUZZ_CHECK(stage == STAGE_E820);
}

/*
 * Checks the registers of a call of E820h. At the first call the buffer is cleared, because the
 * input before may have left something in it.
 */
static void check_request(const struct bios_regs *regs)
{
	FUZZ_CHECK(!said.done && said.calls < E820_MAX_RAW);
	FUZZ_CHECK(regs->eax == 0xe820 && regs->edx == SMAP);
	FUZZ_CHECK(!(regs->flags & FLAGS_CARRY) == said.carry_kept);
	FUZZ_CHECK(regs->ecx >= 20 && regs->ecx <= ANSWER_BYTES && regs->ebx == said.next);
	if (said.calls == 0) {
		said.buffer = real_pointer(regs->es, regs->edi, &memory_map);
		memset(said.buffer, 0, 20);
		memset(said.buffer + 24, 0, ANSWER_BYTES - 24);
	}
	FUZZ_CHECK(real_pointer(regs->es, regs->edi, &memory_map) == said.buffer);
}

static void store(uint8_t how, uint32_t bytes)
{
	uint8_t answer[ANSWER_BYTES];
	uint64_t fields[2];

	memset(answer, 0xee, sizeof(answer));
	if (how & 0x40) {
		fields[0] = fuzz_take(&said.answers, 2) << 16;
		fields[1] = fuzz_take(&said.answers, 2) << 16;
		memset(answer + 16, 0, 8);
		answer[16] = (uint8_t)fuzz_take(&said.answers, 1);
		answer[20] = 1;
	} else {
		fields[0] = fuzz_take(&said.answers, 8);
		fields[1] = fuzz_take(&said.answers, 8);
		for (unsigned int i = 16; i < 24; i++)
			answer[i] = (uint8_t)fuzz_take(&said.answers, 1);
	}
	if (script.flags & 1)
		fields[0] += said.calls * MIB;
	memcpy(answer, fields, sizeof(fields));
	memcpy(said.buffer, answer, bytes < ANSWER_BYTES ? bytes : ANSWER_BYTES);
}

/* Records the entry that the buffer holds now, which is what stage2 will see. */
static void keep(uint32_t length)
{
	struct e820_entry entry = { .length = length };

	memcpy(&entry, said.buffer, 24);
	said.entries[said.nr++] = entry;
}

static void answer_e820(struct bios_regs *regs)
{
	uint32_t in = regs->ecx;
	bool first = said.calls == 0;
	uint8_t how;

	check_request(regs);
	if (said.answers.left == 0)
		said.answers = (struct fuzz_input){ script.answers, script.size };
	how = (uint8_t)fuzz_take(&said.answers, 1);
	said.calls++;
	memset(regs, 0xa5, sizeof(*regs));
	regs->eax = how & 2 ? 0xe820 : SMAP;
	regs->ebx = how & 4 || said.calls == script.last_call ? 0 : said.calls * 0x01010101;
	regs->ecx = how & 0x20   ? (uint32_t)fuzz_take(&said.answers, how & 0x10 ? 4 : 1)
		    : how & 0x10 ? 24
				 : 20;
	regs->flags = (how & 1 ? FLAGS_CARRY : 0) | (how & 8 ? FLAGS_INTERRUPT : 0);
	if (!(how & 0x80))
		store(how, regs->ecx > in ? regs->ecx : in);
	said.next = regs->ebx;
	if (first && !said.carry_kept && (how & 3) == 1) {
		/* "SMAP", and carry as it came: stage2 must ask again, with carry clear. */
		said.faults |= how & 8 ? MAP_FAULT_INTERRUPT_ON : 0;
		said.carry_kept = true;
		said.calls = 0;
		said.next = 0;
		return;
	}
	said.done = (how & 7) || regs->ebx == 0;
	said.lost = !(how & 1) && (how & 2);
	said.faults |= (how & 8 ? MAP_FAULT_INTERRUPT_ON : 0) |
		       (!first && (how & 1) ? MAP_FAULT_CARRY_END : 0) |
		       (!first && said.lost ? MAP_FAULT_SMAP_LOST : 0) |
		       (!(how & 3) && regs->ecx < 20 ? MAP_FAULT_SHORT_ENTRY : 0);
	if (!(how & 3) && regs->ecx >= 20)
		keep(regs->ecx);
}

/* Answers with nr values in AX, BX, …; carry is not 0 if the carry flag is to be set. */
static void answer_count(struct bios_regs *regs, unsigned int carry, const uint16_t *values,
			 unsigned int nr)
{
	uint32_t *const registers[] = { &regs->eax, &regs->ebx, &regs->ecx, &regs->edx };

	memset(regs, 0xa5, sizeof(*regs));
	for (unsigned int i = 0; i < nr; i++)
		*registers[i] = 0xa5a50000u | values[i];
	regs->flags = carry ? FLAGS_CARRY : 0;
}

bool bios_call(uint8_t interrupt, struct bios_regs *regs)
{
	FUZZ_CHECK(interrupt == 0x12 || interrupt == 0x15);
	if (interrupt == 0x12)
		answer_count(regs, script.flags & 2, &script.int12_ax, 1);
	else if (regs->eax == 0xe801)
		answer_count(regs, script.flags & 4, script.e801, 4);
	else if (regs->eax == 0x8800 || regs->eax == 0x8801)
		answer_count(regs, script.flags & 8, &script.ax_88, 1);
	else
		answer_e820(regs);
	return !(regs->flags & FLAGS_CARRY);
}

static bool said_before(const struct e820_entry *entry, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (said.entries[i].base == entry->base && said.entries[i].size == entry->size &&
		    said.entries[i].type == entry->type)
			return true;
	return false;
}

/* Returns whether the answers are a list: it ended, or it repeats itself. */
static bool is_list(void)
{
	if (said.nr == 0 || said.lost)
		return false;
	return said.done || said_before(&said.entries[said.nr - 1], said.nr - 1);
}

/* Checks that stage2 has the whole list; of one that repeats itself, each different entry. */
static void check_list(void)
{
	uint32_t nr = boot_info.e820_count;

	FUZZ_CHECK(nr > 0 && nr <= said.nr);
	FUZZ_CHECK(memcmp(boot_info.e820, said.entries, nr * sizeof(said.entries[0])) == 0);
	FUZZ_CHECK(!(boot_info.map_faults & MAP_FAULT_ENDLESS) == said.done);
	FUZZ_CHECK(nr == said.nr || !said.done);
	for (uint32_t i = nr; i < said.nr; i++)
		FUZZ_CHECK(said_before(&said.entries[i], nr));
}

/* Returns the address after the RAM that the map has from base on. */
static uint64_t ram_end(uint64_t base)
{
	for (uint32_t i = 0; i < memory_map.nr_ranges; i++) {
		const struct e820_range *r = &memory_map.ranges[i];

		if (r->type == E820_TYPE_RAM && r->base <= base && base - r->base < r->size)
			return r->base + r->size;
	}
	return base;
}

/* Returns whether memory that the loader needs below 512 KiB may not be used. */
static bool lacks_low_memory(void)
{
	uint64_t kib = script.flags & 2 ? 0 : script.int12_ax;
	uint64_t begin = kib < 4 ? 4 << 10 : kib << 10, ebda = (uint64_t)bda_ebda_segment << 4;

	return kib < 512 && (ram_end(begin) < 512 << 10 ||
			     (ebda >= 64 << 10 && ebda >= begin && ebda < 512 << 10));
}

/* Checks a map that was made of counts of RAM from 0, from 1 MiB and from 16 MiB. */
static void check_counts(void)
{
	uint64_t end = 0;

	FUZZ_CHECK(boot_info.map_source >= MAP_E801 && boot_info.map_source <= MAP_INT12);
	FUZZ_CHECK(boot_info.map_source != MAP_E801 || !(script.flags & 4));
	FUZZ_CHECK(boot_info.map_source != MAP_88 || !(script.flags & 8));
	FUZZ_CHECK(boot_info.e820_count <= 3);
	for (uint32_t i = 0; i < boot_info.e820_count; i++) {
		const struct e820_entry *e = &boot_info.e820[i];

		FUZZ_CHECK(e->type == E820_TYPE_RAM && e->length == 20 && e->size > 0);
		FUZZ_CHECK(e->base == 0 || e->base == MIB || e->base == 16 * MIB);
		FUZZ_CHECK(e->base >= end);
		end = e->base + e->size;
	}
}

static bool overlap(const struct e820_entry *e, const struct e820_range *r)
{
	uint64_t last = e->base + (e->size - 1) < e->base ? UINT64_MAX : e->base + (e->size - 1);

	return e->size && e->base <= r->base + (r->size - 1) && r->base <= last;
}

/* Checks that the map is sorted and disjoint, and has no RAM where an entry claims another type. */
static void check_long_map(void)
{
	for (uint32_t i = 0; i < memory_map.nr_ranges; i++) {
		const struct e820_range *r = &memory_map.ranges[i];

		FUZZ_CHECK(r->size > 0 && r->base + (r->size - 1) >= r->base);
		FUZZ_CHECK(i == 0 || (r - 1)->base + ((r - 1)->size - 1) < r->base);
		for (uint32_t k = 0; r->type == E820_TYPE_RAM && k < boot_info.e820_count; k++)
			FUZZ_CHECK(boot_info.e820[k].type == E820_TYPE_RAM ||
				   !overlap(&boot_info.e820[k], r));
	}
}

/* Checks the map, with the oracle unless it is long: 1024 entries take the oracle 50 ms. */
static void check_map(bool ended_in_fail)
{
	if (boot_info.e820_count > LONG_MAP) {
		check_long_map();
	} else {
		const char *bad = e820_oracle(&memory_map, boot_info.e820, boot_info.e820_count);

		if (bad)
			fprintf(stderr, "e820_oracle: does not hold: %s\n", bad);
		FUZZ_CHECK(!bad);
	}
	FUZZ_CHECK(ended_in_fail ==
		   (e820_bytes(&memory_map, E820_TYPE_RAM) == 0 || lacks_low_memory()));
}

static void read_script(struct fuzz_input *input)
{
	script.flags = (uint8_t)fuzz_take(input, 1);
	script.last_call = (uint16_t)fuzz_take(input, 2);
	script.int12_ax = (uint16_t)fuzz_take(input, 2);
	for (unsigned int i = 0; i < 4; i++)
		script.e801[i] = (uint16_t)fuzz_take(input, 2);
	script.ax_88 = (uint16_t)fuzz_take(input, 2);
	bda_ebda_segment = (uint16_t)fuzz_take(input, 2);
	script.answers = input->at;
	script.size = input->left;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	uint32_t of_calls = MAP_FAULT_SMAP_LOST | MAP_FAULT_SHORT_ENTRY | MAP_FAULT_CARRY_END |
			    MAP_FAULT_INTERRUPT_ON;
	volatile bool ended_in_fail = true;

	memset(&boot_info, 0, sizeof(boot_info));
	memset(&said, 0, sizeof(said));
	read_script(&input);
	if (!setjmp(failed)) {
		memory_read();
		ended_in_fail = false;
	}
	FUZZ_CHECK(boot_info.int12_kib <= 640 && boot_info.ebda_segment == bda_ebda_segment);
	FUZZ_CHECK((boot_info.map_faults & ~MAP_FAULT_ALL) == 0);
	FUZZ_CHECK((boot_info.map_faults & of_calls) == said.faults);
	FUZZ_CHECK((boot_info.map_source == MAP_E820) == is_list());
	if (is_list())
		check_list();
	else
		check_counts();
	check_map(ended_in_fail);
	return 0;
}
