/*
 * port_config.h: the configuration of mm/ in a test that uses sim/schedules.h. It puts calls of the
 * test where the other CPU may go on: test_pin() and test_unpin(), between which a frame cache is
 * used, and before each atomic operation. A CPU that waits calls test_relax().
 */
#ifndef TESTS_HOST_PORT_CONFIG_H
#define TESTS_HOST_PORT_CONFIG_H

#define MM_PIN()         test_pin()
#define MM_UNPIN(cookie) test_unpin(cookie)
#define MM_CPU_RELAX()   test_relax()

unsigned long test_pin(void);
void test_unpin(unsigned long cookie);
void test_relax(void);

void before_atomic(void); /* one that writes */
void before_load(void);

/* Within its own expansion a macro's name means the compiler's builtin. */
#define __atomic_load_n(...)             (before_load(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...)            (before_atomic(), __atomic_store_n(__VA_ARGS__))
#define __atomic_exchange_n(...)         (before_atomic(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) (before_atomic(), __atomic_compare_exchange_n(__VA_ARGS__))
#define __atomic_fetch_add(...)          (before_atomic(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...)          (before_atomic(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_fetch_or(...)           (before_atomic(), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_and_fetch(...)          (before_atomic(), __atomic_and_fetch(__VA_ARGS__))

#endif
