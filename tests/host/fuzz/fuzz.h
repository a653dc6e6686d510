/*
 * fuzz.h: what the fuzzers share: the function that libFuzzer calls, a check, and an input that can
 * be read without end.
 */
#ifndef TESTS_HOST_FUZZ_FUZZ_H
#define TESTS_HOST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls this with each input. It returns 0, or ends the program when it finds a fault. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the program, which libFuzzer reports as a finding, unless the condition holds. */
#define FUZZ_CHECK(holds)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* An input that is read piece by piece; after its end, zeros are read. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* Returns the next count bytes, at most 8, as a number, low byte first. */
static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned int count)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < count && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->at++ << 8 * i;
	return value;
}

/* Allocates exactly size bytes (1 for 0), so that the sanitizer reports an access beyond them. */
static inline void *fuzz_alloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

/* Copies size bytes to memory that fuzz_alloc() gives. */
static inline void *fuzz_copy(const void *bytes, size_t size)
{
	void *copy = fuzz_alloc(size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

#endif
