/*
 * libc.c: the few functions of the C library that replay needs. Numbers and strings are formatted
 * by lib/format.c; memcpy() and its like are those of lib/string.c.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "tools/page/engine.h"
#include "tools/page/memory.h"

/* ---- output ---- */

/* Bytes of standard output that JavaScript does not have yet. */
static char waiting[1 << 16];
static size_t nr_waiting;

int fflush(FILE *file)
{
	(void)file;
	js_put(1, waiting, nr_waiting);
	nr_waiting = 0;
	return 0;
}

static void put(FILE *file, const char *text, size_t size)
{
	if (file == stderr) {
		js_put(2, text, size);
		return;
	}
	if (size > sizeof(waiting) - nr_waiting)
		fflush(stdout);
	if (size > sizeof(waiting)) {
		js_put(1, text, size);
		return;
	}
	memcpy(waiting + nr_waiting, text, size);
	nr_waiting += size;
}

int vfprintf(FILE *file, const char *fmt, va_list ap)
{
	static char text[1024];
	va_list again;
	char *longer;
	int n;

	va_copy(again, ap);
	n = fmt_vsnprintf(text, sizeof(text), fmt, ap);
	if (n < (int)sizeof(text)) {
		put(file, text, (size_t)n);
	} else {
		longer = malloc((size_t)n + 1);
		fmt_vsnprintf(longer, (size_t)n + 1, fmt, again);
		put(file, longer, (size_t)n);
		free(longer);
	}
	va_end(again);
	return n;
}

int vprintf(const char *fmt, va_list ap)
{
	return vfprintf(stdout, fmt, ap);
}

int vsnprintf(char *text, size_t size, const char *fmt, va_list ap)
{
	return fmt_vsnprintf(text, size, fmt, ap);
}

int fprintf(FILE *file, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfprintf(file, fmt, ap);
	va_end(ap);
	return n;
}

int printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfprintf(stdout, fmt, ap);
	va_end(ap);
	return n;
}

int snprintf(char *text, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vsnprintf(text, size, fmt, ap);
	va_end(ap);
	return n;
}

int fputc(int c, FILE *file)
{
	char byte = (char)c;

	put(file, &byte, 1);
	return c;
}

int putchar(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *text, FILE *file)
{
	put(file, text, strlen(text));
	return 0;
}

/* There is no error number to be told. */
void perror(const char *what)
{
	fprintf(stderr, "%s\n", what);
}

FILE *fopen(const char *name, const char *mode)
{
	(void)name;
	(void)mode;
	return NULL;
}

size_t fread(void *to, size_t size, size_t nr, FILE *file)
{
	(void)to;
	(void)size;
	(void)nr;
	(void)file;
	return 0;
}

int fclose(FILE *file)
{
	(void)file;
	return 0;
}

void abort(void)
{
	fflush(stdout);
	js_abort();
}

void longjmp(jmp_buf place, int value)
{
	(void)place;
	(void)value;
	js_panic();
}

void exit(int status)
{
	(void)status;
	abort();
}

/* ---- memory ---- */

/* Before each piece that malloc() returns stands its size. Nothing is used twice. */
void *malloc(size_t size)
{
	static char *next, *end;
	size_t whole = (size + 2 * sizeof(size_t) + 15) & ~(size_t)15;
	size_t *head;

	if (!next || (size_t)(end - next) < whole) {
		size_t room = whole > 1 << 18 ? whole : 1 << 18;

		next = page_memory(room);
		end = next + room;
	}
	head = (size_t *)next;
	next += whole;
	head[1] = size;
	return head + 2;
}

void *calloc(size_t nr, size_t size)
{
	return malloc(nr * size); /* new memory is 0 */
}

void *realloc(void *memory, size_t size)
{
	size_t before = memory ? ((size_t *)memory)[-1] : 0;
	void *new = malloc(size);

	memcpy(new, memory, before < size ? before : size);
	return new;
}

void free(void *memory)
{
	(void)memory;
}

/* ---- characters, strings, numbers ---- */

int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

int isupper(int c)
{
	return c >= 'A' && c <= 'Z';
}

int isalpha(int c)
{
	return isupper(c) || (c >= 'a' && c <= 'z');
}

int isalnum(int c)
{
	return isalpha(c) || isdigit(c);
}

int isxdigit(int c)
{
	return isdigit(c) || (tolower(c) >= 'a' && tolower(c) <= 'f');
}

int isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int isprint(int c)
{
	return c >= ' ' && c <= '~';
}

int ispunct(int c)
{
	return isprint(c) && c != ' ' && !isalnum(c);
}

int tolower(int c)
{
	return isupper(c) ? c + 'a' - 'A' : c;
}

void *memchr(const void *at, int c, size_t n)
{
	const unsigned char *bytes = at;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == (unsigned char)c)
			return (void *)(bytes + i);
	return NULL;
}

int strncasecmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		int difference = tolower((unsigned char)*a) - tolower((unsigned char)*b);

		if (difference || !*a)
			return difference;
	}
	return 0;
}

char *strrchr(const char *text, int c)
{
	const char *found = NULL;

	do {
		if (*text == (char)c)
			found = text;
	} while (*text++);
	return (char *)found;
}

char *strstr(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; strlen(text) >= n; text++)
		if (!memcmp(text, part, n))
			return (char *)text;
	return NULL;
}

unsigned long long strtoull(const char *text, char **end, int base)
{
	const char *at = text;
	unsigned long long value = 0;

	while (isspace((unsigned char)*at))
		at++;
	if ((!base || base == 16) && at[0] == '0' && tolower(at[1]) == 'x' &&
	    isxdigit((unsigned char)at[2])) {
		at += 2;
		base = 16;
	}
	base = base ? base : *at == '0' ? 8 : 10;
	for (; isalnum((unsigned char)*at); at++) {
		int digit = isdigit(*at) ? *at - '0' : tolower(*at) - 'a' + 10;

		if (digit >= base)
			break;
		value = value > (~0ull - (unsigned int)digit) / (unsigned int)base
			    ? ~0ull
			    : value * (unsigned int)base + (unsigned int)digit;
	}
	if (end)
		*end = (char *)at;
	return value;
}

unsigned long strtoul(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}

/* Swaps elements of size bytes. */
static void swap(char *a, char *b, size_t size)
{
	for (; size; size--, a++, b++) {
		char byte = *a;

		*a = *b;
		*b = byte;
	}
}

/* Shell's sort: its gaps shrink by half, so that some thousands of elements take no time. */
void qsort(void *array, size_t nr, size_t size, int (*compare)(const void *, const void *))
{
	char *elements = array;

	for (size_t gap = nr / 2; gap; gap /= 2)
		for (size_t i = gap; i < nr; i++)
			for (size_t k = i; k >= gap; k -= gap) {
				char *a = elements + (k - gap) * size, *b = elements + k * size;

				if (compare(a, b) <= 0)
					break;
				swap(a, b, size);
			}
}
