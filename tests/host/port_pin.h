/*
 * port_pin.h: included first in test_interleave.c and all of mm/, it puts calls of the test where
 * the other CPU may go on: port_pin() and port_unpin(), between which a frame cache is used, and
 * before each atomic store and compare-and-exchange. A CPU that waits calls port_cpu_relax().
 */
#ifndef TESTS_HOST_PORT_PIN_H
#define TESTS_HOST_PORT_PIN_H

#define PORT_PIN
#define PORT_RELAX

void port_pin(void);
void port_unpin(void);
void port_cpu_relax(void);

void before_atomic(void);

/* Within its own expansion a macro's name means the compiler's builtin. */
#define __atomic_store_n(...)            (before_atomic(), __atomic_store_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) (before_atomic(), __atomic_compare_exchange_n(__VA_ARGS__))

#endif
