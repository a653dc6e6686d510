/*
 * port_pin.h: mm/port.h's port_pin() and port_unpin() for test_interleave.c, included first: they
 * are where a use of a frame cache begins and ends.
 */
#ifndef TESTS_HOST_PORT_PIN_H
#define TESTS_HOST_PORT_PIN_H

#define PORT_PIN

void port_pin(void);
void port_unpin(void);

#endif
