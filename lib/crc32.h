/*
 * crc32.h: the CRC that guards stage2, KERNEL.ELF and boot_info against damage.
 *
 * IEEE 802.3: polynomial 04C11DB7h, reflected, initial value and final XOR FFFFFFFFh. The CRC of
 * "123456789" is CBF43926h. The same as zlib's, so Python's zlib.crc32() computes it in scripts.
 */
#ifndef FIRSTPAGE_LIB_CRC32_H
#define FIRSTPAGE_LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of size bytes. About 10 instructions a byte. */
uint32_t crc32(const void *data, size_t size);

/* Continues: crc32_update(crc32(a, n), b, m) is the CRC of a followed by b; of nothing it is 0. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
