/*
 * hotplug.c: what a slot had when it was last looked at is compared with what it has now.
 */
#include "kernel/memory/hotplug.h"

#include <stdarg.h>

#include "arch/x86_64/acpi_memory.h"
#include "arch/x86_64/address_space.h"
#include "kernel/memory/memtest.h"
#include "kernel/memory/steps.h"
#include "kernel/options.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/hotplug.h"
#include "mm/numa.h"
#include "mm/page.h"

#define REASON_SIZE 192
#define SITE_SIZE   64

/* What is known of a slot. */
static struct known_slot {
	struct memory_slot dimm; /* as it was when it was added or refused; size 0: empty */
	phys_addr_t base;        /* what of it is in use: the inner whole blocks */
	uint64_t size;           /* 0: nothing, the DIMM was refused */
	int nid;
} slots[MEMORY_SLOTS_MAX];
static unsigned int nr_slots;
static bool polling;

void (*hotplug_watch)(void);

static char last_reason[REASON_SIZE]; /* why the last DIMM was not added or not removed */

/* Logs why a DIMM is not added, or not removed, and keeps that for hotplug_print(). */
__attribute__((format(printf, 1, 2))) static void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(last_reason, sizeof(last_reason), fmt, ap);
	va_end(ap);
	printk("hotplug: %s\n", last_reason);
}

/* Tells hotplug_watch that a range is about to be added, or removed. */
static void announce(phys_addr_t base, uint64_t size, bool leaving)
{
	if (!hotplug_watch)
		return;
	hotplug_work = (struct hotplug_work){ base, size, leaving };
	hotplug_watch();
	hotplug_work.size = 0;
}

/* ---- adding ---- */

/* Returns the node of a domain of the SRAT; 0, with a word, if no node is known by that number. */
static int node_of(unsigned int i, uint32_t domain)
{
	for (uint32_t nid = 0; numa_map && nid < numa_map->nr_nodes; nid++)
		if (numa_map->domain[nid] == domain)
			return (int)nid;
	if (domain && numa_map)
		printk("hotplug: slot %u: domain %u is not known: its memory is node 0's\n", i,
		       domain);
	return 0;
}

/* Returns the first range of the firmware's map that overlaps [base, end), or NULL. */
static const struct e820_range *range_at(phys_addr_t base, phys_addr_t end)
{
	for (uint32_t r = 0; r < e820_map.nr_ranges; r++) {
		const struct e820_range *range = &e820_map.ranges[r];

		if (range->base < end && base < range->base + range->size)
			return range;
	}
	return NULL;
}

/* Returns the slot whose memory in use overlaps [base, end), or -1. */
static int slot_at(phys_addr_t base, phys_addr_t end)
{
	for (unsigned int i = 0; i < nr_slots; i++)
		if (slots[i].size && slots[i].base < end && base < slots[i].base + slots[i].size)
			return (int)i;
	return -1;
}

/* Returns why add_memory() failed, in words. */
static const char *error_text(int err)
{
	switch (err) {
	case -EEXIST:
		return "it overlaps memory that is in use";
	case -EIO:
		return "there is no memory behind it";
	case -ENOSPC:
		return "it is too small for its own descriptors";
	case -ERANGE:
		return "it is beyond what the direct map reaches";
	case -ENOMEM:
		return "there is no memory for what it shares with other memory";
	default:
		return "its address or size cannot be right";
	}
}

/* Returns how many bytes mem= still leaves; all there can be, without that option. */
static uint64_t left_by_mem(void)
{
	uint64_t now = memblock_phys_mem_size();

	if (!options.mem_limit)
		return UINT64_MAX;
	return options.mem_limit > now ? options.mem_limit - now : 0;
}

/*
 * Sets *base and *size to the part of a DIMM that can be used: whole blocks, within what the CPU
 * addresses and mem= allows. Returns false, with the reason logged, if there is none.
 */
static bool usable_part(unsigned int i, const struct memory_slot *dimm, phys_addr_t *base,
			uint64_t *size)
{
	phys_addr_t last = dimm->base + dimm->size - 1, limit = address_space_limit(), end;
	uint64_t left = left_by_mem();
	const struct e820_range *range;
	int other;

	if (limit > PFN_PHYS(MM_MAX_PFN))
		limit = PFN_PHYS(MM_MAX_PFN);
	if (last < dimm->base || last >= limit) {
		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: it reaches beyond what "
		       "this CPU or the direct map reaches, 0x%016llx",
		       i, ULL(dimm->base), ULL(last), ULL(limit - 1));
		return false;
	}
	range = range_at(dimm->base, last + 1);
	if (range) {
		char text[E820_TYPE_TEXT];

		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: the firmware's map has "
		       "[mem 0x%016llx-0x%016llx] %s there",
		       i, ULL(dimm->base), ULL(last), ULL(range->base),
		       ULL(range->base + range->size - 1), e820_type_text(range->type, text));
		return false;
	}
	other = slot_at(dimm->base, last + 1);
	if (other >= 0) {
		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: it overlaps slot %d", i,
		       ULL(dimm->base), ULL(last), other);
		return false;
	}
	*base = (dimm->base + HOTPLUG_UNIT - 1) & ~(HOTPLUG_UNIT - 1);
	end = (last + 1) & ~(HOTPLUG_UNIT - 1);
	if (*base >= end) {
		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: it has no whole 2 MiB", i,
		       ULL(dimm->base), ULL(last));
		return false;
	}
	*size = end - *base;
	if (*size > left)
		*size = left & ~(HOTPLUG_UNIT - 1);
	if (!*size) {
		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: mem= allows no more", i,
		       ULL(dimm->base), ULL(last));
		return false;
	}
	if (*size != dimm->size)
		printk("hotplug: slot %u: of [mem 0x%016llx-0x%016llx] only "
		       "[mem 0x%016llx-0x%016llx] is used%s\n",
		       i, ULL(dimm->base), ULL(last), ULL(*base), ULL(*base + *size - 1),
		       *base + *size < end ? ": mem= allows no more" : ", whole 2 MiB");
	return true;
}

/* Adds a DIMM. Returns whether it did. */
static bool add(unsigned int i, const struct memory_slot *dimm)
{
	struct known_slot *slot = &slots[i];
	phys_addr_t base;
	uint64_t size;
	int err;

	slot->dimm = *dimm;
	slot->size = 0;
	slot->nid = node_of(i, dimm->domain);
	if (!usable_part(i, dimm, &base, &size))
		return false;
	announce(base, size, false);
	err = add_memory(slot->nid, base, size);
	if (err) {
		refuse("slot %u: [mem 0x%016llx-0x%016llx] is not used: %s", i, ULL(base),
		       ULL(base + size - 1), error_text(err));
		return false;
	}
	slot->base = base;
	slot->size = size;
	printk("hotplug: slot %u: [mem 0x%016llx-0x%016llx] added, node %d\n", i, ULL(base),
	       ULL(base + size - 1), slot->nid);
	return true;
}

/* ---- removing ---- */

/* Writes ", from NAME" to text, or nothing when it is not known which call has the memory. */
static const char *site_text(uintptr_t site, char *text, size_t size)
{
	char name[SITE_SIZE];

	*text = '\0';
	if (!site)
		return text;
	port_site_name(site, name, sizeof(name));
	for (char *c = name; *c; c++)
		if (*c == '+')
			*c = '\0';
	fmt_snprintf(text, size, ", from %s", name);
	return text;
}

/* Logs why the memory of a slot cannot be removed. */
static void say_why(unsigned int i, int err)
{
	const struct offline_blockers *b = &offline_blockers;
	char site[SITE_SIZE + 8];

	if (err == -EBUSY)
		refuse("slot %u stays: %llu frames in use, first 0x%llx of order %u%s", i,
		       ULL(b->frames), ULL(b->first), b->order,
		       site_text(b->site, site, sizeof(site)));
	else if (err == -ENOMEM)
		refuse("slot %u stays: no memory to note that the range leaves a hole", i);
	else
		refuse("slot %u stays: the allocator is at work on it", i);
}

/* Takes the memory of a slot out of use. Returns 0 or why not, as offline_and_remove_memory(). */
static int take_out(unsigned int i)
{
	struct known_slot *slot = &slots[i];
	int err;

	announce(slot->base, slot->size, true);
	err = offline_and_remove_memory(slot->base, slot->size);
	if (err) {
		say_why(i, err);
		return err;
	}
	memtest_forget(PHYS_PFN(slot->base), PHYS_PFN(slot->base + slot->size));
	printk("hotplug: slot %u: [mem 0x%016llx-0x%016llx] removed\n", i, ULL(slot->base),
	       ULL(slot->base + slot->size - 1));
	slot->size = 0;
	return 0;
}

static bool same_dimm(const struct memory_slot *a, const struct memory_slot *b)
{
	return a->base == b->base && a->size == b->size;
}

/*
 * Removes a DIMM, which need not be in use, and tells the host how that ended. A request of the
 * host is acknowledged before the DIMM leaves: the next one in the slot would seem to have it.
 */
static bool give_back(unsigned int i)
{
	struct memory_slot *dimm = &slots[i].dimm, now;

	if (slots[i].size && take_out(i)) {
		acpi_memory_report(i, OST_EJECT_REQUEST, OST_DEVICE_IN_USE);
		return false;
	}
	acpi_memory_acknowledge(i, SLOT_REMOVING);
	acpi_memory_eject(i);
	now = acpi_memory_slot(i);
	if (same_dimm(dimm, &now)) {
		refuse("slot %u: the host has not taken [mem 0x%016llx-0x%016llx] back", i,
		       ULL(dimm->base), ULL(dimm->base + dimm->size - 1));
		return false;
	}
	dimm->size = 0;
	return true;
}

/*
 * Notes that the DIMM of a slot is no longer there, although nobody has asked for it. Returns
 * false, with the reason logged, if the allocator cannot forget its memory now.
 */
static bool gone(unsigned int i)
{
	struct known_slot *slot = &slots[i];
	phys_addr_t last = slot->base + slot->size - 1;
	long lost;

	if (!slot->size) {
		slot->dimm.size = 0;
		return true;
	}
	lost = forget_lost_memory(slot->base, slot->size);
	if (lost < 0) {
		printk("hotplug: slot %u: [mem 0x%016llx-0x%016llx] is gone without notice, and "
		       "%s\n",
		       i, ULL(slot->base), ULL(last),
		       lost == -ENOMEM ? "no memory is left to note that"
				       : "the allocator is at work on it");
		return false;
	}
	memtest_forget(PHYS_PFN(slot->base), PHYS_PFN(last) + 1);
	printk("hotplug: slot %u: [mem 0x%016llx-0x%016llx] is gone without notice, %ld frames "
	       "were in use\n",
	       i, ULL(slot->base), ULL(last), lost);
	slot->dimm.size = 0;
	slot->size = 0;
	return true;
}

/* ---- polling ---- */

/* Returns whether a slot has an event, or another DIMM than the one that is known of it. */
static bool has_changed(unsigned int i)
{
	struct memory_slot now = acpi_memory_slot(i);

	if (now.status & (SLOT_INSERTING | SLOT_REMOVING) && now.size)
		return true;
	return now.size || slots[i].dimm.size ? !same_dimm(&slots[i].dimm, &now) : false;
}

/* Compares a slot with what is known of it. What is plugged now is another DIMM if it says so. */
static void look_at(unsigned int i)
{
	struct memory_slot now = acpi_memory_slot(i);
	bool inserting = now.size && now.status & SLOT_INSERTING;

	if (slots[i].dimm.size && (inserting || !same_dimm(&slots[i].dimm, &now)) && !gone(i))
		return;
	if (!now.size)
		return;
	if (inserting)
		acpi_memory_acknowledge(i, SLOT_INSERTING);
	if (!slots[i].dimm.size) {
		bool added = add(i, &now);

		if (inserting)
			acpi_memory_report(i, OST_DEVICE_CHECK, added ? OST_SUCCESS : OST_FAILURE);
	}
	if (now.status & SLOT_REMOVING) {
		acpi_memory_acknowledge(i, SLOT_REMOVING);
		give_back(i);
	}
}

void hotplug_poll(void)
{
	if (polling || !port_may_wait())
		return;
	polling = true;
	for (unsigned int i = 0; i < nr_slots; i++)
		look_at(i);
	polling = false;
}

/* Where a poll would do nothing, the bit of GPE0 must stay for the next one. */
bool hotplug_changed(void)
{
	if (!nr_slots || polling || !port_may_wait() || !acpi_memory_changed())
		return false;
	for (unsigned int i = 0; i < nr_slots; i++)
		if (has_changed(i))
			return true;
	return false;
}

void hotplug_progress(void)
{
	if (hotplug_changed())
		hotplug_poll();
}

void hotplug_setup(void)
{
	nr_slots = acpi_memory_init();
	if (!nr_slots)
		return;
	if (memory_hotplug_init())
		printk("hotplug: no memory for the reserve: memory cannot be added\n");
	hotplug_poll();
}

/* ---- the monitor ---- */

bool hotplug_find(uint64_t size, phys_addr_t *base, int *nid)
{
	for (unsigned int i = 0; i < nr_slots; i++) {
		if (!slots[i].size || slots[i].size != size)
			continue;
		*base = slots[i].base;
		*nid = slots[i].nid;
		return true;
	}
	return false;
}

bool hotplug_find_smallest(uint64_t *size, phys_addr_t *base, int *nid)
{
	uint64_t smallest = UINT64_MAX;

	for (unsigned int i = 0; i < nr_slots; i++)
		if (slots[i].size && slots[i].size < smallest)
			smallest = slots[i].size;
	*size = smallest;
	return hotplug_find(smallest, base, nid);
}

uint64_t hotplug_bytes(void)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < nr_slots; i++)
		bytes += slots[i].size;
	return bytes;
}

bool hotplug_remove(unsigned int slot)
{
	if (slot >= nr_slots || !slots[slot].dimm.size) {
		printk("hotplug: slot %u %s\n", slot,
		       slot < nr_slots ? "is empty" : "does not exist");
		return false;
	}
	return give_back(slot);
}

void hotplug_print(print_fn print)
{
	if (!nr_slots)
		print("no slots for memory\n");
	for (unsigned int i = 0; i < nr_slots; i++) {
		const struct known_slot *slot = &slots[i];
		const struct memory_slot *dimm = &slot->dimm;

		if (!dimm->size)
			print("slot %u: empty\n", i);
		else
			print("slot %u: [mem 0x%016llx-0x%016llx] %llu MB, node %d, %s\n", i,
			      ULL(dimm->base), ULL(dimm->base + dimm->size - 1),
			      ULL(dimm->size >> 20), slot->nid,
			      slot->size ? "plugged" : "not used");
	}
	if (*last_reason)
		print("last refusal: %s\n", last_reason);
}
