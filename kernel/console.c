/*
 * console.c: the fan-out to the machine's consoles.
 */
#include "kernel/console.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/x86_64/arch.h"
#include "kernel/options.h"
#include "lib/format.h"
#include "lib/string.h"

static bool present[NR_ARCH_CONSOLES];
static bool in_use[NR_ARCH_CONSOLES];
static size_t writing = NR_ARCH_CONSOLES; /* the console that is being written to */

void console_init(void)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		in_use[i] = present[i] = arch_consoles[i].init();
}

static bool is_wanted(const struct arch_console *console, unsigned wanted)
{
	if (strcmp(console->name, "ttyS0") == 0)
		return wanted & OPTION_CONSOLE_TTYS0;
	return wanted & OPTION_CONSOLE_TTY0;
}

/* A machine that cannot show anything helps nobody: naming only absent consoles changes nothing. */
void console_select(unsigned wanted)
{
	bool some = false;

	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		some |=
		    present[i] && !arch_consoles[i].always && is_wanted(&arch_consoles[i], wanted);
	if (!some)
		return;
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		in_use[i] =
		    present[i] && (arch_consoles[i].always || is_wanted(&arch_consoles[i], wanted));
}

void console_write(const char *text, size_t length)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++) {
		writing = i;
		for (size_t j = 0; in_use[i] && j < length; j++)
			arch_consoles[i].put(text[j]);
	}
	writing = NR_ARCH_CONSOLES;
}

void console_drop_failed(void)
{
	if (writing < NR_ARCH_CONSOLES)
		in_use[writing] = false;
}

int console_printf(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = fmt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	console_write(text, strlen(text));
	return length;
}

void console_flush(void)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		if (in_use[i] && arch_consoles[i].flush)
			arch_consoles[i].flush();
}

char console_getc(void)
{
	int c;

	while ((c = arch_getc()) < 0)
		arch_idle();
	return (char)c;
}
