#include "kernel/console/console.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/x86_64/arch.h"
#include "kernel/options.h"
#include "lib/format.h"
#include "lib/string.h"

static bool present[NR_ARCH_CONSOLES];
static bool in_use[NR_ARCH_CONSOLES];
static size_t writing = NR_ARCH_CONSOLES; /* the console being written to; NR_…: none */
static void (*wait)(void) = arch_idle;    /* between two looks for input */

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

void console_write_to(size_t console, const char *text, size_t length)
{
	writing = console;
	for (size_t i = 0; in_use[console] && i < length; i++)
		arch_consoles[console].put(text[i]);
	writing = NR_ARCH_CONSOLES;
}

void console_write(const char *text, size_t length)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		console_write_to(i, text, length);
}

bool console_next_screen(size_t console, struct console_screen *screen)
{
	for (size_t i = console; i < NR_ARCH_CONSOLES; i++) {
		if (!in_use[i] || arch_consoles[i].always)
			continue;
		*screen =
		    (struct console_screen){ i, arch_consoles[i].columns, arch_consoles[i].rows };
		return true;
	}
	return false;
}

void console_drop_failed(void)
{
	if (writing < NR_ARCH_CONSOLES)
		in_use[writing] = false;
}

size_t console_format(char text[CONSOLE_TEXT_SIZE], const char *fmt, va_list ap)
{
	static const char cut[] = " [cut]\n";
	size_t length = (size_t)fmt_vsnprintf(text, CONSOLE_TEXT_SIZE, fmt, ap);

	if (length < CONSOLE_TEXT_SIZE)
		return length;
	memcpy(text + CONSOLE_TEXT_SIZE - sizeof(cut), cut, sizeof(cut));
	return CONSOLE_TEXT_SIZE - 1;
}

int console_printf(const char *fmt, ...)
{
	char text[CONSOLE_TEXT_SIZE];
	size_t length;
	va_list ap;

	va_start(ap, fmt);
	length = console_format(text, fmt, ap);
	va_end(ap);
	console_write(text, length);
	return (int)length;
}

void console_flush(void)
{
	for (size_t i = 0; i < NR_ARCH_CONSOLES; i++)
		if (in_use[i] && arch_consoles[i].flush)
			arch_consoles[i].flush();
}

void console_use_polling(void)
{
	arch_input_early_init();
	wait = arch_relax;
}

bool console_is_polling(void)
{
	return wait == arch_relax;
}

bool console_interrupted(void)
{
	return arch_has_ctrl_c();
}

char console_getc(void)
{
	int c;

	while ((c = arch_getc()) < 0)
		wait();
	return (char)c;
}
