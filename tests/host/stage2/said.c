#include "tests/host/stage2/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* after stage2/console.h: it has a macro fail() */

char said[8000];

static bool line_open;
static jmp_buf failed;

__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	size_t used = strlen(said);

	assert_in_range(vsnprintf(said + used, sizeof(said) - used, fmt, ap), 0,
			(int)(sizeof(said) - used - 2));
}

/* Ends a line, for which hear() has left room. */
static void end_line(void)
{
	size_t used = strlen(said);

	said[used] = '\n';
	said[used + 1] = 0;
}

void say_end(void)
{
	if (line_open)
		end_line();
	line_open = false;
}

bool say_is_open(void)
{
	return line_open;
}

void say_more(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
	line_open = true;
}

void say(const char *fmt, ...)
{
	va_list ap;

	say_end();
	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
	end_line();
}

void(fail)(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
	end_line();
	longjmp(failed, 1);
}

bool step_returns(void (*step)(void))
{
	said[0] = 0;
	line_open = false;
	if (setjmp(failed))
		return false;
	step();
	return true;
}

void check_step_fails(void (*step)(void), const char *words)
{
	if (step_returns(step))
		fail_msg("not refused; expected: %s", words);
	assert_string_equal(said, words);
}

void check_step(void (*step)(void), const char *words)
{
	if (!step_returns(step))
		fail_msg("refused: %s", said);
	assert_string_equal(said, words);
}
