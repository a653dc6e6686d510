/* sys/mman.h: memory.c maps what is looked at, so the simulated machine need not map any. */
#ifndef TOOLS_PAGE_LIBC_SYS_MMAN_H
#define TOOLS_PAGE_LIBC_SYS_MMAN_H

#include <stddef.h>

#define PROT_NONE                                 0
#define PROT_READ                                 1
#define PROT_WRITE                                2
#define MAP_PRIVATE                               0
#define MAP_ANONYMOUS                             0
#define MAP_NORESERVE                             0
#define MAP_FIXED                                 0

#define mmap(at, size, prot, flags, file, offset) ((void)(size), (void)(prot), (void)(flags), (at))
#define mprotect(at, size, prot)                  ((void)(at), (void)(size), (void)(prot), 0)
#define munmap(at, size)                          ((void)(at), (void)(size))

#endif
