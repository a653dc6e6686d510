/*
 * port_config.h: the example's configuration of mm/, as MM_PORT_CONFIG. mm/port.h lists all that
 * such a header may define.
 */
#ifndef EXAMPLE_PORT_CONFIG_H
#define EXAMPLE_PORT_CONFIG_H

#include <stdint.h>

/* This kernel is a Linux program, where SSE is allowed. Yours must do without: see the Makefile. */
#define MM_ALLOW_SSE

#ifdef __x86_64__
#define MM_DIRECT_MAP 0x110000000000
#define MEM_MAP_BASE  0x550000000000
#else
#define MM_DIRECT_MAP 0x1000000000
#define MEM_MAP_BASE  0x2000000000
#endif

/*
 * RAM ends at 1 TiB at the latest, so the window of descriptors takes 4 GiB of addresses. Without
 * this limit it takes 256 GiB. On riscv64 with Sv39 a program has no more than that in all, on
 * aarch64 with three levels of tables twice as much.
 */
#define MM_MAX_PFN            ((uint64_t)1 << 28)

/* One CPU, and no interrupts. */
#define MM_CPU_ID()           0
#define MM_IRQ_SAVE()         0
#define MM_IRQ_RESTORE(flags) ((void)(flags))

#endif
