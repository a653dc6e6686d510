#include "kernel/console/pager.h"

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "mm/port.h"

#define NONE NR_ARCH_CONSOLES

static const char more[] = "-- more --", no_more[] = "\r\033[K";

static size_t screen = NONE; /* the console that is paged */
static unsigned int cpu;     /* which runs the command */
static unsigned int begun;   /* the screen's nr_lines where this page began */
static bool hidden;          /* nothing more of this command is shown */

static unsigned int lines(void)
{
	return *arch_consoles[screen].nr_lines;
}

void pager_begin(void)
{
	struct console_screen s;

	pager_end();
	if (!arch_input_by_keyboard())
		return;
	for (size_t i = 0; console_next_screen(i, &s); i = s.console + 1)
		if (arch_consoles[s.console].nr_lines)
			screen = s.console;
	cpu = port_cpu_id();
	begun = screen == NONE ? 0 : lines();
}

void pager_end(void)
{
	screen = NONE;
	hidden = false;
}

/* Returns whether a key was typed on the serial line. A terminal's answer is none. */
static bool is_serial(int key)
{
	return key != KEY_NONE && key != KEY_REPORT && !arch_input_by_keyboard();
}

/* Acts on a key at "-- more --". Returns false if it has no meaning there. */
static bool act_on(int key)
{
	if (is_serial(key))
		screen = NONE;
	else if (key == ' ')
		begun = lines();
	else if (key == '\r' || key == '\n')
		begun++;
	else if (key == 'q' || key == CTRL('C'))
		hidden = true;
	else
		return false;
	return true;
}

/* Shows "-- more --" and waits for a key that means something there. Keeps for the prompt what was
   typed before, a Ctrl-C, and a key of the serial line, where "-- more --" is not shown. */
static void ask(void)
{
	size_t asked = screen;
	int key;

	keys_keep();
	hidden = console_interrupted();
	if (hidden)
		return;
	console_write_to(asked, more, sizeof(more) - 1);
	while (!act_on(key = key_poll()))
		console_wait();
	if (key == CTRL('C') || screen == NONE)
		key_keep(key);
	console_write_to(asked, no_more, sizeof(no_more) - 1);
}

/* A part has at most one end of a line and no more characters than a line, so that it begins at
   most one line more than there is room for. */
size_t pager_part(const char *text, size_t length)
{
	size_t part = 0;

	if (screen == NONE || hidden || cpu != port_cpu_id() ||
	    !(port_may_wait() || console_is_polling()))
		return length;
	if (lines() - begun + 1 >= arch_consoles[screen].rows)
		ask();
	if (screen == NONE)
		return length;
	while (part < length && part < arch_consoles[screen].columns)
		if (text[part++] == '\n')
			break;
	return part;
}

bool pager_hides(size_t console)
{
	return hidden && console == screen;
}
