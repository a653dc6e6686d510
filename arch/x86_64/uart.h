/*
 * uart.h: the first serial port, 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#ifndef ARCH_X86_64_UART_H
#define ARCH_X86_64_UART_H

#include <stdbool.h>

/* Sets up the UART. Returns false if there is none; the other functions then do nothing, at once.
 */
bool uart_init(void);

/* Sends a byte. Waits at most about 100 ms for room, and drops the byte then; after three such
   waits in succession the UART counts as absent. */
void uart_put(char c);

/* Waits until the last bit has been sent, at most about 100 ms. */
void uart_flush(void);

/* Moves received bytes into the input ring, as long as that has room. Call with interrupts off. */
void uart_receive(void);

/* Enables the interrupt for received bytes. */
void uart_enable_interrupt(void);

#endif
