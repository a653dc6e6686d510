/* SPDX-License-Identifier: MIT */
#include "contrib/kmalloc.h"

#ifdef MM_HEADER
#include MM_HEADER
#else
#include "mm/debug.h"
#endif

/* A kernel whose configuration of mm/ has MM_PANIC() need not have panic(). */
#ifndef MM_PANIC
#define MM_PANIC(...) panic(__VA_ARGS__)
#endif

/* mm/port.h defines it; the header of the one file leaves it out. */
#ifndef MM_ASSERT
#define MM_ASSERT(cond) ((void)sizeof(!(cond)))
#endif

#define MIN_SHIFT 5                /* 32 bytes: room for struct object */
#define MAX_SHIFT (PAGE_SHIFT - 1) /* two objects in a page */
#define MARK      0x6d6b           /* "km" */

/* What a free object holds. */
struct object {
	struct object *next; /* the next free one of the page */
	/* In the first of a page: the first free objects of the pages before and after this one. */
	struct object *page_before, *page_after;
};
MM_STATIC_ASSERT(sizeof(struct object) <= 1 << MIN_SHIFT, "the smallest object has room for it");

/* The private word of a page that has objects, or is the head of an allocation of its own. */
union slab {
	unsigned long word;
	struct {
		uint16_t shift; /* the size of an object is 2^shift bytes */
		uint16_t used;  /* how many are not free */
		uint16_t first; /* the offset of the first free one in the page, if there is one */
		uint16_t mark;  /* MARK: the page is one of these */
	} s;
};

static port_lock_t lock;
static struct object *pages[MAX_SHIFT + 1]; /* by shift: the first page that has a free object */
static bool ready;

/* Returns the binary logarithm of the size that a request for size bytes is rounded up to. */
static unsigned int shift_of(size_t size)
{
	if (size <= 1u << MIN_SHIFT)
		return MIN_SHIFT;
	return 64 - (unsigned int)__builtin_clzl(size - 1);
}

/* Makes the page with this first free object the first of its size. */
static void link_page(unsigned int shift, struct object *first)
{
	first->page_before = NULL;
	first->page_after = pages[shift];
	if (pages[shift])
		pages[shift]->page_before = first;
	pages[shift] = first;
}

static void unlink_page(unsigned int shift, const struct object *first)
{
	if (first->page_before)
		first->page_before->page_after = first->page_after;
	else
		pages[shift] = first->page_after;
	if (first->page_after)
		first->page_after->page_before = first->page_before;
}

/*
 * Returns an object, or NULL if no page of this size has a free one. The second free object of a
 * page is taken before the first one, which has the links.
 */
static struct object *take_object(unsigned int shift)
{
	struct object *first = pages[shift], *object;
	union slab slab;

	if (!first)
		return NULL;
	object = first->next;
	if (object) {
		first->next = object->next;
	} else {
		object = first;
		unlink_page(shift, first);
	}
	slab.word = page_private(virt_to_page(object));
	slab.s.used++;
	set_page_private(virt_to_page(object), slab.word);
	return object;
}

/* Makes all of a new page free objects. Returns the first one. */
static struct object *cut_page(unsigned int shift, struct page *page)
{
	char *start = page_address(page);
	union slab slab = { .s = { .shift = (uint16_t)shift, .mark = MARK } };
	struct object *object = NULL;

	for (size_t at = PAGE_SIZE; at; at -= (size_t)1 << shift) {
		struct object *next = object;

		object = (struct object *)(start + at - ((size_t)1 << shift));
		object->next = next;
	}
	set_page_private(page, slab.word);
	return object;
}

static void *alloc_object(unsigned int shift, gfp_t gfp, uintptr_t site)
{
	unsigned long flags = port_lock_irqsave(&lock);
	struct object *object = take_object(shift);
	struct object *first;
	struct page *page;

	port_unlock_irqrestore(&lock, flags);
	if (object)
		return object;
	page = alloc_pages_site(gfp, 0, site);
	if (!page)
		return NULL;
	first = cut_page(shift, page);
	flags = port_lock_irqsave(&lock);
	link_page(shift, first);
	object = take_object(shift);
	port_unlock_irqrestore(&lock, flags);
	return object;
}

static void *alloc_whole(unsigned int shift, gfp_t gfp, uintptr_t site)
{
	union slab slab = { .s = { .used = 1, .mark = MARK } };
	struct page *page;

	shift = shift > PAGE_SHIFT ? shift : PAGE_SHIFT;
	page = alloc_pages_site(gfp, shift - PAGE_SHIFT, site);
	if (!page)
		return NULL;
	slab.s.shift = (uint16_t)shift;
	set_page_private(page, slab.word);
	return page_address(page);
}

void *kmalloc(size_t size, unsigned int gfp)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0);
	unsigned int shift = shift_of(size);
	void *object;

	if (!ready)
		MM_PANIC("kmalloc of %lu bytes before kmalloc_init()", (unsigned long)size);
	if (shift > MAX_SHIFT || gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_THISNODE))
		return alloc_whole(shift, gfp, site);
	object = alloc_object(shift, gfp & ~__GFP_ZERO, site);
	if (object && gfp & __GFP_ZERO)
		__builtin_memset(object, 0, (size_t)1 << shift);
	return object;
}

/* Returns whether the object is one of the free ones, of which `first` is the first. */
__attribute__((__unused__)) static bool is_free(const struct object *first,
						const struct object *object)
{
	while (first && first != object)
		first = first->next;
	return first;
}

/* Panics unless the word of the page says that there may be an object in use at this address. */
static void check_object(const struct page *page, union slab slab, const struct object *object)
{
	unsigned int shift = slab.s.shift < PAGE_SHIFT ? slab.s.shift : PAGE_SHIFT;

	if (slab.s.mark != MARK || !slab.s.used ||
	    (uintptr_t)object & (((uintptr_t)1 << shift) - 1))
		MM_PANIC("kfree of 0x%lx: it is not the address of an object, frame 0x%llx",
			 (unsigned long)(uintptr_t)object, (unsigned long long)page_to_pfn(page));
}

/* Frees an object of the page. Returns whether the page is then free as a whole and unlinked. */
static bool free_object(struct page *page, union slab slab, struct object *object)
{
	unsigned int shift = slab.s.shift;
	struct object *first = (struct object *)((char *)page_address(page) + slab.s.first);

	if (slab.s.used == PAGE_SIZE >> shift) {
		slab.s.first = (uint16_t)((uintptr_t)object & (PAGE_SIZE - 1));
		object->next = NULL;
		link_page(shift, object);
		first = object;
	} else {
		MM_ASSERT(!is_free(first, object));
		object->next = first->next;
		first->next = object;
	}
	slab.s.used--;
	set_page_private(page, slab.word);
	if (slab.s.used || (!first->page_before && !first->page_after))
		return false;
	unlink_page(shift, first);
	return true;
}

void kfree(const void *ptr)
{
	struct object *object = (struct object *)(uintptr_t)ptr;
	struct page *page;
	union slab slab;
	unsigned long flags;
	bool whole;

	if (!ptr)
		return;
	page = virt_to_page(ptr);
	flags = port_lock_irqsave(&lock);
	slab.word = page_private(page);
	check_object(page, slab, object);
	whole = slab.s.shift > MAX_SHIFT || free_object(page, slab, object);
	if (whole)
		set_page_private(page, 0);
	port_unlock_irqrestore(&lock, flags);
	if (whole)
		put_page(page);
}

bool slab_is_available(void)
{
	return ready;
}

void kmalloc_init(void)
{
	ready = true;
}
