/*
 * log.c: the log is a ring of characters.
 *
 * Lines are kept as they were printed, without time stamps, so that tools that read the output of
 * Linux's dmesg find the memory map at column 0. When the ring has wrapped, its oldest line is
 * incomplete and is not shown.
 */
#include "kernel/console/log.h"

#include <stdarg.h>

#include "kernel/console/console.h"

#define LOG_SIZE 65536 /* a power of two */

static char ring[LOG_SIZE];
static size_t nr_written; /* since boot; its remainder by LOG_SIZE is where the next one goes */

static void append(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[nr_written++ % LOG_SIZE] = text[i];
}

int printk(const char *fmt, ...)
{
	char text[CONSOLE_TEXT_SIZE];
	unsigned long flags;
	va_list ap;
	size_t length;

	va_start(ap, fmt);
	length = console_format(text, fmt, ap);
	va_end(ap);
	console_lock();
	flags = port_irq_save(); /* an interrupt handler may print, too */
	append(text, length);
	port_irq_restore(flags);
	console_write(text, length);
	console_unlock();
	return (int)length;
}

/* Returns the number, as in nr_written, of the first character of the oldest complete line. */
static size_t first_whole_line(void)
{
	size_t at;

	if (nr_written <= LOG_SIZE)
		return 0;
	for (at = nr_written - LOG_SIZE; at < nr_written; at++)
		if (ring[at % LOG_SIZE] == '\n')
			return at + 1;
	return at;
}

void log_show(void)
{
	for (size_t at = first_whole_line(); at < nr_written; at++)
		console_write(&ring[at % LOG_SIZE], 1);
}
