/*
 * log.h: the kernel's log, the last 64 KiB of text that printk() was given.
 *
 * printk() itself is declared by mm/port.h, since mm/ uses it; it writes to the consoles, too.
 */
#ifndef KERNEL_CONSOLE_LOG_H
#define KERNEL_CONSOLE_LOG_H

#include "mm/port.h"

/* Writes the log to the consoles, the oldest line first: the command `dmesg`. */
void log_show(void);

#endif
