/*
 * words.c: see words.h. In each list a word stands after those that begin with it.
 */
#include "tools/replay/words.h"

#include "include/e820.h"

#define E820_TYPE_SOFT_RESERVED 0xefffffffu /* Linux's own, for memory set aside for a driver */

struct word {
	const char *word;
	uint32_t type;
};

/*
 * Linux, arch/x86/kernel/e820.c: print_memory_map(), e820_print_type(). "usable", "reserved", "ACPI
 * data", "ACPI NVS" since 2.3, in parentheses until 3.3; "unusable" since 2.6.28; "persistent (type
 * N)" since 4.1; "soft reserved" since 5.5; "System RAM", "device reserved" and "persistent RAM
 * (type N)" since 7.0. Xen's words (xen/arch/x86/e820.c, print_e820_memory_map()) are Linux's of
 * 2.6.
 */
static const struct word log_words[] = {
	{ "usable", E820_TYPE_RAM },
	{ "System RAM", E820_TYPE_RAM },
	{ "reserved", E820_TYPE_RESERVED },
	{ "device reserved", E820_TYPE_RESERVED },
	{ "soft reserved", E820_TYPE_SOFT_RESERVED },
	{ "ACPI data", E820_TYPE_ACPI },
	{ "ACPI NVS", E820_TYPE_NVS },
	{ "unusable", E820_TYPE_UNUSABLE },
	{ "persistent (type 7)", E820_TYPE_PMEM },
	{ "persistent (type 12)", E820_TYPE_PRAM },
	{ "persistent RAM (type 7)", E820_TYPE_PMEM },
	{ "persistent RAM (type 12)", E820_TYPE_PRAM },
	{ NULL, 0 },
};

/*
 * Linux, arch/x86/kernel/e820.c: e820_type_to_string(), which names both /proc/iomem's resources
 * and the entries of /sys/firmware/memmap. "reserved" was written small until 4.11 and stood for
 * every other type; now these are "Unknown E820 type", whose number is lost: nobody may use them.
 *
 * "RAM buffer" is not among them: Linux makes it itself, of the addresses between the end of RAM
 * and the next round border, and no firmware has reported these.
 */
static const struct word resource_words[] = {
	{ "System RAM", E820_TYPE_RAM },
	{ "Reserved", E820_TYPE_RESERVED },
	{ "ACPI Tables", E820_TYPE_ACPI },
	{ "ACPI Non-volatile Storage", E820_TYPE_NVS },
	{ "Unusable memory", E820_TYPE_UNUSABLE },
	{ "Persistent Memory (legacy)", E820_TYPE_PRAM },
	{ "Persistent Memory", E820_TYPE_PMEM },
	{ "Soft Reserved", E820_TYPE_SOFT_RESERVED },
	{ "Unknown E820 type", E820_TYPE_RESERVED },
	{ NULL, 0 },
};

/* GRUB 2, grub-core/commands/lsmmap.c, names[]; the last two are coreboot's, types 16 and 20. */
static const struct word grub_words[] = {
	{ "available RAM", E820_TYPE_RAM },
	{ "reserved RAM", E820_TYPE_RESERVED },
	{ "ACPI reclaimable RAM", E820_TYPE_ACPI },
	{ "ACPI non-volatile storage RAM", E820_TYPE_NVS },
	{ "faulty RAM (BadRAM)", E820_TYPE_UNUSABLE },
	{ "persistent RAM (legacy)", E820_TYPE_PRAM },
	{ "persistent RAM", E820_TYPE_PMEM },
	{ "RAM holding coreboot tables", 16 },
	{ "RAM holding firmware code", 20 },
	{ NULL, 0 },
};

static bool one_of(struct cursor *c, const struct word *words, uint32_t *type)
{
	for (; words->word; words++)
		if (scan_word(c, words->word)) {
			*type = words->type;
			return true;
		}
	return false;
}

/* Reads "type 20"; "type (20)" is not it. */
static bool type_number(struct cursor *c, uint32_t *type)
{
	struct cursor ahead = *c;

	if (!scan_word(&ahead, "type") || !scan_number32(&ahead, 10, type))
		return false;
	*c = ahead;
	return true;
}

bool words_log(struct cursor *c, uint32_t *type)
{
	struct cursor ahead = *c;
	bool parenthesis = scan_text(&ahead, "(");

	if (!one_of(&ahead, log_words, type) && !type_number(&ahead, type))
		return false;
	/* A log that is cut behind the word has no second parenthesis. */
	if (parenthesis && !scan_text(&ahead, ")") && !scan_end(&ahead))
		return false;
	*c = ahead;
	return true;
}

bool words_resource(struct cursor *c, uint32_t *type)
{
	struct cursor ahead = *c;

	if (!one_of(&ahead, resource_words, type) || !scan_end(&ahead))
		return false;
	*c = ahead;
	return true;
}

bool words_grub(struct cursor *c, uint32_t *type)
{
	struct cursor ahead = *c;

	if (one_of(c, grub_words, type))
		return true;
	/* Releases before 2.00 print every type as a number, later ones those without a word. */
	if (!scan_word(&ahead, "type") || !scan_text(&ahead, "=") ||
	    !scan_number32(&ahead, 10, type))
		return false;
	*c = ahead;
	return true;
}
