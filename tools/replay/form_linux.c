/*
 * form_linux.c: reads the entries of Linux, Xen, firstpage and SeaBIOS, which are all ranges and a
 * type. Where they were read:
 *
 *   Linux, arch/x86/kernel/e820.c, e820__print_table() (e820_print_map() and print_memory_map()
 *     before): "LABEL: [mem 0x%016x-0x%016x] TYPE", end inclusive, since 3.4; "[gap ...]" lines
 *     between entries and two blanks before the type since 7.0; " LABEL: %016x - %016x (TYPE)", end
 *     exclusive, 2.4 to 3.3; "%016x @ %016x (TYPE)", size @ start, before 2.4.4. The labels come
 *     from e820__memory_setup_default(), e820__finish_early_params(), e820__update_table_print(),
 *     e820__reserve_setup_data(), and Xen's xen_memory_setup().
 *   Xen, xen/arch/x86/e820.c, print_e820_memory_map(): " %016x - %016x (TYPE)", end exclusive;
 *     since 4.14 " [%016x, %016x] (TYPE)", end inclusive
 *   SeaBIOS, src/e820map.c, dump_map(): "  N: %016x - %016x = TYPE NAME", end exclusive
 *   firstpage, kernel/memory/setup.c, log_range(), and kernel/monitor/cmd_mm.c, cmd_e820(); replay,
 *     tools/replay/print.c: Linux's form of today, with ", attributes 0xN" behind
 *
 * Linux prints other lines with ranges and types, for which this must not be mistaken: "e820:
 * update [mem ...] usable ==> reserved", "e820: remove [mem ...] usable", "e820 remove range: ...
 * (usable)", "PCI: MMCONFIG at [mem ...] reserved in E820", "[mem ...] available for PCI devices".
 */
#include <ctype.h>

#include "tools/replay/form_readers.h"
#include "tools/replay/words.h"

static const struct {
	const char *text, *name;
} labels[] = {
	{ "BIOS-e820:", "BIOS-e820" },
	{ "BIOS-88:", "BIOS-88" },
	{ "BIOS-e801:", "BIOS-e801" },
	{ "user:", "user" },
	{ "modified:", "modified" },
	{ "reserve setup_data:", "reserve setup_data" },
	{ "Xen:", "Xen" },
};

/* Returns the name of the label of Linux that stands before `at`, or NULL. */
static const char *linux_label(const struct forms *forms, const char *at)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (forms_label(forms, at, labels[i].text))
			return labels[i].name;
	return NULL;
}

bool forms_ends_with_label(const struct forms *forms, const struct cursor *c)
{
	return linux_label(forms, c->end);
}

/* Returns whether Xen printed this line, or heads the map that it is in. */
static bool is_xen(const struct forms *forms, const char *at)
{
	return forms->section == SECTION_XEN || (forms->xen && forms->xen <= at);
}

/* Sets form, rank and label of an entry that has no label of Linux. Xen's "(XEN)" is none. */
static void without_label(const struct forms *forms, const char *at, struct item *item)
{
	item->label = "";
	item->form = FORM_BARE;
	item->rank = RANK_BARE;
	if (is_xen(forms, at) && (forms_label(forms, at, "(XEN)") || forms_first(forms, at))) {
		item->form = FORM_XEN;
		item->rank = RANK_SURE;
	}
}

/* Skips a size in words, "1.5 GB", which some versions of Linux's form have before the type. */
static void skip_size(struct cursor *c)
{
	static const char *const units[] = {
		"B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"
	};
	struct cursor ahead = *c;

	scan_blanks(&ahead);
	if (ahead.at == ahead.end || !isdigit((unsigned char)*ahead.at))
		return;
	while (ahead.at < ahead.end && (isdigit((unsigned char)*ahead.at) || *ahead.at == '.'))
		ahead.at++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (scan_word(&ahead, units[i])) {
			*c = ahead;
			return;
		}
}

/* Sets the range of an entry, with an end that is inclusive. Returns NULL, or what is wrong. */
static const char *set_inclusive(struct e820_entry *e, uint64_t first, uint64_t last, bool may_wrap)
{
	/* An empty entry has an end one below its start: 0x0-0xffffffffffffffff is one, too. */
	if (last < first && last + 1 != first && !may_wrap)
		return "the end lies before the start";
	e->base = first;
	e->size = last - first + 1;
	return NULL;
}

/* Reads "[mem START-END] TYPE", and firstpage's attributes. Returns NULL, or what is wrong. */
static const char *mem(const struct forms *forms, struct cursor *c, struct e820_entry *e)
{
	uint64_t first, last;
	const char *error;

	if (!scan_text(c, "[mem") || !scan_number(c, 16, &first) || !scan_text(c, "-") ||
	    !scan_number(c, 16, &last) || !scan_text(c, "]"))
		return "not of the form [mem START-END] TYPE";
	skip_size(c);
	/* The firmware's entries as firstpage gives them may exceed the address space. */
	error = set_inclusive(e, first, last, forms->section == SECTION_GIVEN);
	if (error)
		return error;
	if (!words_log(c, &e->type))
		return "the type is not a name that Linux uses";
	if (!scan_text(c, ", attributes"))
		return NULL;
	if (!scan_number32(c, 16, &e->attributes))
		return "the attributes are not a number of at most 32 bits";
	e->length = 24;
	return NULL;
}

/* Returns whether what follows shows that this was no entry: a change of one, or a sentence. */
static bool is_sentence(const struct cursor *c)
{
	struct cursor ahead = *c;

	scan_blanks(&ahead);
	return ahead.at < ahead.end &&
	       (isalnum((unsigned char)*ahead.at) || scan_text(&ahead, "==>"));
}

bool form_linux_mem(struct forms *forms, struct cursor *c, struct item *item)
{
	const char *at = c->at, *error;
	bool labelled;

	item->label = linux_label(forms, at);
	item->form = FORM_LINUX;
	item->rank = RANK_SURE;
	labelled = item->label != NULL;
	error = mem(forms, c, &item->entry);
	if (labelled && error) {
		if (scan_text(c, "[gap"))
			return false;
		/* Where the line was cut in "[mem", nothing was read. */
		c->at += c->at == at;
		return forms_damaged(item, error);
	}
	if (error || (labelled && scan_text(c, "==>")))
		return false;
	if (labelled)
		return true;
	if (!forms_first(forms, at) || is_sentence(c))
		return false;
	without_label(forms, at, item);
	if (forms_label(forms, at, "e820:") || forms->section == SECTION_CORRECTED) {
		item->form = FORM_CORRECTED;
		item->rank = RANK_CORRECTED;
	} else if (forms->section == SECTION_GIVEN) {
		item->form = FORM_REPLAY;
		item->rank = RANK_SURE;
	}
	return true;
}

bool form_xen_pair(struct forms *forms, struct cursor *c, struct item *item)
{
	const char *at = c->at, *error = "the type is not a name that Xen uses";
	uint64_t first, last;

	without_label(forms, at, item);
	c->at++;
	if (scan_hex_digits(c) != 16 || !scan_number(c, 16, &first) || !scan_text(c, ","))
		return false;
	if (!scan_number(c, 16, &last) || !scan_text(c, "]"))
		error = "not of the form [START, END] (TYPE)";
	else if (words_log(c, &item->entry.type))
		error = set_inclusive(&item->entry, first, last, false);
	if (error)
		return item->form == FORM_XEN && forms_damaged(item, error);
	return item->form == FORM_XEN || (forms_first(forms, at) && !is_sentence(c));
}

/* Reads SeaBIOS's "= TYPE NAME". Returns NULL, or what is wrong. */
static const char *seabios_type(struct cursor *c, struct item *item)
{
	item->form = FORM_SEABIOS;
	item->rank = RANK_SURE;
	item->label = "";
	if (!scan_text(c, "=") || !scan_number32(c, 10, &item->entry.type))
		return "not of the form START - END = TYPE";
	scan_blanks(c);
	while (c->at < c->end && isalpha((unsigned char)*c->at))
		c->at++;
	return NULL;
}

/*
 * Reads the rest of "FIRST - END (TYPE)", "FIRST @ START (TYPE)" and "FIRST - END = TYPE". Returns
 * NULL, or what is wrong.
 */
static const char *range(struct cursor *c, uint64_t first, struct item *item)
{
	bool size_first = scan_text(c, "@");
	uint64_t second;
	struct cursor equals;

	if (!size_first && !scan_text(c, "-"))
		return "not of the form START - END (TYPE)";
	if (!scan_number(c, 16, &second))
		return size_first ? "not of the form SIZE @ START (TYPE)"
				  : "not of the form START - END (TYPE)";
	equals = *c;
	if (!size_first && second < first)
		return "the end lies before the start";
	item->entry.base = size_first ? second : first;
	item->entry.size = size_first ? first : second - first;
	if (scan_text(&equals, "="))
		return seabios_type(c, item);
	return words_log(c, &item->entry.type) ? NULL : "the type is not a name that Linux uses";
}

bool form_range(struct forms *forms, struct cursor *c, struct item *item)
{
	const char *at = c->at, *error;
	size_t digits = scan_hex_digits(c);
	struct cursor dash;
	uint64_t first;

	without_label(forms, at, item);
	if (linux_label(forms, at)) {
		item->label = linux_label(forms, at);
		item->form = FORM_LINUX;
		item->rank = RANK_SURE;
		/* Fewer digits can be a word, unless the line is cut there. */
		if (digits < 8 && (*at != '0' || at + digits < c->end))
			return false;
	} else if ((digits != 16 && (digits != 8 || item->form == FORM_XEN)) ||
		   forms_label(forms, at, "range:")) {
		return false;
	}
	if (!scan_number(c, 16, &first))
		return false;
	dash = *c;
	/* Xen's arrow stands between addresses of other things. */
	if (scan_text(&dash, "->"))
		return false;
	error = range(c, first, item);
	if (item->form == FORM_LINUX || item->form == FORM_SEABIOS)
		return error ? forms_damaged(item, error) : !scan_text(c, "==>");
	if (item->form == FORM_XEN)
		return error ? scan_text(&dash, "-") && forms_damaged(item, error) : true;
	return !error && forms_first(forms, at) && !is_sentence(c);
}
