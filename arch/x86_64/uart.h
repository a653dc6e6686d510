/*
 * uart.h: the first serial port, 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#ifndef ARCH_X86_64_UART_H
#define ARCH_X86_64_UART_H

#include <stdbool.h>

/* False when there is no UART: nothing of this is ever waited for then. */
bool uart_init(void);

void uart_put(char c);

/* Until the last bit has left, or 100 ms. */
void uart_flush(void);

/* Moves what has come into the input ring, while that has room. Interrupts off. */
void uart_receive(void);

/* An interrupt for what comes from now on. */
void uart_enable_interrupt(void);

#endif
