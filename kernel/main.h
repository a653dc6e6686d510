/*
 * main.h: the kernel's first function in C.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

#include "mm/types.h"

/*
 * Boots the kernel and runs the monitor; arch/x86_64/entry.asm calls it once. boot_info_phys is the
 * physical address of the block of include/boot_info.h that the loader has left.
 */
__attribute__((noreturn)) void start_kernel(phys_addr_t boot_info_phys);

#endif
