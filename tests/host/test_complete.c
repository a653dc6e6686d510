/*
 * test_complete.c: tests what Tab finds at the prompt (kernel/monitor/complete.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/monitor/complete.h"

/* A complete_fn: commands, of which one has words at its second place and from there on. */
static const char *words(const char *command, int nr, size_t i)
{
	static const char *const commands[] = { "alloc", "map", "memtest", "memblock", "maps" };
	static const char *const flags[] = { "DMA32", "DMA", "ZERO" };

	if (!nr) {
		assert_string_equal(command, "");
		return i < 5 ? commands[i] : NULL;
	}
	return !strcmp(command, "alloc") && nr > 1 && i < 3 ? flags[i] : NULL;
}

/*
 * Demands what is found behind text: the words, separated by blanks, and how many characters they
 * have in common. The sanitizer reports a read beyond text, which no 0 ends.
 */
static void finds(const char *text, const char *expected, size_t common)
{
	size_t length = strlen(text), used = 0;
	char *copy = malloc(length + 1), found[100] = "";
	struct completion c;

	assert_non_null(copy);
	for (size_t i = 0; i < length; i++)
		copy[i] = text[i];
	copy[length] = 'm'; /* behind the cursor: it must not count */
	complete(&c, copy, length, words);
	for (size_t i = 0; i < c.count; i++)
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", i ? " " : "",
					 completion_word(&c, i));
	assert_null(completion_word(&c, c.count));
	assert_string_equal(found, expected);
	assert_int_equal(c.common, common);
	if (c.count)
		assert_memory_equal(c.first, expected, c.common);
	free(copy);
}

static void commands(void **state)
{
	(void)state;
	finds("", "alloc map memtest memblock maps", 0);
	finds("  ", "alloc map memtest memblock maps", 0);
	finds("m", "map memtest memblock maps", 1);
	finds("\tme", "memtest memblock", 3);
	finds("memt", "memtest", 7);
	finds("memtest", "memtest", 7);
	finds("memtests", "", 0);
	finds("x", "", 0);
	finds("map;", "alloc map memtest memblock maps", 0);
	finds("x; alloc 1;memt", "memtest", 7);
}

static void arguments(void **state)
{
	(void)state;
	finds("alloc ", "", 0);
	finds("alloc 3 ", "DMA32 DMA ZERO", 0);
	finds("alloc \t 3  D", "DMA32 DMA", 3);
	finds("alloc 3 DMA3", "DMA32", 5);
	finds("alloc 3 ZERO DMA3", "DMA32", 5);
	finds("map 3 ", "", 0);
	finds("allocallocallocalloc 3 ", "", 0);
	finds("allo 3 ", "", 0);
}

static void joined_words(void **state)
{
	(void)state;
	finds("alloc 3 DMA|", "DMA32 DMA ZERO", 0);
	finds("alloc 3 DMA|Z", "ZERO", 4);
	finds("alloc 3 DMA||D", "DMA32 DMA", 3);
	finds("alloc 3 DMA| Z", "ZERO", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(arguments),
		cmocka_unit_test(joined_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("complete", tests, NULL, NULL);
}
