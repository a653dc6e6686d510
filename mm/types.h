/*
 * types.h: the units of memory. Plain macros and typedefs, safe beside the C library's headers.
 */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t phys_addr_t; /* a physical address: never an int, never a pointer */
typedef uint64_t pfn_t;       /* a frame number: phys_addr_t >> PAGE_SHIFT */

/* A function like printf(), for what describes itself: to the log, a console or a file. */
typedef int (*print_fn)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define PHYS_ADDR_MAX (~(phys_addr_t)0)

/*
 * Children of a node of the allocator, as a power of two: 512, as in the processor's page tables.
 * A block is one node of frames (2 MiB), a region one node of blocks (1 GiB). Tests build with
 * less.
 */
#ifndef MM_BITMAP_SHIFT
#define MM_BITMAP_SHIFT 9
#endif
#define MAX_PAGE_ORDER (2 * MM_BITMAP_SHIFT)

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#endif
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & ~((phys_addr_t)PAGE_SIZE - 1))
#endif

/* Without overflow for every phys_addr_t: PFN_UP of the last byte does not wrap to 0. */
#define PFN_DOWN(x) ((phys_addr_t)(x) >> PAGE_SHIFT)
#define PFN_UP(x)   (PFN_DOWN(x) + (((phys_addr_t)(x) & (PAGE_SIZE - 1)) != 0))
#define PFN_PHYS(x) ((phys_addr_t)(x) << PAGE_SHIFT)
#define PHYS_PFN(x) PFN_DOWN(x)

#endif
