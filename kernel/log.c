/*
 * log.c: the last 64 KiB of what printk() said.
 *
 * Lines stand as they were printed, without time stamps: tools that read Linux's dmesg find the
 * memory map at column 0. When the ring has wrapped, its first line is incomplete and left out.
 */
#include "kernel/log.h"

#include <stdarg.h>

#include "kernel/console.h"
#include "lib/format.h"
#include "lib/string.h"

#define LOG_SIZE 65536 /* a power of two */
#define MAX_TEXT 1024  /* of one printk() */

static char ring[LOG_SIZE];
static size_t nr_written; /* runs freely */

static void append(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[nr_written++ % LOG_SIZE] = text[i];
}

int printk(const char *fmt, ...)
{
	char text[MAX_TEXT];
	unsigned long flags = port_irq_save();
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = fmt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	append(text, strlen(text));
	console_write(text, strlen(text));
	port_irq_restore(flags);
	return length;
}

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
