/*
 * form_others.c: reads the entries of the other programs, among them those that take several lines.
 * Where they were read:
 *
 *   Linux, kernel/resource.c, r_show(): "%08x-%08x : NAME" in /proc/iomem, two blanks more for each
 *     level, end inclusive, zeros for all but root; drivers/firmware/memmap.c: the files start, end
 *     (inclusive) and type in a directory for each entry
 *   FreeBSD, sys/amd64/amd64/machdep.c, add_smap_entries(), and stand/i386/libi386/biossmap.c,
 *     command_smap(): "SMAP type=%02x base=%016x len=%016x", the loader with " attr=%02x" behind;
 *     sbin/sysctl/sysctl.c, S_bios_smap_xattr(): "SMAP type=%02x, xattr=%02x, base=%016x,
 *     len=%016x"
 *   OpenBSD, sys/arch/amd64/stand/libsa/memprobe.c, dump_biosmem(): "Region %d: type %u at 0x%x for
 *     %uKB", sizes in whole KiB
 *   NetBSD, sys/arch/x86/x86/x86_machdep.c: "    addr 0x%x  size 0x%x  type 0x%x"
 *   GRUB 2, grub-core/commands/lsmmap.c, lsmmap_hook(): "base_addr = 0x%x, length = 0x%x, NAME"
 *   GRUB 0.9x, stage2/builtins.c, displaymem_func(): "Usable RAM:  Base Address:  0x%x X 4GB +
 *     0x%x," and on the next line "Length:   0x%x X 4GB + 0x%x bytes", once in decimal
 *   replay, tools/replay/print.c, json_e820(): {"base":"0x..","size":"0x..","type":N}
 */
#include <string.h>

#include "tools/replay/form_readers.h"
#include "tools/replay/words.h"

/* Sets what a reader's items have in common. */
static void is_form(struct item *item, enum form form, enum rank rank)
{
	item->form = form;
	item->rank = rank;
	item->label = "";
}

static const char *set_last(struct e820_entry *e, uint64_t first, uint64_t last)
{
	if (last < first && last + 1 != first)
		return "the end lies before the start";
	e->base = first;
	e->size = last - first + 1;
	return NULL;
}

/* Forgets the part of an entry that was read. */
static void forget(struct forms *forms)
{
	memset(&forms->part, 0, sizeof(forms->part));
	forms->part.entry.length = 20;
}

bool form_iomem(struct forms *forms, struct cursor *c, struct item *item)
{
	const char *at = c->at, *error;
	uint64_t first, last;
	bool dense;

	is_form(item, FORM_IOMEM, RANK_SURE);
	while (at > forms->line && at[-1] == ' ')
		at--;
	item->indent = (unsigned int)(c->at - at);
	if (at > forms->line && at[-1] != '>' && at[-1] != ':')
		return false;
	if (scan_hex_digits(c) < 8 || !scan_number(c, 16, &first))
		return false;
	dense = c->at < c->end && *c->at == '-';
	if (!dense || !scan_text(c, "-") || scan_hex_digits(c) < 8 || !scan_number(c, 16, &last) ||
	    !scan_text(c, ":") || !words_resource(c, &item->entry.type))
		return false;
	error = set_last(&item->entry, first, last);
	if (error)
		return forms_damaged(item, error);
	/* RAM in another entry is not the firmware's: a driver made it of persistent memory. */
	if (item->entry.type == E820_TYPE_RAM && item->indent > forms->outer_indent &&
	    first >= forms->outer_first && last <= forms->outer_last && last)
		return false;
	forms->outer_indent = item->indent;
	forms->outer_first = first;
	forms->outer_last = last;
	return true;
}

/* Takes the value of a file of memmap. Returns NULL, or what is wrong. */
static const char *memmap_file(struct forms *forms, enum memmap_file file, struct cursor *c)
{
	struct e820_entry *e = &forms->part.entry;

	forms->part.wait = FILE_NONE;
	if (file == FILE_START) {
		forms->part.base = scan_number(c, 16, &e->base);
		return forms->part.base ? NULL : "the start is not a number of at most 64 bits";
	}
	if (file == FILE_END) {
		forms->part.size = scan_number(c, 16, &e->size);
		return forms->part.size ? NULL : "the end is not a number of at most 64 bits";
	}
	forms->part.type = words_resource(c, &e->type);
	return forms->part.type ? NULL : "the type is not a name that Linux uses";
}

/* Makes item the entry that is complete with this line. Returns false if it is not. */
static bool memmap_entry(struct forms *forms, struct item *item)
{
	const char *error;

	if (!forms->part.base || !forms->part.size || !forms->part.type)
		return false;
	item->entry = forms->part.entry;
	item->number = forms->part.number;
	error = set_last(&item->entry, item->entry.base, item->entry.size);
	forget(forms);
	return error ? forms_damaged(item, error) : true;
}

bool form_memmap(struct forms *forms, struct cursor *c, struct item *item)
{
	const char *at = c->at;
	bool begun = forms->part.base || forms->part.size || forms->part.type;
	const char *error;
	uint64_t number = 0;
	enum memmap_file file;

	is_form(item, FORM_MEMMAP, RANK_SURE);
	for (; c->at < c->end && scan_digit(*c->at) < 10 && number < 1u << 20; c->at++)
		number = number * 10 + scan_digit(*c->at);
	if (c->at == c->end || *c->at != '/')
		return false;
	file = scan_text(c, "/start")  ? FILE_START
	       : scan_text(c, "/end")  ? FILE_END
	       : scan_text(c, "/type") ? FILE_TYPE
				       : FILE_NONE;
	if (!file || c->at == c->end || (*c->at != ':' && !scan_text(c, "<==")))
		return false;
	if (begun && forms->part.number != number) {
		/* The next call reads this place again. */
		c->at = at;
		forget(forms);
		return forms_damaged(item,
				     "an entry of memmap lacks its start, its end or its type");
	}
	if (!begun)
		forget(forms);
	forms->part.number = (uint32_t)number;
	if (!scan_text(c, ":")) {
		forms->part.wait = file;
		return false;
	}
	error = memmap_file(forms, file, c);
	return error ? forms_damaged(item, error) : memmap_entry(forms, item);
}

bool form_memmap_value(struct forms *forms, struct cursor *c, struct item *item)
{
	enum memmap_file file = forms->part.wait;
	const char *error;

	while (scan_text(c, ">"))
		;
	if (!file || scan_end(c))
		return false;
	is_form(item, FORM_MEMMAP, RANK_SURE);
	error = memmap_file(forms, file, c);
	return error ? forms_damaged(item, error) : memmap_entry(forms, item);
}

/* Reads the attributes of an entry of FreeBSD, if there are any. Returns false if they are none. */
static bool smap_attributes(struct cursor *c, struct e820_entry *e)
{
	scan_text(c, ",");
	if (!scan_text(c, "attr=") && !scan_text(c, "xattr="))
		return true;
	e->length = 24;
	return scan_number32(c, 16, &e->attributes);
}

bool form_smap(struct forms *forms, struct cursor *c, struct item *item)
{
	struct e820_entry *e = &item->entry;
	size_t digits;

	(void)forms;
	is_form(item, FORM_SMAP, RANK_SURE);
	if (!scan_word(c, "SMAP") || !scan_text(c, "type="))
		return false;
	if (!scan_number32(c, 16, &e->type))
		return forms_damaged(item, "the type is not a number of at most 32 bits");
	if (!smap_attributes(c, e))
		return forms_damaged(item, "the attributes are not a number");
	scan_text(c, ",");
	if (!scan_text(c, "base="))
		return forms_damaged(item, "not of the form SMAP type= base= len=");
	digits = scan_hex_digits(c);
	if (!scan_number(c, 16, &e->base))
		return forms_damaged(item, "the base is not a number of at most 64 bits");
	scan_text(c, ",");
	if (!scan_text(c, "len="))
		return forms_damaged(item, "not of the form SMAP type= base= len=");
	/* Both have 16 digits, if the line is not cut. */
	if (scan_hex_digits(c) != digits || !scan_number(c, 16, &e->size))
		return forms_damaged(item, "the len is not a number of as many digits as the base");
	if (!smap_attributes(c, e))
		return forms_damaged(item, "the attributes are not a number");
	return true;
}

bool form_openbsd(struct forms *forms, struct cursor *c, struct item *item)
{
	uint64_t number, kib = 0;

	(void)forms;
	is_form(item, FORM_OPENBSD, RANK_SURE);
	if (!scan_word(c, "Region") || !scan_number(c, 10, &number) || !scan_text(c, ": type"))
		return false;
	if (!scan_number32(c, 10, &item->entry.type) || !scan_text(c, "at") ||
	    !scan_number(c, 16, &item->entry.base) || !scan_text(c, "for"))
		return forms_damaged(item, "not of the form Region N: type T at START for SIZE KB");
	scan_blanks(c);
	for (; c->at < c->end && scan_digit(*c->at) < 10 && kib < 1ull << 44; c->at++)
		kib = kib * 10 + scan_digit(*c->at);
	if (!scan_word(c, "KB"))
		return forms_damaged(item, "the size is not a number of KB");
	item->entry.size = kib << 10;
	return true;
}

bool form_netbsd(struct forms *forms, struct cursor *c, struct item *item)
{
	struct e820_entry *e = &item->entry;

	(void)forms;
	is_form(item, FORM_NETBSD, RANK_BARE);
	return scan_word(c, "addr") && scan_number(c, 16, &e->base) && scan_word(c, "size") &&
	       scan_number(c, 16, &e->size) && scan_word(c, "type") &&
	       scan_number32(c, 16, &e->type);
}

bool form_grub(struct forms *forms, struct cursor *c, struct item *item)
{
	(void)forms;
	is_form(item, FORM_GRUB, RANK_SURE);
	if (!scan_word(c, "base_addr") || !scan_text(c, "="))
		return false;
	if (!scan_number(c, 10, &item->entry.base) || !scan_text(c, ", length =") ||
	    !scan_number(c, 10, &item->entry.size) || !scan_text(c, ","))
		return forms_damaged(item,
				     "not of the form base_addr = START, length = SIZE, TYPE");
	if (!words_grub(c, &item->entry.type))
		return forms_damaged(item, "the type is not a name that GRUB uses");
	return true;
}

/* Reads "HIGH X 4GB + LOW". */
static bool wide_number(struct cursor *c, uint64_t *value)
{
	uint32_t high, low;

	if (!scan_number32(c, 10, &high) || !scan_text(c, "X 4GB +") || !scan_number32(c, 10, &low))
		return false;
	*value = (uint64_t)high << 32 | low;
	return true;
}

bool form_grub1(struct forms *forms, struct cursor *c, struct item *item)
{
	struct e820_entry *e = &forms->part.entry;
	bool ram = scan_text(c, "Usable RAM:");

	is_form(item, FORM_GRUB1, RANK_SURE);
	if (ram || scan_text(c, "Reserved:")) {
		if (!scan_text(c, "Base Address:"))
			return false;
		forget(forms);
		e->type = ram ? E820_TYPE_RAM : E820_TYPE_RESERVED;
		forms->part.base = wide_number(c, &e->base);
		return !forms->part.base &&
		       forms_damaged(item, "the Base Address is not HIGH X 4GB + LOW");
	}
	if (!forms->part.base || !scan_text(c, "Length:"))
		return false;
	if (!wide_number(c, &e->size) || !scan_text(c, "bytes"))
		return forms_damaged(item, "the Length is not HIGH X 4GB + LOW bytes");
	item->entry = *e;
	forget(forms);
	return true;
}

/* Reads the value of a member of a JSON object, a number, with or without quotes. */
static bool json_number(struct cursor *c, uint64_t *value)
{
	if (!scan_text(c, ":"))
		return false;
	scan_text(c, "\"");
	return scan_number(c, 10, value);
}

bool form_json(struct forms *forms, struct cursor *c, struct item *item)
{
	struct e820_entry *e = &forms->part.entry;
	uint64_t type;

	is_form(item, FORM_CORRECTED, RANK_CORRECTED);
	if (scan_text(c, "{"))
		forget(forms);
	else if (scan_text(c, "\"base\""))
		forms->part.base = json_number(c, &e->base);
	else if (scan_text(c, "\"size\""))
		forms->part.size = json_number(c, &e->size);
	else if (scan_text(c, "\"type\"") && forms->part.base && forms->part.size &&
		 json_number(c, &type) && type <= UINT32_MAX) {
		item->entry = *e;
		item->entry.type = (uint32_t)type;
		item->entry.length = 20;
		forget(forms);
		return true;
	}
	return false;
}
