/*
 * string.c: see string.h. Stage2 and the kernel are linked with it, host programs use the C
 * library.
 *
 * Compile this with -ffreestanding: otherwise the compiler may recognise the loop in memcpy() as
 * memcpy() and make it call itself. An older gcc does so all the same, unless it is also told
 * -fno-tree-loop-distribute-patterns, as disk.img.mk and kernel.mk do; clang refuses that flag.
 * Whole words are copied if both addresses and the size are aligned, as for pages, the most
 * frequent case. Do not use these functions on device memory: they access it in units of their own
 * choice.
 */
#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

/* A word that may alias objects of any type, as char may. */
typedef unsigned long __attribute__((may_alias)) word_t;

static bool word_aligned(const void *a, const void *b, size_t size)
{
	return (((uintptr_t)a | (uintptr_t)b | size) & (sizeof(word_t) - 1)) == 0;
}

void *memcpy(void *dest, const void *src, size_t size)
{
	if (word_aligned(dest, src, size)) {
		word_t *to = dest;
		const word_t *from = src;

		for (size_t i = 0; i < size / sizeof(word_t); i++)
			to[i] = from[i];
	} else {
		unsigned char *to = dest;
		const unsigned char *from = src;

		for (size_t i = 0; i < size; i++)
			to[i] = from[i];
	}
	return dest;
}

void *memmove(void *dest, const void *src, size_t size)
{
	unsigned char *to = dest;
	const unsigned char *from = src;

	/* Copying upward is wrong only if dest lies inside the source. */
	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(dest, src, size);
	if (word_aligned(dest, src, size)) {
		for (size_t i = size / sizeof(word_t); i-- > 0;)
			((word_t *)dest)[i] = ((const word_t *)src)[i];
	} else {
		while (size-- > 0)
			to[size] = from[size];
	}
	return dest;
}

/* Weak, so that another memset() can replace it: the kernel links arch/x86_64/memset.asm. */
__attribute__((weak)) void *memset(void *dest, int value, size_t size)
{
	if (word_aligned(dest, dest, size)) {
		word_t *to = dest;
		word_t pattern = ~(word_t)0 / 0xff * (unsigned char)value;

		for (size_t i = 0; i < size / sizeof(word_t); i++)
			to[i] = pattern;
	} else {
		unsigned char *to = dest;

		for (size_t i = 0; i < size; i++)
			to[i] = (unsigned char)value;
	}
	return dest;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t length = 0;

	while (s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
		if (!a[i])
			break;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}
