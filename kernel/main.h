/*
 * main.h: where arch/x86_64/entry.asm hands over.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

#include "mm/types.h"

/* boot_info_phys: where the loader left include/boot_info.h's block. */
__attribute__((noreturn)) void start_kernel(phys_addr_t boot_info_phys);

#endif
