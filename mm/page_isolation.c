/* SPDX-License-Identifier: MIT */
/*
 * page_isolation.c: takes the free memory of a range, so that no request gets it.
 *
 * What is isolated is an allocation like any other, with a count of references that no other has.
 * So all invariants of zone.h hold throughout, and undoing it is freeing it. The mark is part of
 * the state word, which is written anew for each allocation. The owner word is not: it may still
 * have the value that an owner before has left there, until the present one sets it. Linux marks
 * blocks of pages as isolated instead (mm/page_isolation.c).
 */
#include "mm/buddy.h"
#include "mm/debug.h"
#include "mm/hotplug_parts.h"
#include "mm/page_state.h"
#include "mm/shelf.h"

/* The count of references of what is isolated. Nobody comes to hold so many. */
#define ISOLATED UINT32_MAX

static bool is_isolated(const struct page *head)
{
	return (uint32_t)state_read(head) == ISOLATED;
}

/* Returns the number of the first bit that is set in a word of a bitmap from number i on, or 64. */
static unsigned int bit_from(uint64_t word, unsigned int i)
{
	word = i < 64 ? word >> i << i : 0;
	return word ? (unsigned int)__builtin_ctzll(word) : 64;
}

/* Returns the first frame from pfn on that is free in its open block, or the end of the block. */
static pfn_t free_in_block(const struct gib *g, pfn_t pfn)
{
	const struct bitmap *bitmap = &g->block[block_of(pfn)];
	pfn_t first = run_start(pfn, BLOCK_ORDER);

	for (unsigned int i = frame_of(pfn); i < BITMAP_BITS; i = (i | 63) + 1) {
		unsigned int bit = bit_from(bitmap_read(&bitmap->word[i / 64]), i % 64);

		if (bit < 64)
			return first + (i & ~63u) + bit;
	}
	return first + BLOCK_FRAMES;
}

/* Returns the first frame from pfn on that is free in its open gib, or the end of the gib. */
static pfn_t free_in_gib(const struct gib *g, pfn_t pfn)
{
	pfn_t end = run_start(pfn, GIB_ORDER) + GIB_FRAMES;

	while (pfn < end) {
		unsigned int block = block_of(pfn), bit;
		uint64_t free = bitmap_read(&g->free.word[block / 64]);
		uint64_t open = bitmap_read(&g->open.word[block / 64]);

		if (free >> block % 64 & 1)
			return pfn;
		if (open >> block % 64 & 1) {
			pfn_t next = free_in_block(g, pfn);

			if (next % BLOCK_FRAMES || next == pfn)
				return next;
			pfn = next;
			continue;
		}
		bit = bit_from(free | open, block % 64);
		pfn = run_start(pfn, BLOCK_ORDER + BITMAP_WORD_SHIFT) + bit * BLOCK_FRAMES;
	}
	return end;
}

/* Returns the first free frame of [pfn, end), which are the zone's, or end. Needs no lock. */
static pfn_t first_free(const struct zone *z, pfn_t pfn, pfn_t end)
{
	while (pfn < end) {
		pfn_t gib = gib_of(pfn);

		if (gibs_test(z, GIBS_FREE, gib))
			return pfn;
		pfn = gibs_test(z, GIBS_OPEN, gib) ? free_in_gib(gib_at(z, gib), pfn)
						   : gib_pfn(gib + 1);
		if (gib_of(pfn) == gib)
			break;
	}
	return pfn < end ? pfn : end;
}

/*
 * Takes the run of free frames that begins at pfn, if that is still free, and ends by end. Returns
 * how many frames these are.
 */
static uint64_t isolate_run(struct zone *z, pfn_t pfn, pfn_t end)
{
	unsigned long flags = port_lock_irqsave(&z->lock);
	uint64_t frames = 0;
	pfn_t next;

	buddy_begin(z);
	if (free_span(pfn, &next)) {
		unsigned int order = buddy_take_at(z, pfn, end);

		frames = (uint64_t)1 << order;
		zone_sub_free(z, frames);
		state_write(pfn_to_page(pfn), state_allocated(z->id, order) | ISOLATED);
	}
	port_unlock_irqrestore(&z->lock, flags);
	return frames;
}

uint64_t isolate_pages(struct zone *z, pfn_t start, pfn_t end)
{
	uint64_t taken = 0, frames;

	for (pfn_t pfn = first_free(z, start, end); pfn < end;
	     pfn = first_free(z, pfn + (frames ? frames : 1), end)) {
		frames = isolate_run(z, pfn, end);
		taken += frames;
	}
	return taken;
}

/*
 * Returns the head of the allocation that covers the frame, or NULL; and sets *next to where it
 * ends. Without an allocation that is where the next frame may be one.
 */
static struct page *head_at(pfn_t pfn, pfn_t *next)
{
	struct page *head = page_head(pfn);

	if (head)
		*next = page_to_pfn(head) + ((pfn_t)1 << page_order(head));
	else if (!free_span(pfn, next))
		*next = pfn + 1;
	return head;
}

/* Frees an isolated run. */
static void put_isolated(struct zone *z, struct page *head)
{
	unsigned int order = page_order(head);
	pfn_t pfn = page_to_pfn(head);
	unsigned long flags = port_lock_irqsave(&z->lock);

	buddy_begin(z);
	state_write(head, 0);
	buddy_unmark(z, pfn, order);
	zone_add_free(z, (uint64_t)1 << order);
	buddy_put(z, pfn, order);
	port_unlock_irqrestore(&z->lock, flags);
}

void undo_isolation(struct zone *z, pfn_t start, pfn_t end)
{
	for (pfn_t pfn = start, next; pfn < end; pfn = next) {
		struct page *head = head_at(pfn, &next);

		if (head && is_isolated(head))
			put_isolated(z, head);
	}
}

/*
 * Returns the owner word of an allocation, which its owner may be setting at this moment:
 * ThreadSanitizer must not look. What is read then only decides what is reported.
 */
__attribute__((__no_sanitize_thread__, __noinline__)) static unsigned long
owner_word_of(const struct page *head)
{
	return head->owner_word;
}

uint64_t find_blockers(pfn_t start, pfn_t end, struct offline_blockers *blockers)
{
	uint64_t poisoned = 0;

	*blockers = (struct offline_blockers){ 0 };
	for (pfn_t pfn = start, next; pfn < end; pfn = next) {
		const struct page *head = head_at(pfn, &next);
		unsigned long owner = head ? owner_word_of(head) : 0;

		next = next < end ? next : end;
		if (!head || is_isolated(head))
			continue;
		/* Such a frame lies in an open block, where no owner word is of an earlier boot. */
		if (owner == PAGE_HWPOISON && !page_order(head)) {
			poisoned += next - pfn;
			continue;
		}
		if (!blockers->frames) {
			blockers->first = page_to_pfn(head);
			blockers->order = page_order(head);
			blockers->site = page_owner_site(page_to_pfn(head));
		}
		blockers->frames += next - pfn;
	}
	return poisoned;
}
