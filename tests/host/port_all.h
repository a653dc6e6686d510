/*
 * port_all.h: the configuration of mm/ in test_port, where it defines all that mm/port.h lists; and
 * in test_port_plain, compiled with TEST_PORT_PLAIN, where it has two addresses that are variables,
 * and limits, and mm/ calls functions for the rest.
 */
#ifndef TESTS_HOST_PORT_ALL_H
#define TESTS_HOST_PORT_ALL_H

#include <stdbool.h>
#include <stdint.h>

#define MM_ALLOW_SSE
#define MM_PAGE_SHIFT  12
#define MM_MAX_CPUS    3
#define MM_STATIC_CPUS 1

#ifdef TEST_PORT_PLAIN

#define MM_MAX_PFN ((uint64_t)1 << 20) /* 4 GiB, where the test's RAM ends */

/* Expressions, without parentheses. */
extern uintptr_t test_direct_map, test_mem_map;
#define MM_DIRECT_MAP    test_direct_map - 0x1000
#define MEM_MAP_BASE     test_mem_map - 0x2000

/* The test's functions get the names that mm/ then calls. */
#define test_cpu_id      port_cpu_id
#define test_irq_save    port_irq_save
#define test_irq_restore port_irq_restore
#define test_log         printk
#define test_panic       panic

#else

#define MM_MAX_PFN                        ((uint64_t)1 << 21) /* 8 GiB */

#define MEM_MAP_BASE                      0
#define MM_PHYS_TO_VIRT(phys)             test_phys_to_virt(phys)
#define MM_VIRT_TO_PHYS(virt)             test_virt_to_phys(virt)
#define MM_PFN_TO_PAGE(pfn)               test_pfn_to_page(pfn)
#define MM_PAGE_TO_PFN(page)              test_page_to_pfn(page)

#define MM_CPU_ID()                       test_cpu_id()
#define MM_IRQ_SAVE()                     test_irq_save()
#define MM_IRQ_RESTORE(flags)             test_irq_restore(flags)
#define MM_PIN()                          test_pin()
#define MM_UNPIN(cookie)                  test_unpin(cookie)
#define MM_CPU_RELAX()                    test_panic("the only thread waits")

#define MM_LOCK                           struct test_lock
#define MM_LOCK_IRQSAVE(lock)             test_lock_irqsave(lock)
#define MM_UNLOCK_IRQRESTORE(lock, flags) test_unlock_irqrestore(lock, flags)
#define MM_LOCK_IS_TAKEN(lock)            ((lock)->next != (lock)->serving)

#define MM_LOG(...)                       test_log(__VA_ARGS__)
#define MM_PANIC(...)                     test_panic(__VA_ARGS__)

void *test_phys_to_virt(uint64_t phys);
uint64_t test_virt_to_phys(const volatile void *virt);
void *test_pfn_to_page(uint64_t pfn);
uint64_t test_page_to_pfn(const void *page);

#endif

/* A lock that is taken by a ticket. */
struct test_lock {
	uint16_t next, serving;
	uint64_t holds;
};

unsigned int test_cpu_id(void);
unsigned long test_irq_save(void);
void test_irq_restore(unsigned long flags);
unsigned long test_pin(void);
void test_unpin(unsigned long cookie);
unsigned long test_lock_irqsave(struct test_lock *lock);
void test_unlock_irqrestore(struct test_lock *lock, unsigned long flags);
int test_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void test_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
