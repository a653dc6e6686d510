/*
 * string.h: those memory and string functions of the C library that this project calls.
 *
 * Names, arguments and meaning are those of C17, section 7.24. The compiler may also generate calls
 * of the first four. The header is included as "lib/string.h", so it does not hide the C library's
 * <string.h>; a file may include both.
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
