/*
 * log.h: the kernel's log: printk() (mm/port.h) puts it into a ring and on the consoles.
 */
#ifndef KERNEL_CONSOLE_LOG_H
#define KERNEL_CONSOLE_LOG_H

#include "mm/port.h"

/* Shows what the ring holds, oldest first: `dmesg`. */
void log_show(void);

#endif
