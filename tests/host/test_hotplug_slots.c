/*
 * test_hotplug_slots.c: tests kernel/memory/hotplug.c on simulated slots.
 *
 * The slots behave as QEMU's do: an event stays until it is acknowledged, and an eject empties a
 * slot but leaves its event bits. The allocator is the test's: it has a list of ranges, and refuses
 * what the test tells it to refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "arch/x86_64/acpi_memory.h"
#include "arch/x86_64/address_space.h"
#include "kernel/memory/hotplug.h"
#include "kernel/memory/memtest.h"
#include "kernel/memory/steps.h"
#include "kernel/options.h"
#include "mm/hotplug.h"
#include "mm/memblock.h"
#include "mm/port.h"

#define MIB   (1ull << 20)
#define GIB   (1ull << 30)
#define SLOTS 4
#define TEXT  8192

/* ---- the machine ---- */

static struct memory_slot hardware[SLOTS];
static unsigned int nr_hardware;
static bool event;       /* the bit of GPE0 */
static bool without_gpe; /* there is no GPE0 */
static bool keeps;       /* the host does not take a DIMM back */
static unsigned int nr_looks, nr_ejects;
static char done[TEXT]; /* what was reported and ejected: "ost 1 3 0x81;" or "eject 1;" */
static char said[TEXT]; /* the log */
static phys_addr_t cpu_limit;
static bool waiting_allowed;

/* ---- the allocator ---- */

static struct range {
	phys_addr_t base, size;
	int nid;
} ranges[SLOTS];
static int add_error, remove_error;
static long lost;
static unsigned int nr_inits, nr_adds;
static phys_addr_t forgotten, forgotten_end; /* by memtest */

struct offline_blockers offline_blockers;
struct hotplug_work hotplug_work;
struct memblock memblock; /* only how much RAM it has */
struct options options;
struct e820_map e820_map;
const struct numa_map *numa_map;
static struct numa_map nodes;

__attribute__((format(printf, 2, 0))) static int append(char *text, const char *fmt, va_list ap)
{
	size_t length = strlen(text);

	return vsnprintf(text + length, TEXT - length, fmt, ap);
}

int printk(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = append(said, fmt, ap);
	va_end(ap);
	return length;
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(done, fmt, ap);
	va_end(ap);
}

bool port_may_wait(void)
{
	return waiting_allowed;
}

void port_site_name(uintptr_t site, char *text, size_t size)
{
	snprintf(text, size, "function_%lx+0x1c", (unsigned long)site);
}

phys_addr_t address_space_limit(void)
{
	return cpu_limit;
}

void memtest_forget(pfn_t pfn, pfn_t end)
{
	forgotten = PFN_PHYS(pfn);
	forgotten_end = PFN_PHYS(end);
}

unsigned int acpi_memory_init(void)
{
	return nr_hardware;
}

bool acpi_memory_changed(void)
{
	bool was = event || without_gpe;

	event = false;
	return was;
}

struct memory_slot acpi_memory_slot(unsigned int i)
{
	assert_true(i < SLOTS);
	nr_looks++;
	return hardware[i];
}

void acpi_memory_acknowledge(unsigned int i, unsigned int events)
{
	hardware[i].status &= ~events;
}

void acpi_memory_report(unsigned int i, uint32_t event_code, uint32_t result)
{
	note("ost %u %u 0x%x;", i, event_code, result);
}

void acpi_memory_eject(unsigned int i)
{
	nr_ejects++;
	note("eject %u;", i);
	for (unsigned int r = 0; r < SLOTS; r++)
		assert_true(!ranges[r].size ||
			    ranges[r].base >= hardware[i].base + hardware[i].size ||
			    ranges[r].base + ranges[r].size <= hardware[i].base);
	if (keeps)
		return;
	hardware[i].size = 0;
	hardware[i].status &= ~SLOT_ENABLED;
}

int memory_hotplug_init(void)
{
	nr_inits++;
	return 0;
}

int add_memory(int nid, phys_addr_t base, phys_addr_t size)
{
	nr_adds++;
	assert_int_equal(base % HOTPLUG_UNIT, 0);
	assert_int_equal(size % HOTPLUG_UNIT, 0);
	assert_true(base && size);
	if (add_error)
		return add_error;
	for (unsigned int r = 0; r < SLOTS; r++)
		if (!ranges[r].size) {
			ranges[r] = (struct range){ base, size, nid };
			memblock.memory.total_size += size;
			return 0;
		}
	fail();
	return -ENOMEM;
}

static struct range *range_of(phys_addr_t base, phys_addr_t size)
{
	for (unsigned int r = 0; r < SLOTS; r++)
		if (ranges[r].size && ranges[r].base == base && ranges[r].size == size)
			return &ranges[r];
	return NULL;
}

int offline_and_remove_memory(phys_addr_t base, phys_addr_t size)
{
	assert_non_null(range_of(base, size));
	if (remove_error)
		return remove_error;
	range_of(base, size)->size = 0;
	memblock.memory.total_size -= size;
	return 0;
}

long forget_lost_memory(phys_addr_t base, phys_addr_t size)
{
	assert_non_null(range_of(base, size));
	if (lost < 0)
		return lost;
	range_of(base, size)->size = 0;
	memblock.memory.total_size -= size;
	return lost;
}

/* ---- what the tests do ---- */

static void host_plugs(unsigned int i, phys_addr_t base, uint64_t size, uint32_t domain)
{
	unsigned int stale = hardware[i].status & SLOT_REMOVING;

	hardware[i] =
	    (struct memory_slot){ base, size, domain, SLOT_ENABLED | SLOT_INSERTING | stale };
	event = true;
}

static void host_takes(unsigned int i)
{
	hardware[i].size = 0;
	hardware[i].status = 0;
	event = true;
}

static void host_asks_for(unsigned int i)
{
	hardware[i].status |= SLOT_REMOVING;
	event = true;
}

static void clear(void)
{
	*done = '\0';
	*said = '\0';
	forgotten = forgotten_end = 0;
}

static void poll(void)
{
	clear();
	hotplug_progress();
}

static unsigned int nr_ranges(void)
{
	unsigned int nr = 0;

	for (unsigned int r = 0; r < SLOTS; r++)
		nr += ranges[r].size != 0;
	return nr;
}

/* A machine with 1 GiB of RAM and nodes for the domains 0 and 5. Slots of the test before leave. */
static int boot(void **state)
{
	(void)state;
	waiting_allowed = true;
	add_error = 0;
	remove_error = 0;
	lost = 0;
	keeps = false;
	without_gpe = false;
	for (unsigned int i = 0; i < SLOTS && nr_hardware; i++)
		host_takes(i);
	hotplug_progress();
	assert_int_equal(nr_ranges(), 0);
	memblock.memory.total_size = GIB;
	memset(hardware, 0, sizeof(hardware));
	memset(&options, 0, sizeof(options));
	memset(&nodes, 0, sizeof(nodes));
	nodes.nr_nodes = 2;
	nodes.domain[1] = 5;
	numa_map = &nodes;
	e820_map.nr_ranges = 2;
	e820_map.ranges[0] = (struct e820_range){ .base = 0, .size = GIB, .type = E820_TYPE_RAM };
	e820_map.ranges[1] = (struct e820_range){ .base = 0xfd00000000,
						  .size = 0x300000000,
						  .type = E820_TYPE_RESERVED };
	cpu_limit = 1ull << 40;
	nr_hardware = SLOTS;
	event = false;
	hotplug_setup();
	nr_adds = 0;
	nr_ejects = 0;
	clear();
	return 0;
}

static void without_slots_nothing_happens(void **state)
{
	(void)state;
	nr_hardware = 0;
	hotplug_setup();
	assert_int_equal(nr_inits, 0);
	event = true;
	assert_false(hotplug_changed());
	assert_true(event);
	clear();
	hotplug_print(printk);
	assert_string_equal(said, "no slots for memory\n");
	assert_false(hotplug_remove(0));
}

static void plugged_at_power_on(void **state)
{
	(void)state;
	hardware[0] = (struct memory_slot){ 4 * GIB, GIB, 0, SLOT_ENABLED };
	hotplug_setup();
	assert_string_equal(said, "hotplug: slot 0: [mem 0x0000000100000000-0x000000013fffffff] "
				  "added, node 0\n");
	assert_string_equal(done, ""); /* nobody has asked */
	assert_true(nr_inits > 0);
}

static void plugged_and_asked_for(void **state)
{
	(void)state;
	host_plugs(1, 4 * GIB, GIB, 5);
	poll();
	assert_string_equal(said, "hotplug: slot 1: [mem 0x0000000100000000-0x000000013fffffff] "
				  "added, node 1\n");
	assert_string_equal(done, "ost 1 1 0x0;");
	assert_int_equal(hotplug_bytes(), GIB);
	clear();
	hotplug_print(printk);
	assert_non_null(strstr(said, "slot 0: empty\nslot 1: [mem 0x0000000100000000-"
				     "0x000000013fffffff] 1024 MB, node 1, plugged\n"));
	poll();
	assert_string_equal(said, "");

	host_asks_for(1);
	poll();
	assert_string_equal(said, "hotplug: slot 1: [mem 0x0000000100000000-0x000000013fffffff] "
				  "removed\n");
	assert_string_equal(done, "eject 1;");
	assert_int_equal(forgotten, 4 * GIB);
	assert_int_equal(forgotten_end, 5 * GIB);
	assert_int_equal(hotplug_bytes(), 0);
}

/* What hotplug_watch has seen: the work, and how much had been added then. */
static struct hotplug_work watched;
static uint64_t bytes_watched;

static void watch(void)
{
	watched = hotplug_work;
	bytes_watched = hotplug_bytes();
}

static void what_comes_or_goes_is_shown_before(void **state)
{
	(void)state;
	hotplug_watch = watch;
	host_plugs(1, 4 * GIB, GIB, 0);
	poll();
	assert_int_equal(watched.base, 4 * GIB);
	assert_int_equal(watched.size, GIB);
	assert_false(watched.leaving);
	assert_int_equal(bytes_watched, 0);
	assert_int_equal(hotplug_work.size, 0);
	host_asks_for(1);
	poll();
	hotplug_watch = NULL;
	assert_int_equal(watched.size, GIB);
	assert_true(watched.leaving);
	assert_int_equal(bytes_watched, GIB);
	assert_int_equal(hotplug_work.size, 0);
}

static void memory_in_use_stays(void **state)
{
	(void)state;
	host_plugs(1, 4 * GIB, GIB, 0);
	poll();
	remove_error = -EBUSY;
	offline_blockers = (struct offline_blockers){ 1, 0x100200, 3, 0xabc };
	host_asks_for(1);
	poll();
	assert_string_equal(said, "hotplug: slot 1 stays: 1 frames in use, first 0x100200 of "
				  "order 3, from function_abc\n");
	assert_string_equal(done, "ost 1 3 0x81;");
	event = true;
	poll();
	assert_string_equal(said, ""); /* once per event */
	assert_string_equal(done, "");
	hotplug_print(printk);
	assert_non_null(strstr(said, "last refusal: slot 1 stays: 1 frames in use"));

	clear();
	offline_blockers.site = 0;
	assert_false(hotplug_remove(1));
	assert_string_equal(said, "hotplug: slot 1 stays: 1 frames in use, first 0x100200 of "
				  "order 3\n");
	for (const int *err = (const int[]){ -ENOMEM, -EAGAIN, 0 }; *err; err++) {
		clear();
		remove_error = *err;
		assert_false(hotplug_remove(1));
		assert_non_null(strstr(said, "hotplug: slot 1 stays: "));
		assert_null(strstr(said, "frames in use"));
	}
	assert_int_equal(nr_ejects, 0);
	remove_error = 0;
	assert_true(hotplug_remove(1));
	assert_int_equal(nr_ejects, 1);
}

static void wrong_slots_are_said(void **state)
{
	(void)state;
	assert_false(hotplug_remove(2));
	assert_string_equal(said, "hotplug: slot 2 is empty\n");
	clear();
	assert_false(hotplug_remove(SLOTS));
	assert_string_equal(said, "hotplug: slot 4 does not exist\n");
	assert_string_equal(done, "");
}

/* Each is refused with slot, range and reason, once, and the host is told; then it can leave. */
static void refused(phys_addr_t base, uint64_t size, const char *reason)
{
	char want[256];

	host_plugs(2, base, size, 0);
	poll();
	snprintf(want, sizeof(want),
		 "slot 2: [mem 0x%016llx-0x%016llx] is not used: ", (unsigned long long)base,
		 (unsigned long long)(base + size - 1));
	assert_non_null(strstr(said, want));
	assert_non_null(strstr(said, reason));
	assert_string_equal(done, "ost 2 1 0x1;");
	assert_int_equal(nr_ranges(), 0);
	event = true;
	poll();
	assert_string_equal(said, "");
	hotplug_print(printk);
	assert_non_null(strstr(said, ", not used\n"));
	assert_non_null(strstr(said, reason));
	host_asks_for(2);
	poll();
	assert_string_equal(done, "eject 2;");
}

static void refusals(void **state)
{
	(void)state;
	refused(cpu_limit - GIB, 2 * GIB, "beyond what this CPU");
	refused(cpu_limit - GIB, GIB + 1, "beyond what this CPU");
	refused(1ull << 50, GIB, "beyond what this CPU");
	refused(UINT64_MAX - GIB + 1, 2 * GIB, "beyond what this CPU"); /* wraps */
	cpu_limit = 1ull << 52;
	refused(1ull << 46, GIB, "0x00003fffffffffff");
	refused((1ull << 46) - 2 * MIB, 4 * MIB, "0x00003fffffffffff");
	refused(GIB / 2, GIB, "the firmware's map has [mem 0x0000000000000000-0x000000003fffffff]");
	refused(0xfd00000000 - GIB, GIB + 1, "[mem 0x000000fd00000000-0x000000ffffffffff]");
	refused(4 * GIB + MIB, 2 * MIB, "no whole 2 MiB");
	assert_int_equal(nr_adds, 0);
	add_error = -EIO;
	refused(4 * GIB, GIB, "no memory behind it");
	add_error = -EEXIST;
	refused(4 * GIB, GIB, "overlaps");
	add_error = -ENOMEM;
	refused(4 * GIB, GIB, "no memory for");
	add_error = -ENOSPC;
	refused(4 * GIB, 2 * MIB, "too small");
}

static void the_last_byte_below_the_limit_is_used(void **state)
{
	(void)state;
	host_plugs(0, cpu_limit - GIB, GIB, 0);
	e820_map.nr_ranges = 1;
	poll();
	assert_int_equal(hotplug_bytes(), GIB);
}

static void of_odd_sizes_the_inside_is_used(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB + 4096, 8 * MIB, 0);
	poll();
	assert_non_null(range_of(4 * GIB + 2 * MIB, 6 * MIB));
	assert_string_equal(said, "hotplug: slot 0: of [mem 0x0000000100001000-0x0000000100800fff] "
				  "only [mem 0x0000000100200000-0x00000001007fffff] is used, whole "
				  "2 MiB\nhotplug: slot 0: [mem 0x0000000100200000-"
				  "0x00000001007fffff] added, node 0\n");
	clear();
	hotplug_print(printk);
	assert_non_null(strstr(said, "[mem 0x0000000100001000-0x0000000100800fff] 8 MB"));
	assert_true(hotplug_remove(0));
}

static void mem_limits_what_is_added(void **state)
{
	(void)state;
	options.mem_limit = GIB + 512 * MIB + 4096;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	assert_non_null(range_of(4 * GIB, 512 * MIB));
	assert_non_null(strstr(said, "only [mem 0x0000000100000000-0x000000011fffffff] is used: "
				     "mem= allows no more\n"));
	host_plugs(1, 8 * GIB, GIB, 0);
	poll();
	assert_string_equal(said, "hotplug: slot 1: [mem 0x0000000200000000-0x000000023fffffff] is "
				  "not used: mem= allows no more\n");
	assert_string_equal(done, "ost 1 1 0x1;");
	assert_true(hotplug_remove(0));
}

/* When the DIMM that was refused leaves, the other keeps its memory. */
static void of_overlapping_slots_the_second_is_refused(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	host_plugs(1, 4 * GIB + GIB / 2, GIB, 0);
	poll();
	assert_non_null(strstr(said, "hotplug: slot 1: [mem 0x0000000120000000-0x000000015fffffff] "
				     "is not used: it overlaps slot 0\n"));
	assert_string_equal(done, "ost 1 1 0x1;");
	assert_int_equal(nr_ranges(), 1);
	host_takes(1);
	poll();
	assert_string_equal(said, "");
	assert_int_equal(hotplug_bytes(), GIB);
}

static void an_unknown_domain_is_node_0(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 7);
	poll();
	assert_non_null(strstr(said, "hotplug: slot 0: domain 7 is not known"));
	assert_int_equal(range_of(4 * GIB, GIB)->nid, 0);
	host_takes(0);
	poll();
	numa_map = NULL; /* one node: there is nothing to be wrong about */
	host_plugs(0, 4 * GIB, GIB, 7);
	poll();
	assert_null(strstr(said, "domain"));
	assert_int_equal(range_of(4 * GIB, GIB)->nid, 0);
}

static void gone_without_notice(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	lost = 3;
	host_takes(0);
	poll();
	assert_string_equal(said, "hotplug: slot 0: [mem 0x0000000100000000-0x000000013fffffff] is "
				  "gone without notice, 3 frames were in use\n");
	assert_string_equal(done, "");
	assert_int_equal(forgotten, 4 * GIB);
	assert_int_equal(forgotten_end, 5 * GIB);
	assert_int_equal(hotplug_bytes(), 0);
}

/* While the allocator cannot forget a range, the slot keeps it, and nothing else is added there. */
static void forgetting_is_tried_again(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	lost = -ENOMEM;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	assert_non_null(strstr(said, "is gone without notice, and no memory"));
	assert_null(strstr(said, "added"));
	assert_non_null(range_of(4 * GIB, GIB));
	lost = 1;
	event = true;
	poll();
	assert_non_null(strstr(said, "is gone without notice, 1 frames"));
	assert_non_null(strstr(said, "added"));
	assert_non_null(range_of(4 * GIB, GIB));
	assert_int_equal(nr_ranges(), 1);
}

/* Between two polls a DIMM left and another came: at another address, or at the same. */
static void exchanged(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	for (phys_addr_t base = 8 * GIB; base <= 12 * GIB; base += 4 * GIB) {
		phys_addr_t at = base < 12 * GIB ? base : 8 * GIB;
		const char *gone, *added;

		host_plugs(0, at, GIB, 0);
		poll();
		gone = strstr(said, "is gone without notice");
		added = strstr(said, "added, node 0");
		assert_non_null(gone);
		assert_true(added > gone);
		assert_string_equal(done, "ost 0 1 0x0;");
		assert_non_null(range_of(at, GIB));
		assert_int_equal(nr_ranges(), 1);
	}
}

/* A slot that has been emptied may still have its events: they are none. */
static void stale_events_mean_nothing(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	host_asks_for(0);
	clear();
	assert_true(hotplug_remove(0)); /* before the poll sees the request */
	poll();
	assert_string_equal(said, "");
	assert_string_equal(done, "");
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	assert_non_null(strstr(said, "added"));
	assert_null(strstr(said, "removed"));

	host_takes(0);
	poll();
	hardware[0].status = SLOT_INSERTING | SLOT_REMOVING;
	event = true;
	poll();
	assert_string_equal(said, "");
	assert_string_equal(done, "");
	assert_int_equal(nr_ranges(), 0);
	hardware[0].status = 0;
}

static void a_dimm_that_the_host_keeps_is_shown(void **state)
{
	(void)state;
	host_plugs(0, 4 * GIB, GIB, 0);
	poll();
	keeps = true;
	clear();
	assert_false(hotplug_remove(0));
	assert_non_null(strstr(said, "removed\nhotplug: slot 0: the host has not taken"));
	event = true;
	poll();
	assert_string_equal(said, "");
	host_takes(0);
	poll();
	assert_string_equal(said, ""); /* nothing of it was in use */
	hotplug_print(printk);
	assert_non_null(strstr(said, "slot 0: empty\n"));
}

/* Without an event no slot is read; and an event is not lost where a poll would do nothing. */
static void polling_is_cheap_and_loses_nothing(void **state)
{
	(void)state;
	nr_looks = 0;
	assert_false(hotplug_changed());
	assert_int_equal(nr_looks, 0);

	waiting_allowed = false;
	host_plugs(0, 4 * GIB, GIB, 0);
	assert_false(hotplug_changed());
	hotplug_poll();
	assert_int_equal(nr_adds, 0);
	waiting_allowed = true;
	assert_true(hotplug_changed());
	hotplug_poll();
	assert_int_equal(nr_adds, 1);

	event = true; /* for nothing */
	assert_false(hotplug_changed());
	without_gpe = true;
	assert_false(hotplug_changed());
	host_asks_for(0);
	assert_true(hotplug_changed());
	hotplug_poll();
	assert_false(hotplug_changed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_slots_nothing_happens),
		cmocka_unit_test_setup(plugged_at_power_on, boot),
		cmocka_unit_test_setup(plugged_and_asked_for, boot),
		cmocka_unit_test_setup(what_comes_or_goes_is_shown_before, boot),
		cmocka_unit_test_setup(memory_in_use_stays, boot),
		cmocka_unit_test_setup(wrong_slots_are_said, boot),
		cmocka_unit_test_setup(refusals, boot),
		cmocka_unit_test_setup(the_last_byte_below_the_limit_is_used, boot),
		cmocka_unit_test_setup(of_odd_sizes_the_inside_is_used, boot),
		cmocka_unit_test_setup(mem_limits_what_is_added, boot),
		cmocka_unit_test_setup(of_overlapping_slots_the_second_is_refused, boot),
		cmocka_unit_test_setup(an_unknown_domain_is_node_0, boot),
		cmocka_unit_test_setup(gone_without_notice, boot),
		cmocka_unit_test_setup(forgetting_is_tried_again, boot),
		cmocka_unit_test_setup(exchanged, boot),
		cmocka_unit_test_setup(stale_events_mean_nothing, boot),
		cmocka_unit_test_setup(a_dimm_that_the_host_keeps_is_shown, boot),
		cmocka_unit_test_setup(polling_is_cheap_and_loses_nothing, boot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hotplug_slots", tests, NULL, NULL);
}
