#include "tests/host/bench/ns_work.h"

#include <stdatomic.h>

#include "mm/gfp.h"
#include "tests/host/peers/lists.h"

#define RING          256
#define always_inline inline __attribute__((always_inline))

uint32_t ns_nr;
uint32_t *ns_places;
struct step *ns_steps;

static always_inline void *take(enum which which, unsigned int order)
{
	void *page;

	if (which == LISTS)
		return lists_alloc(order);
	if (which == OURS && __builtin_constant_p(order) && !order)
		return alloc_page(GFP_KERNEL);
	if (which == OURS)
		return alloc_pages(GFP_KERNEL, order);
	__asm__ volatile("" : "=r"(page) : "r"(order));
	return page;
}

static always_inline void give(enum which which, void *page, unsigned int order)
{
	if (which == LISTS)
		lists_free(page, order);
	else if (which == OURS && __builtin_constant_p(order) && !order)
		__free_page(page);
	else if (which == OURS)
		__free_pages(page, order);
	else
		__asm__ volatile("" : : "r"(page), "r"(order) : "memory");
}

/* Defines name[], the three kinds of a function, whose arguments after the first two are given. */
#define OF_THREE_KINDS(name, function, ...)                                   \
	__attribute__((noinline)) static void name##_ours(struct hand *hand)  \
	{                                                                     \
		function(OURS, hand, __VA_ARGS__);                            \
	}                                                                     \
	__attribute__((noinline)) static void name##_lists(struct hand *hand) \
	{                                                                     \
		function(LISTS, hand, __VA_ARGS__);                           \
	}                                                                     \
	__attribute__((noinline)) static void name##_empty(struct hand *hand) \
	{                                                                     \
		function(EMPTY, hand, __VA_ARGS__);                           \
	}                                                                     \
	work_fn *const name[NR_WHICH] = { name##_ours, name##_lists, name##_empty }

static always_inline void pairs(enum which which, struct hand *hand, unsigned int order)
{
	(void)hand;
	for (uint32_t i = 0; i < ns_nr; i++)
		give(which, take(which, order), order);
}

OF_THREE_KINDS(pair0, pairs, 0);
OF_THREE_KINDS(pair3, pairs, 3);
OF_THREE_KINDS(pair9, pairs, 9);

static always_inline void take_many(enum which which, struct hand *hand, unsigned int order)
{
	void **held = hand->held;

	for (uint32_t i = 0; i < ns_nr; i++)
		held[i] = take(which, order);
}

static always_inline void take_shuffled(enum which which, struct hand *hand, unsigned int order)
{
	for (uint32_t i = 0; i < ns_nr; i++)
		hand->held[ns_places[i]] = take(which, order);
}

static always_inline void give_many(enum which which, struct hand *hand, unsigned int order)
{
	void **held = hand->held;

	for (uint32_t i = 0; i < ns_nr; i++)
		give(which, held[i], order);
}

OF_THREE_KINDS(take0, take_many, 0);
OF_THREE_KINDS(take0_shuffled, take_shuffled, 0);
OF_THREE_KINDS(give0, give_many, 0);

static always_inline void replace(enum which which, struct hand *hand, unsigned int order)
{
	void **held = hand->held;

	for (uint32_t i = 0; i < ns_nr; i++) {
		void **place = &held[ns_steps[i].place];

		give(which, *place, order);
		*place = take(which, order);
	}
}

OF_THREE_KINDS(replace0, replace, 0);
OF_THREE_KINDS(replace3, replace, 3);
OF_THREE_KINDS(replace9, replace, 9);

/* With orders that differ. A request may fail, and then its place is empty. */
static always_inline void replace_any(enum which which, struct hand *hand, int unused)
{
	(void)unused;
	for (uint32_t i = 0; i < ns_nr; i++) {
		struct step step = ns_steps[i];
		void **place = &hand->held[step.place];

		if (which == EMPTY || *place)
			give(which, *place, step.old_order);
		*place = take(which, step.order);
		if (which != EMPTY && !*place)
			hand->failed++;
	}
}

OF_THREE_KINDS(replace_mixed, replace_any, 0);

/* One CPU passes allocations to the other. Each side keeps what it last saw of the other's count.
 */
static struct {
	_Alignas(MM_LINE) atomic_ulong in;
	unsigned long seen_out;
	_Alignas(MM_LINE) atomic_ulong out;
	unsigned long seen_in;
	_Alignas(MM_LINE) void *slot[RING];
} ring;

static always_inline void ring_put(unsigned long n, void *page)
{
	unsigned int spins = 0;

	while (n - ring.seen_out == RING) {
		ring.seen_out = atomic_load_explicit(&ring.out, memory_order_acquire);
		if (n - ring.seen_out == RING)
			wait_a_little(&spins);
	}
	ring.slot[n % RING] = page;
	atomic_store_explicit(&ring.in, n + 1, memory_order_release);
}

static always_inline void *ring_get(unsigned long n)
{
	unsigned int spins = 0;
	void *page;

	while (ring.seen_in == n) {
		ring.seen_in = atomic_load_explicit(&ring.in, memory_order_acquire);
		if (ring.seen_in == n)
			wait_a_little(&spins);
	}
	page = ring.slot[n % RING];
	atomic_store_explicit(&ring.out, n + 1, memory_order_release);
	return page;
}

static always_inline void send(enum which which, struct hand *hand, unsigned int order)
{
	unsigned long at = atomic_load_explicit(&ring.in, memory_order_relaxed);

	(void)hand;
	for (uint32_t i = 0; i < ns_nr; i++)
		ring_put(at + i, take(which, order));
}

static always_inline void receive(enum which which, struct hand *hand, unsigned int order)
{
	unsigned long at = atomic_load_explicit(&ring.out, memory_order_relaxed);

	(void)hand;
	for (uint32_t i = 0; i < ns_nr; i++)
		give(which, ring_get(at + i), order);
}

OF_THREE_KINDS(send0, send, 0);
OF_THREE_KINDS(send3, send, 3);
OF_THREE_KINDS(receive0, receive, 0);
OF_THREE_KINDS(receive3, receive, 3);
