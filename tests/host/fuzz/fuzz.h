/*
 * fuzz.h: what the fuzzers share: their entry, a judgement, and bytes that never run out.
 */
#ifndef TESTS_HOST_FUZZ_FUZZ_H
#define TESTS_HOST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with each input; it returns 0 or does not return. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What does not hold is a finding. */
#define FUZZ_CHECK(holds)                                                                   \
	do {                                                                                \
		if (!(holds)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                            \
		}                                                                           \
	} while (0)

/* An input that is read piece by piece; behind its end are zeros. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes as a number, low byte first; count at most 8. */
static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned int count)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < count && input->left > 0; i++, input->left--)
		value |= (uint64_t)*input->at++ << 8 * i;
	return value;
}

/* Memory of its own, so that the sanitizer sees a step beyond; of nothing: one byte. */
static inline void *fuzz_alloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

static inline void *fuzz_copy(const void *bytes, size_t size)
{
	void *copy = fuzz_alloc(size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

#endif
