#include "tests/host/peers/lists.h"

#define NR_CPU_LISTS  5
#define LARGEST_ORDER 9 /* of the runs in CPU lists: a large page */

static struct {
	port_lock_t lock;
	uint32_t filled; /* bit k: the list of order k is not empty */
	uint64_t nr_free;
	struct lists_page *base;
	uint64_t nr_frames;
	struct lists_link runs[LISTS_MAX_ORDER + 1];
} zone __attribute__((aligned(MM_LINE)));

struct cpu_list {
	struct lists_link runs; /* the one freed last comes first */
	uint32_t count;
	uint32_t high;
	uint32_t batch;
};

static struct cpu_lists {
	bool busy;
	struct cpu_list list[NR_CPU_LISTS];
} __attribute__((aligned(MM_LINE))) cpus[MM_MAX_CPUS];

static inline void list_init(struct lists_link *list)
{
	list->next = list->prev = list;
}

static inline bool list_is_empty(const struct lists_link *list)
{
	return list->next == list;
}

static inline void list_insert(struct lists_link *link, struct lists_link *prev,
			       struct lists_link *next)
{
	link->next = next;
	link->prev = prev;
	prev->next = link;
	next->prev = link;
}

static inline void list_remove(const struct lists_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
}

/* Returns the descriptor that a link is in: it is the first thing in it. */
static inline struct lists_page *page_of(struct lists_link *link)
{
	return (struct lists_page *)link;
}

/* Returns the index of the CPU list of this order, or NR_CPU_LISTS when there is none. */
static inline unsigned int list_of(unsigned int order)
{
	if (order < NR_CPU_LISTS - 1)
		return order;
	return order == LARGEST_ORDER ? NR_CPU_LISTS - 1 : NR_CPU_LISTS;
}

static inline unsigned int order_of(unsigned int list)
{
	return list < NR_CPU_LISTS - 1 ? list : LARGEST_ORDER;
}

/* Puts a run in the zone's list. The lock is held. */
static inline void put_run(struct lists_page *page, unsigned int order)
{
	struct lists_link *list = &zone.runs[order];

	page->state = LISTS_FREE;
	page->order = (uint8_t)order;
	list_insert(&page->link, list, list->next);
	zone.filled |= 1u << order;
}

/* Takes a free run of this order out of the zone's list. The lock is held. */
static inline void remove_run(struct lists_page *page, unsigned int order)
{
	list_remove(&page->link);
	page->state = LISTS_INSIDE;
	if (list_is_empty(&zone.runs[order]))
		zone.filled &= ~(1u << order);
}

/*
 * Takes a run of this order from the smallest that there is, whose other parts stay free. Returns
 * NULL when there is none. The lock is held.
 */
static inline struct lists_page *split_smallest(unsigned int order)
{
	uint32_t filled = zone.filled >> order;
	struct lists_page *page;
	unsigned int from;

	if (!filled)
		return NULL;
	from = order + (unsigned int)__builtin_ctz(filled);
	page = page_of(zone.runs[from].next);
	remove_run(page, from);
	while (from > order) {
		from--;
		put_run(page + (1ull << from), from);
	}
	return page;
}

/* Frees a run to the zone, merged with as many buddies as are free. The lock is held. */
static inline void merge(struct lists_page *page, unsigned int order)
{
	uint64_t frame = (uint64_t)(page - zone.base);

	page->state = LISTS_INSIDE; /* until it is known which run it belongs to */
	for (; order < LISTS_MAX_ORDER; order++) {
		uint64_t other = frame ^ 1ull << order;
		struct lists_page *buddy = zone.base + other;

		if (other >= zone.nr_frames || buddy->state != LISTS_FREE || buddy->order != order)
			break;
		remove_run(buddy, order);
		frame &= other;
	}
	put_run(zone.base + frame, order);
}

/* Fills an empty CPU list with a batch of runs, so that they leave it in the order they came. */
static void refill(struct cpu_list *list, unsigned int order)
{
	unsigned long flags = port_lock_irqsave(&zone.lock);
	uint32_t nr = 0;

	while (nr < list->batch) {
		struct lists_page *page = split_smallest(order);

		if (!page)
			break;
		page->state = LISTS_CACHED;
		page->order = (uint8_t)order;
		list_insert(&page->link, list->runs.prev, &list->runs);
		nr++;
	}
	zone.nr_free -= (uint64_t)nr << order;
	port_unlock_irqrestore(&zone.lock, flags);
	list->count = nr;
}

/*
 * Returns nr runs of a CPU list to the zone, those first that have been there longest. The
 * descriptors of their buddies are probably in no CPU cache: they are fetched before the lock is
 * taken, while nobody has to wait for them.
 */
static void return_runs(struct cpu_list *list, unsigned int order, uint32_t nr)
{
	struct lists_link *link = list->runs.prev;
	unsigned long flags;

	for (uint32_t i = 0; i < nr; i++, link = link->prev)
		__builtin_prefetch(zone.base +
				   ((uint64_t)(page_of(link) - zone.base) ^ 1ull << order));
	flags = port_lock_irqsave(&zone.lock);
	for (uint32_t i = 0; i < nr; i++) {
		struct lists_page *page = page_of(list->runs.prev);

		list_remove(&page->link);
		merge(page, order);
	}
	zone.nr_free += (uint64_t)nr << order;
	port_unlock_irqrestore(&zone.lock, flags);
	list->count -= nr;
}

/* Marks this CPU's lists as busy. Returns false when they are. */
static inline bool enter(struct cpu_lists *cpu)
{
	if (cpu->busy)
		return false;
	cpu->busy = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void leave(struct cpu_lists *cpu)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cpu->busy = false;
}

static inline struct lists_page *take(struct lists_page *page, unsigned int order)
{
	page->count = 1;
	page->order = (uint8_t)order;
	page->state = LISTS_TAKEN;
	return page;
}

__attribute__((noinline)) static struct lists_page *alloc_from_zone(unsigned int order)
{
	struct lists_page *page;
	unsigned long flags;

	if (order > LISTS_MAX_ORDER)
		return NULL;
	flags = port_lock_irqsave(&zone.lock);
	page = split_smallest(order);
	if (page)
		zone.nr_free -= 1ull << order;
	port_unlock_irqrestore(&zone.lock, flags);
	return page ? take(page, order) : NULL;
}

struct lists_page *lists_alloc(unsigned int order)
{
	struct cpu_lists *cpu = &cpus[port_cpu_id()];
	unsigned int which = list_of(order);
	struct lists_page *page = NULL;
	struct cpu_list *list;

	if (which == NR_CPU_LISTS || !enter(cpu))
		return alloc_from_zone(order);
	list = &cpu->list[which];
	if (__builtin_expect(!list->count, 0))
		refill(list, order);
	if (__builtin_expect(list->count != 0, 1)) {
		page = page_of(list->runs.next);
		list_remove(&page->link);
		list->count--;
		take(page, order);
	}
	leave(cpu);
	return page;
}

__attribute__((noinline)) static void free_to_zone(struct lists_page *page, unsigned int order)
{
	unsigned long flags = port_lock_irqsave(&zone.lock);

	merge(page, order);
	zone.nr_free += 1ull << order;
	port_unlock_irqrestore(&zone.lock, flags);
}

void lists_free(struct lists_page *page, unsigned int order)
{
	unsigned int which = list_of(order);
	struct cpu_lists *cpu;
	struct cpu_list *list;
	uint32_t left;

	if (page->state != LISTS_TAKEN || page->order != order)
		panic("lists: frame 0x%llx is no allocation of order %u",
		      (unsigned long long)(page - zone.base), order);
	left = __atomic_sub_fetch(&page->count, 1, __ATOMIC_ACQ_REL);
	if (__builtin_expect(left != 0, 0)) {
		if (left == UINT32_MAX)
			panic("lists: frame 0x%llx was freed twice",
			      (unsigned long long)(page - zone.base));
		return;
	}
	cpu = &cpus[port_cpu_id()];
	if (which == NR_CPU_LISTS || !enter(cpu)) {
		free_to_zone(page, order);
		return;
	}
	page->state = LISTS_CACHED;
	list = &cpu->list[which];
	list_insert(&page->link, &list->runs, list->runs.next);
	if (__builtin_expect(++list->count >= list->high, 0))
		return_runs(list, order, list->batch);
	leave(cpu);
}

void lists_drain(void)
{
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		for (unsigned int i = 0; i < NR_CPU_LISTS; i++)
			return_runs(&cpus[cpu].list[i], order_of(i), cpus[cpu].list[i].count);
}

uint64_t lists_free_runs(unsigned int order)
{
	uint64_t nr = 0;

	for (struct lists_link *link = zone.runs[order].next; link != &zone.runs[order];
	     link = link->next)
		nr++;
	return nr;
}

uint64_t lists_nr_free(void)
{
	return zone.nr_free;
}

static void init_cpu(struct cpu_lists *cpu)
{
	cpu->busy = false;
	for (unsigned int i = 0; i < NR_CPU_LISTS; i++) {
		struct cpu_list *list = &cpu->list[i];
		uint32_t batch = LISTS_BATCH >> order_of(i);

		list_init(&list->runs);
		list->count = 0;
		list->batch = batch > 2 ? batch : 2;
		list->high = list->batch * LISTS_HIGH;
	}
}

void lists_init(struct lists_page *page, uint64_t nr)
{
	uint64_t frame = 0;

	zone.base = page;
	zone.nr_frames = nr;
	zone.nr_free = nr;
	zone.filled = 0;
	for (unsigned int k = 0; k <= LISTS_MAX_ORDER; k++)
		list_init(&zone.runs[k]);
	for (unsigned int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		init_cpu(&cpus[cpu]);
	/* The largest first, which leaves the end of memory in ever smaller runs. */
	for (unsigned int k = LISTS_MAX_ORDER + 1; k--;)
		for (; nr - frame >= 1ull << k; frame += 1ull << k) {
			struct lists_link *list = &zone.runs[k];

			page[frame].state = LISTS_FREE;
			page[frame].order = (uint8_t)k;
			list_insert(&page[frame].link, list->prev, list);
			zone.filled |= 1u << k;
		}
}
