/*
 * place.h: prints where a CPU is: its registers, and the calls that led there. dump_stack(), which
 * mm/port.h declares, prints the calls alone.
 */
#ifndef KERNEL_PLACE_H
#define KERNEL_PLACE_H

struct trap_frame;

/* Prints the registers in a frame, and the back-trace from it. */
void place_print(const struct trap_frame *frame);

#endif
