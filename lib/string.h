/*
 * string.h: the C library's memory and string functions, as far as they have callers here.
 *
 * Same names, arguments and meaning as C17, section 7.24; a compiler may also emit calls of the
 * first four by itself. Included as "lib/string.h", so it never hides the C library's <string.h>,
 * and beside that header the declarations agree.
 */
#ifndef FIRSTPAGE_LIB_STRING_H
#define FIRSTPAGE_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *dest, const void *src, size_t size);
void *memmove(void *dest, const void *src, size_t size);
void *memset(void *dest, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *s, int c);

#endif
