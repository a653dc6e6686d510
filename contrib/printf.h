/* SPDX-License-Identifier: MIT */
/*
 * printf.h: formatted output for printk(), panic() and port_site_name().
 *
 * It supports what mm/ prints and little more. mm/ uses these:
 *
 *   %s %d %u %x %02x %lu %lx %llu %llx %016llx %#llx
 *
 * Supported are the conversions s, d, u, x and %; before d, u and x the lengths l and ll, the flags
 * 0 (pad with zeros) and # (0x before a hexadecimal number that is not 0), and a width. They mean
 * what they mean in C. A conversion that is not supported, such as %p or %-5d, is copied to the
 * output with all that follows it, because no later conversion could find its argument.
 *
 * The functions have no data of their own: any CPU and any handler may call them at any time.
 */
#ifndef CONTRIB_PRINTF_H
#define CONTRIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* Calls put(to, c) for each character of the text. Returns the number of characters. */
__attribute__((__format__(__printf__, 3, 0))) int vprint_to(void (*put)(void *to, char c), void *to,
							    const char *fmt, va_list ap);

/*
 * Write the text to text, at most size bytes with the terminating 0, which is always written: size
 * is 1 or more. Return the length of the whole text; if it is size or more, the text was cut.
 */
__attribute__((__format__(__printf__, 3, 4))) int print_text(char *text, size_t size,
							     const char *fmt, ...);
__attribute__((__format__(__printf__, 3, 0))) int vprint_text(char *text, size_t size,
							      const char *fmt, va_list ap);

#endif
