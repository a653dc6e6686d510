/* SPDX-License-Identifier: MIT */
/*
 * types.h: the units of memory: addresses, frame numbers, pages. It holds macros and typedefs
 * alone, so that it can be included beside the C library's headers. It includes the configuration,
 * so that every header of mm/ knows it.
 */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef MM_PORT_CONFIG
#include MM_PORT_CONFIG /* port.h */
#endif

/* The version of this release: 10203 stands for 1.2.3. */
#define FP_VERSION 100

/* The public headers compile as C11 and later and, inside extern "C", as C++11 and later. */
#ifdef __cplusplus
#define MM_STATIC_ASSERT(cond, message) static_assert(cond, message)
#else
#define MM_STATIC_ASSERT(cond, message) _Static_assert(cond, message)
#endif

typedef uint64_t phys_addr_t; /* a physical address: never an int, never a pointer */
typedef uint64_t pfn_t;       /* a frame number: phys_addr_t >> PAGE_SHIFT */

/* A function like printf(), for what describes itself: to the log, a console or a file. */
typedef int (*print_fn)(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

#define PHYS_ADDR_MAX (~(phys_addr_t)0)

/*
 * Each level of the allocator's bitmaps has 2^MM_BITMAP_SHIFT children: 512, as the processor's
 * page tables have. So a block is 512 frames (2 MiB) and a gib 512 blocks (1 GiB). Some tests build
 * with a smaller value, so that a few dozen frames reach every level.
 */
#ifndef MM_BITMAP_SHIFT
#define MM_BITMAP_SHIFT 9
#endif
#define MAX_PAGE_ORDER (2 * MM_BITMAP_SHIFT)
#define NR_ORDERS      (MAX_PAGE_ORDER + 1)

#ifndef MM_PAGE_SHIFT
#define MM_PAGE_SHIFT 12
#endif
#ifndef PAGE_SHIFT
#define PAGE_SHIFT MM_PAGE_SHIFT
#endif
MM_STATIC_ASSERT(PAGE_SHIFT == MM_PAGE_SHIFT, "a kernel with a PAGE_SHIFT sets MM_PAGE_SHIFT");
#ifndef PAGE_SIZE
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#endif
MM_STATIC_ASSERT(PAGE_SIZE == 1ul << PAGE_SHIFT, "a kernel's PAGE_SIZE is 2^MM_PAGE_SHIFT");
/* Sizes are shifts of it, which would overflow in an int. */
MM_STATIC_ASSERT((PAGE_SIZE)*0 - 1 > INT64_MAX,
		 "a kernel's PAGE_SIZE is an unsigned long, as 4096ul");
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & ~((phys_addr_t)PAGE_SIZE - 1))
#endif

/* None of these overflows for any phys_addr_t: PFN_UP() of the last byte does not wrap to 0. */
#define PFN_DOWN(x) ((phys_addr_t)(x) >> PAGE_SHIFT)
#define PFN_UP(x)   (PFN_DOWN(x) + (((phys_addr_t)(x) & (PAGE_SIZE - 1)) != 0))
#define PFN_PHYS(x) ((phys_addr_t)(x) << PAGE_SHIFT)
#define PHYS_PFN(x) PFN_DOWN(x)

/* ---- private to mm/, but for tests and statistics ---- */

/*
 * Mark what the files of mm/ share and nobody else uses: functions, definitions of objects, and
 * declarations of objects. In one file of all (`make dist`) they are static, but for tests of mm/
 * itself, which define the two macros.
 */
#ifdef MM_INTERNAL
#elif defined(MM_ONE_FILE)
#define MM_INTERNAL      static __attribute__((__unused__))
#define MM_INTERNAL_DATA MM_INTERNAL
#else
#define MM_INTERNAL
#define MM_INTERNAL_DATA extern
#endif

#endif
