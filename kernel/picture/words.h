/*
 * words.h: describes in words what lies under the picture's cursor.
 *
 *     [mem 0x200000-0x2fffff] 1 MiB, DMA; block 0x200: 389 of 512 free
 *     free 133, kernel 123
 *     E820: entry 3 usable; corrected 3 [mem 0x100000-0x7fdffff] usable
 *     memblock: memory 1 [mem 0x100000-0x7fdffff]
 *     memblock: reserved 2 [mem 0x200000-0x27afff]
 *
 * On a machine with several nodes the first line names those of the range: "1 MiB, DMA, node 0;".
 * Where several entries touch the range, the first is shown and the number of the others. For a
 * single frame the second line also has what its descriptor says.
 */
#ifndef KERNEL_PICTURE_WORDS_H
#define KERNEL_PICTURE_WORDS_H

#include "include/e820.h"
#include "kernel/picture/screen.h"

/* Fills words for the frames [start, end). raw: the nr_raw entries as the firmware gave them. */
void picture_describe(struct picture_words *words, pfn_t start, pfn_t end,
		      const struct e820_entry *raw, uint32_t nr_raw);

#endif
