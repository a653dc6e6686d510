/*
 * format.h: printf-like formatting into a buffer, without the C library.
 *
 * Conversions  %c %s %d %i %u %x %X %p %%
 * Flags        0 (pad with zeros)  - (left-adjust)  # (0x)
 * Width and precision, as numbers or *; lengths hh h l ll z t.
 *
 * Meaning as in C17, section 7.21.6.1, with two choices that C leaves open: %s of a null pointer
 * gives "(null)", %p gives 0x and hexadecimal digits. Anything else is copied as it stands, so a
 * mistake is seen in the output; the compiler refuses most before that.
 */
#ifndef FIRSTPAGE_LIB_FORMAT_H
#define FIRSTPAGE_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes at most size bytes to buf, the terminating 0 included, and terminates always (unless size
 * is 0: then buf may be null). Returns the length the whole text would have: cut when >= size.
 */
__attribute__((format(printf, 3, 0))) int fmt_vsnprintf(char *buf, size_t size, const char *fmt,
							va_list ap);
__attribute__((format(printf, 3, 4))) int fmt_snprintf(char *buf, size_t size, const char *fmt,
						       ...);

/* Casts a 64-bit value for %llu and %llx: uint64_t is unsigned long on some targets. */
#define ULL(x) ((unsigned long long)(x))

#endif
