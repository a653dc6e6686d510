/*
 * format.h: formats text into a buffer as printf() does, without the C library.
 *
 *   conversions          %c %s %d %i %u %x %X %p %%
 *   flags                0 (pad with zeros)  - (left-adjust)  # (prefix 0x)
 *   width and precision  a number or *
 *   lengths              hh h l ll z t
 *
 * Their meaning is that of C17, section 7.21.6.1. Where C leaves a choice, %s of a null pointer
 * prints "(null)", and %p prints 0x and hexadecimal digits. A specification that is not supported
 * is copied to the output unchanged, so that the mistake can be seen; the compiler's format
 * warnings find most of them earlier.
 */
#ifndef FIRSTPAGE_LIB_FORMAT_H
#define FIRSTPAGE_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Each formats fmt and its arguments into buf, at most size bytes with the terminating 0, which is
 * always written. With a size of 0 nothing is written, and buf may be null. Returns the length that
 * the whole text has, without the 0: if it is size or more, the text was cut.
 */
__attribute__((format(printf, 3, 0))) int fmt_vsnprintf(char *buf, size_t size, const char *fmt,
							va_list ap);
__attribute__((format(printf, 3, 4))) int fmt_snprintf(char *buf, size_t size, const char *fmt,
						       ...);

/* Casts a 64-bit value for %llu and %llx: uint64_t is unsigned long on some targets. */
#define ULL(x) ((unsigned long long)(x))

#endif
