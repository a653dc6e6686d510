/*
 * forms.c: finds the place of an entry in a line, and the lines that head a map. The readers of
 * the entries themselves are in form_linux.c and form_others.c.
 */
#include "tools/replay/form_readers.h"
#include "tools/replay/map_lines.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name, *example;
} texts[] = {
	[FORM_MAP] = { "a map file", "0x0 0x9fc00 1" },
	[FORM_LINUX] = { "Linux's log",
			 "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable" },
	[FORM_XEN] = { "Xen's log", "(XEN)  [0000000000000000, 000000000009fbff] (usable)" },
	[FORM_IOMEM] = { "/proc/iomem, read by root", "00000000-0009fbff : System RAM" },
	[FORM_MEMMAP] = { "/sys/firmware/memmap, by grep .", "/sys/firmware/memmap/0/start:0x0" },
	[FORM_SEABIOS] = { "SeaBIOS's debug output",
			   "  0: 0000000000000000 - 000000000009fc00 = 1 RAM" },
	[FORM_SMAP] = { "FreeBSD's verbose log",
			"SMAP type=01 base=0000000000000000 len=000000000009fc00" },
	[FORM_OPENBSD] = { "OpenBSD's machine memory", "Region 0: type 1 at 0x0 for 639KB" },
	[FORM_NETBSD] = { "NetBSD's DEBUG_MEMLOAD", "addr 0x0  size 0x9fc00  type 0x1" },
	[FORM_GRUB] = { "GRUB's lsmmap", "base_addr = 0x0, length = 0x9fc00, available RAM" },
	[FORM_GRUB1] = { "GRUB 0.9x's displaymem",
			 "Usable RAM:  Base Address:  0x0 X 4GB + 0x0, Length: ..." },
	[FORM_REPLAY] = { "replay's text", "  [mem 0x0000000000000000-0x000000000009fbff] usable" },
	[FORM_BARE] = { "lines without a label", "[mem 0x00000000-0x0009fbff] usable" },
	[FORM_CORRECTED] = { "firstpage's log, replay --json",
			     "e820: [mem 0x0000000000000000-0x000000000009fbff] usable" },
};

const char *forms_name(enum form form)
{
	return texts[form].name;
}

const char *forms_example(enum form form)
{
	return texts[form].example;
}

void forms_list(FILE *out)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fprintf(out, "  %-31s  %s\n", texts[i].name, texts[i].example);
}

/*
 * Lines that head a map, or begin another boot:
 *   Linux, arch/x86/kernel/e820.c: "BIOS-provided physical RAM map:", "user-defined ...", "modified
 *   ...", "extended ..."; init/version.c: "Linux version"
 *   Xen, xen/arch/x86/setup.c: "Xen-e820 RAM map:", "EFI RAM map:" and others;
 *     xen/arch/x86/hvm/dom0_build.c: "Dom0 memory map:"
 *   systemd's journalctl: "-- Boot ID --", "-- Reboot --"
 *   SeaBIOS, src/e820map.c, dump_map(): "e820 map has N items:"
 *   NetBSD, sys/arch/x86/x86/x86_machdep.c: "BIOS MEMORY MAP (N ENTRIES):"
 *   GRUB 0.9x, stage2/builtins.c, displaymem_func(): "[Address Range Descriptor entries ..."
 *   firstpage, kernel/monitor/cmd_mm.c: "raw, N entries", "corrected, N ranges"
 *   replay, tools/replay/print.c: "As given, N entries:", "Corrected, N ranges"; "e820":[
 */
static const struct {
	const char *before; /* the words, up to the number of entries, if there is one */
	const char *after;  /* what follows that number; NULL: there is no number */
	enum section section;
} headers[] = {
	{ "physical RAM map:", NULL, SECTION_OTHER },
	{ "RAM map:", NULL, SECTION_XEN },
	{ "memory map:", NULL, SECTION_OTHER },
	{ "Linux version ", NULL, SECTION_OTHER },
	{ "-- Boot ", NULL, SECTION_OTHER },
	{ "-- Reboot --", NULL, SECTION_OTHER },
	{ "e820 map has ", "items", SECTION_OTHER },
	{ "BIOS MEMORY MAP (", "ENTRIES", SECTION_OTHER },
	{ "[Address Range Descriptor entries", NULL, SECTION_OTHER },
	{ "raw, ", "entries, as the firmware gave them", SECTION_GIVEN },
	{ "As given, ", "entries:", SECTION_GIVEN },
	{ "corrected, ", "ranges", SECTION_CORRECTED },
	{ "\"e820\"", NULL, SECTION_CORRECTED },
};

static bool header(struct forms *forms, struct cursor *c, struct item *item)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct cursor rest = *c;

		if (!scan_text(&rest, headers[i].before))
			continue;
		if (headers[i].after && (!scan_number32(&rest, 10, &item->announced) ||
					 !scan_text(&rest, headers[i].after)))
			continue;
		forms->section = headers[i].section;
		item->kind = ITEM_HEADER;
		*c = rest;
		return true;
	}
	return false;
}

bool forms_label(const struct forms *forms, const char *at, const char *label)
{
	return scan_ends_with(forms->found, at, label);
}

bool forms_first(const struct forms *forms, const char *at)
{
	while (at > forms->found && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == forms->found || strchr("]>:|;,=\"'`", at[-1]);
}

bool forms_damaged(struct item *item, const char *error)
{
	item->kind = ITEM_DAMAGED;
	item->error = error;
	return true;
}

/* Returns whether a word or a number can begin here, or a sign. */
static bool begins(const struct forms *forms, const char *at)
{
	return at == forms->line || !isalnum((unsigned char)at[-1]) || !isalnum((unsigned char)*at);
}

/* The readers, in the order in which they are tried, by the first character of what they read. */
static const struct {
	const char *first;
	form_reader *read;
} readers[] = {
	{ "pPrRlLeEbBaAcCmM-[\"", header },
	{ "[", form_linux_mem },
	{ "[", form_xen_pair },
	{ "0123456789abcdefABCDEF", form_iomem },
	{ "0123456789", form_memmap },
	{ "0123456789abcdefABCDEF", form_range },
	{ "sS", form_smap },
	{ "rR", form_openbsd },
	{ "aA", form_netbsd },
	{ "bB", form_grub },
	{ "uUrRlL", form_grub1 },
	{ "\"{", form_json },
};

/*
 * Returns where the comment of a line begins, or its end: # begins one at the start of a word, but
 * not before a digit, as in "Linux version 6.1.0 ... #1 SMP"; in a line of a map file, anywhere.
 */
static const char *comment(const struct cursor *line)
{
	bool anywhere = map_line_likely(line, 2);

	for (const char *at = line->at; at < line->end; at++)
		if (*at == '#' && (anywhere || at == line->at ||
				   ((at[-1] == ' ' || at[-1] == '\t') &&
				    (at + 1 == line->end || scan_digit(at[1]) > 9))))
			return at;
	return line->end;
}

void forms_begin(struct forms *forms, struct cursor *c)
{
	forms->line = forms->found = c->at;
	c->end = comment(c);
	forms->xen = scan_find(c, "(XEN)");
}

bool forms_incomplete(const struct forms *forms)
{
	return forms->part.base || forms->part.size || forms->part.type;
}

/* Returns whether a reader reads what begins with this character. */
static bool is_first(char c)
{
	static bool first[256], known;

	for (size_t i = 0; !known && i < sizeof(readers) / sizeof(readers[0]); i++)
		for (const char *at = readers[i].first; *at; at++)
			first[(unsigned char)*at] = true;
	known = true;
	return first[(unsigned char)c];
}

bool forms_next(struct forms *forms, struct cursor *c, struct item *item)
{
	*item = (struct item){ .entry.length = 20 };
	if (c->at == forms->line && form_memmap_value(forms, c, item))
		return true;
	for (; c->at < c->end; c->at++) {
		if (!is_first(*c->at) || !begins(forms, c->at))
			continue;
		for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
			struct cursor ahead = *c;

			if (!strchr(readers[i].first, *c->at) ||
			    !readers[i].read(forms, &ahead, item))
				continue;
			forms->found = c->at = ahead.at;
			return true;
		}
	}
	return false;
}
