/* stdlib.h: memory, numbers, and the end of a run. */
#ifndef TOOLS_PAGE_LIBC_STDLIB_H
#define TOOLS_PAGE_LIBC_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t nr, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);

unsigned long strtoul(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);

void qsort(void *array, size_t nr, size_t size, int (*compare)(const void *, const void *));

__attribute__((__noreturn__)) void abort(void);
__attribute__((__noreturn__)) void exit(int status);

#endif
