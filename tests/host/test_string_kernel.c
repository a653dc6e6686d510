/*
 * test_string_kernel.c: tests the kernel's memcpy(), memmove() and memset() at every alignment and
 * overlap, byte by byte.
 *
 * lib/string.c and arch/x86_64/memset.asm are linked into the program, so that their functions are
 * called instead of the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/string.h"

#define ROOM     160
#define MAX_SIZE 72 /* several words of 4 or 8 bytes, and a remainder */

static unsigned char memory[ROOM], expected[ROOM];

static void fill_both(void)
{
	for (unsigned int i = 0; i < ROOM; i++)
		memory[i] = expected[i] = (unsigned char)(i * 7 + 1);
}

static void check(unsigned int a, unsigned int b, unsigned int size)
{
	for (unsigned int i = 0; i < ROOM; i++)
		if (memory[i] != expected[i])
			fail_msg("byte %u is wrong after a call with %u, %u, %u bytes", i, a, b,
				 size);
}

static void moves(void **state)
{
	(void)state;
	for (unsigned int to = 0; to < 80; to++)
		for (unsigned int from = 0; from < 80; from++)
			for (unsigned int size = 0; size <= MAX_SIZE; size++) {
				unsigned char copy[MAX_SIZE];

				fill_both();
				for (unsigned int i = 0; i < size; i++)
					copy[i] = expected[from + i];
				for (unsigned int i = 0; i < size; i++)
					expected[to + i] = copy[i];
				assert_ptr_equal(memmove(memory + to, memory + from, size),
						 memory + to);
				check(to, from, size);
			}
}

static void copies(void **state)
{
	(void)state;
	for (unsigned int to = 0; to < 8; to++)
		for (unsigned int from = 80; from < 88; from++)
			for (unsigned int size = 0; size <= MAX_SIZE; size++) {
				fill_both();
				for (unsigned int i = 0; i < size; i++)
					expected[to + i] = expected[from + i];
				assert_ptr_equal(memcpy(memory + to, memory + from, size),
						 memory + to);
				check(to, from, size);
			}
}

/* Only the low byte of the value counts. */
static void sets(void **state)
{
	static const int values[] = { 0, 1, 0x80, 0xa5, 0xff, 0x1234, -1 };

	(void)state;
	for (unsigned int to = 0; to < 16; to++)
		for (unsigned int size = 0; size <= MAX_SIZE; size++)
			for (unsigned int v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
				fill_both();
				for (unsigned int i = 0; i < size; i++)
					expected[to + i] = (unsigned char)values[v];
				assert_ptr_equal(memset(memory + to, values[v], size), memory + to);
				check(to, v, size);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(copies),
		cmocka_unit_test(sets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
