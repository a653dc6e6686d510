/*
 * crc32.h: the CRC that detects damage of stage2, KERNEL.ELF and boot_info.
 *
 * It is the CRC-32 of IEEE 802.3: polynomial 04C11DB7h, bit-reversed, initial value and final XOR
 * FFFFFFFFh. The CRC of "123456789" is CBF43926h. zlib's is the same, so scripts compute it by
 * Python's zlib.crc32().
 */
#ifndef FIRSTPAGE_LIB_CRC32_H
#define FIRSTPAGE_LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of size bytes. O(size), about 10 instructions per byte. */
uint32_t crc32(const void *data, size_t size);

/*
 * Returns the CRC of earlier bytes, whose CRC is crc, followed by size more bytes:
 * crc32_update(crc32(a, n), b, m) is the CRC of a followed by b. The CRC of no bytes is 0.
 */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
