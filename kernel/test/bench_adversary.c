/*
 * bench_adversary.c: makes the states by contiguous ranges, so that blocks which are not part of
 * one cost nothing.
 */
#include "kernel/test/bench_adversary.h"

#include "kernel/test/page_list.h"
#include "lib/format.h"
#include "mm/cache.h"

#define VICTIMS 1200 /* frames to be freed or allocated, at most: twice what a cache holds */
#define BLOCKS  700  /* blocks that they come from, at most */

/* The word of a block's bits that they are in: the last, so that a test for full reads them all. */
#define AT      (BLOCK_FRAMES - BITMAP_WORD_FRAMES)

struct page *adversary_victims;
uint64_t adversary_capacity;

/* What is held beside them. */
static struct page *kept;

/* The blocks of the state, by their first frames. */
static pfn_t blocks[BLOCKS];
static unsigned int nr_blocks;

/* Frames that are freed before the victims, to fill the cache: more than it holds. */
#define FILLERS (2 * BLOCK_FRAMES)
static pfn_t filler;

static bool take(pfn_t pfn, pfn_t nr)
{
	return !alloc_contig_range(pfn, pfn + nr, MIGRATE_MOVABLE, GFP_ATOMIC);
}

gfp_t adversary_gfp(const struct zone *z)
{
	return GFP_ATOMIC | (z->id == ZONE_DMA ? GFP_DMA : z->id == ZONE_DMA32 ? GFP_DMA32 : 0);
}

static void push_range(struct page **list, pfn_t pfn, pfn_t end)
{
	for (; pfn < end; pfn++)
		page_list_push(list, pfn_to_page(pfn));
}

/* Takes these frames of the highest, or the lowest, block of the zone that has them free. */
static pfn_t take_in_any(const struct zone *z, bool highest, pfn_t nr)
{
	pfn_t end = run_start(z->end_pfn - 1, BLOCK_ORDER) + BLOCK_FRAMES;

	for (pfn_t i = z->start_pfn; i < end; i += BLOCK_FRAMES) {
		pfn_t block = highest ? end - BLOCK_FRAMES - (i - z->start_pfn) : i;

		if (take(block, nr))
			return block;
	}
	return PFN_NONE;
}

/* Takes nr frames from frame `at` on of the blocks of the state. */
static bool take_blocks(const struct adversary *a, pfn_t at, pfn_t nr)
{
	const struct zone *z = a->zone;
	unsigned int max = VICTIMS / a->frames < BLOCKS ? VICTIMS / a->frames : BLOCKS;
	pfn_t step = a->per_gib ? GIB_FRAMES : BLOCK_FRAMES;

	for (pfn_t i = run_start(z->start_pfn, a->per_gib ? GIB_ORDER : BLOCK_ORDER);
	     i < z->end_pfn && nr_blocks < max; i += step)
		for (pfn_t block = i + step; block > i && block > z->start_pfn;) {
			block -= BLOCK_FRAMES;
			if (!take(block + at, nr))
				continue;
			blocks[nr_blocks++] = block;
			break;
		}
	return nr_blocks;
}

/*
 * Makes the zone's frame cache keep frames up to the end of this one's block: to there it keeps
 * them if the last refill took from that block, and no other has a free frame. The frame is
 * allocated, before and after.
 */
static bool set_keep(const struct zone *z, pfn_t pfn)
{
	__free_page(pfn_to_page(pfn));
	drain_caches();
	return alloc_page(adversary_gfp(z)) == pfn_to_page(pfn);
}

/* Sets adversary_capacity. The filler is allocated, before and after. */
static bool measure_capacity(const struct zone *z)
{
	uint64_t cached;
	pfn_t n = 0;

	drain_caches();
	do {
		cached = cache_frames(z);
		__free_page(pfn_to_page(filler + n++));
	} while (n < FILLERS - 1 && cache_frames(z) > cached);
	adversary_capacity = cache_frames(z) > cached ? n : n - 1;
	while (n < FILLERS)
		__free_page(pfn_to_page(filler + n++));
	drain_caches();
	return take(filler, FILLERS);
}

/* Frees a list, but for what is in zone DMA, so that requests for that fail. */
static void free_all_but_dma(struct page **list)
{
	struct page *page;

	while ((page = page_list_pop(list)))
		if (page_zonenum(page) == ZONE_DMA)
			page_list_push(&kept, page);
		else
			__free_pages(page, page_order(page));
}

static void push_victims(const struct adversary *a)
{
	for (unsigned int n = nr_blocks * a->frames; n--;) {
		unsigned int block = n / a->frames, i = n % a->frames;

		if (a->order == INTERLEAVED) {
			block = n % nr_blocks;
			i = n / nr_blocks;
		}
		if (a->order == FALLING)
			i = a->frames - 1 - i;
		page_list_push(&adversary_victims, pfn_to_page(blocks[block] + AT + i));
	}
}

/* Pushes the lists, what is freed last first. */
static void push_all(const struct adversary *a)
{
	uint64_t nr = (uint64_t)nr_blocks * a->frames;
	uint64_t before = nr < adversary_capacity ? adversary_capacity - nr : 0;

	before = before < FILLERS - 1 ? before : FILLERS - 1;
	push_range(&kept, filler + before + 1, filler + FILLERS);
	push_range(&adversary_victims, filler + before, filler + before + 1);
	push_victims(a);
	push_range(&adversary_victims, filler, filler + before);
	for (unsigned int i = 0; a->full && i < nr_blocks; i++) {
		push_range(&kept, blocks[i], blocks[i] + AT);
		push_range(&kept, blocks[i] + AT + a->frames, blocks[i] + BLOCK_FRAMES);
	}
}

/* Takes what a state for frees needs. Returns false when there is too little of it. */
static bool take_parts(const struct adversary *a, pfn_t *lowest)
{
	drain_caches();
	*lowest = take_in_any(a->zone, false, 1);
	if (*lowest == PFN_NONE)
		return false;
	page_list_push(&kept, pfn_to_page(*lowest));
	filler = take_in_any(a->zone, true, FILLERS);
	if (filler == PFN_NONE)
		return false;
	if (take_blocks(a, a->full ? 0 : AT, a->full ? BLOCK_FRAMES : a->frames))
		return true;
	free_contig_range(filler, FILLERS);
	return false;
}

bool adversary_for_frees(const struct adversary *a)
{
	struct page *rest = NULL;
	pfn_t lowest;

	if (!take_parts(a, &lowest)) {
		adversary_end();
		return false;
	}
	page_list_take_all(a->full ? &kept : &rest);
	if (!set_keep(a->zone, a->kept ? filler + FILLERS - 1 : lowest) ||
	    !measure_capacity(a->zone))
		panic("bench: memory is not as it was left");
	push_all(a);
	if (!a->full)
		free_all_but_dma(&rest);
	drain_caches();
	return true;
}

/* Moves to the other list what lies in the gibs of the first nr blocks of the state. */
static void pick_gibs(struct page **list, unsigned int nr, struct page **other)
{
	struct page *rest = NULL, *page;

	while ((page = page_list_pop(list))) {
		pfn_t gib = run_start(page_to_pfn(page), GIB_ORDER);
		unsigned int i = 0;

		while (i < nr && run_start(blocks[i], GIB_ORDER) != gib)
			i++;
		page_list_push(i < nr ? other : &rest, page);
	}
	*list = rest;
}

/*
 * The words' victims, from the top of the stack down. Those freed in rising order are gathered as a
 * run, others one by one. A drain that has gathered CACHE_DRAIN_SINGLY one by one ends with the
 * next word: those before the last word are as many as may be.
 */
#define NR_MIXED 8
static const struct mixed_word {
	pfn_t frames;
	bool rising;
} mixed[][NR_MIXED] = {
	{ { 32, true },
	  { 16, true },
	  { 7, false },
	  { 7, false },
	  { 7, false },
	  { 7, false },
	  { 8, false },
	  { 64, false } },
	{ { 16, false },
	  { 16, false },
	  { 5, false },
	  { 5, false },
	  { 5, false },
	  { 4, false },
	  { 3, false },
	  { 64, false } },
};

static void push_falling(struct page **list, pfn_t pfn, pfn_t end)
{
	while (end-- > pfn)
		page_list_push(list, pfn_to_page(end));
}

/*
 * Makes word i of the mixed ones a part of the state, in the last word of a block. A word of the
 * first two is all that is free of its block; other blocks have 8 frames free; or, if the word
 * closes its block, all other frames.
 */
static void leave_word(pfn_t block, unsigned int i, const struct mixed_word *w, bool closes)
{
	pfn_t at = block + AT, end = block + BLOCK_FRAMES;

	(w->rising ? push_falling : push_range)(&adversary_victims, at, at + w->frames);
	if (closes) {
		free_contig_range(block, AT);
		if (at + w->frames < end)
			free_contig_range(at + w->frames, end - at - w->frames);
		return;
	}
	if (i >= 2)
		free_contig_range(block, 8);
	push_range(&kept, i < 2 ? block : block + 8, at);
	push_range(&kept, at + w->frames, end);
}

/*
 * The state's blocks 0 and 1 become full, so that block 1 and the gib of block 0 are kept open. The
 * closing words are in the blocks 2 and 3, of which the gibs are free as well; the others in gibs
 * that are allocated.
 */
bool adversary_mixed_words(struct zone *z, unsigned int closing)
{
	struct adversary a = { .zone = z, .per_gib = true, .frames = 1 };
	const struct mixed_word *word = mixed[closing - 1];
	struct page *rest = NULL, *free = NULL;
	pfn_t nr = 0, fill;

	drain_caches();
	filler = take_in_any(z, true, FILLERS);
	if (filler == PFN_NONE)
		return false;
	take_blocks(&a, 0, BLOCK_FRAMES);
	if (nr_blocks < 4 + NR_MIXED) {
		free_contig_range(filler, FILLERS);
		for (unsigned int i = 0; i < nr_blocks; i++)
			free_contig_range(blocks[i], BLOCK_FRAMES);
		adversary_end();
		return false;
	}
	page_list_take_all(&rest);
	if (!set_keep(z, filler + FILLERS - 1) || !measure_capacity(z))
		panic("bench: memory is not as it was left");
	pick_gibs(&rest, 4, &free);
	page_list_free(&free);
	while ((free = page_list_pop(&rest)))
		page_list_push(&kept, free);
	drain_caches();
	for (unsigned int i = 0; i < 2; i++) {
		free_contig_range(blocks[i], BLOCK_FRAMES);
		drain_caches();
	}
	for (unsigned int i = 0; i < NR_MIXED; i++)
		nr += word[i].frames;
	fill = adversary_capacity - nr;
	push_range(&kept, filler + fill + 1, filler + FILLERS);
	push_range(&adversary_victims, filler + fill, filler + fill + 1);
	for (unsigned int i = 0; i < NR_MIXED; i++) {
		bool closes = i >= NR_MIXED - closing;

		leave_word(blocks[closes ? 2 + i - (NR_MIXED - closing) : 4 + i], i, &word[i],
			   closes);
	}
	for (unsigned int i = closing == 1 ? 3 : 4; i < nr_blocks; i++)
		if (i == 3 || i >= 4 + NR_MIXED - closing)
			push_range(&kept, blocks[i], blocks[i] + BLOCK_FRAMES);
	push_range(&adversary_victims, filler, filler + fill);
	drain_caches();
	return true;
}

bool adversary_unmovable(const struct zone *z, unsigned int nr)
{
	struct page *block, *page, *rest = NULL;
	pfn_t first;

	drain_caches();
	block = alloc_pages(adversary_gfp(z), BLOCK_ORDER);
	if (!block)
		return false;
	first = page_to_pfn(block);
	page_list_take_all(&kept);
	__free_pages(block, BLOCK_ORDER);
	drain_caches();
	for (unsigned int i = 0; i < BLOCK_FRAMES; i++) {
		page = alloc_page(adversary_gfp(z) | __GFP_UNMOVABLE);
		if (run_start(page_to_pfn(page), BLOCK_ORDER) != first)
			panic("bench: memory is not as it was left");
		page_list_push(page_to_pfn(page) % (BITMAP_WORD_FRAMES / nr) ? &kept : &rest, page);
	}
	page_list_free(&rest);
	drain_caches();
	return true;
}

/* Returns whether frame i of a block is one of those that are left free: they lie scattered. */
static bool is_left(const struct adversary *a, pfn_t i)
{
	return i < BITMAP_WORD_FRAMES &&
	       i * a->frames / BITMAP_WORD_FRAMES != (i + 1) * a->frames / BITMAP_WORD_FRAMES;
}

/*
 * Frees those frames of a block. For a stale bound its lower half is freed first, and the rest of
 * that allocated again: that lowers no bound.
 */
static void leave_frames(const struct adversary *a, pfn_t block)
{
	pfn_t half = BLOCK_FRAMES / 2;

	for (pfn_t i = 0; i < half; i++)
		if (a->stale || is_left(a, i))
			__free_page(pfn_to_page(block + i));
	drain_caches();
	for (pfn_t i = 0, end; i < BLOCK_FRAMES; i = end + 1) {
		for (end = i; end < BLOCK_FRAMES && !is_left(a, end);)
			end++;
		if (a->stale && i < half && end > i &&
		    !take(block + i, (end < half ? end : half) - i))
			panic("bench: memory is not as it was left");
		push_range(&kept, block + i, block + end);
	}
}

bool adversary_for_allocs(const struct adversary *a)
{
	drain_caches();
	if (!take_blocks(a, 0, BLOCK_FRAMES))
		return false;
	page_list_take_all(&kept);
	for (unsigned int i = 0; i < nr_blocks; i++)
		leave_frames(a, blocks[i]);
	return true;
}

void adversary_stale_runs(const struct zone *z)
{
	struct page *firsts = NULL, *page;

	drain_caches();
	while ((page = alloc_pages(adversary_gfp(z), 3)))
		page_list_push(page_to_pfn(page) % BLOCK_FRAMES ? &kept : &firsts, page);
	while ((page = page_list_pop(&firsts))) {
		pfn_t pfn = page_to_pfn(page);

		__free_pages(page, 3);
		if (!take(pfn, 4))
			panic("bench: memory is not as it was left");
		push_range(&kept, pfn, pfn + 4);
	}
}

void adversary_end(void)
{
	page_list_free(&adversary_victims);
	page_list_free(&kept);
	nr_blocks = 0;
	drain_caches();
}

/* The zones that the states are made in: the highest, and the one below it. */
static struct zone *filled_zone(unsigned int i)
{
	unsigned int type = MAX_NR_ZONES;

	while (type--)
		if (node_zone(0, type)->managed && !i--)
			return node_zone(0, type);
	return node_zone(0, ZONE_DMA);
}

static const unsigned int numbers[] = { 1, 6, 16, 29, 32, 64 };
#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

void adversary_each_for_frees(void (*visit)(const struct adversary *a))
{
	for (unsigned int i = 0; i < NR_NUMBERS * 16; i++)
		for (unsigned int order = 0; order < NR_ADVERSARY_ORDERS; order++) {
			struct adversary a = { .zone = filled_zone(i >> 3 & 1),
					       .frames = numbers[i / 16],
					       .per_gib = i & 1,
					       .full = i >> 1 & 1,
					       .kept = i >> 2 & 1,
					       .order = order };

			/* A single frame has no order. */
			if (a.frames > 1 || !order)
				visit(&a);
		}
}

void adversary_each_for_allocs(void (*visit)(const struct adversary *a))
{
	for (unsigned int i = 0; i < NR_NUMBERS * 8; i++) {
		struct adversary a = { .zone = filled_zone(i >> 2 & 1),
				       .frames = numbers[i / 8],
				       .per_gib = i & 1,
				       .full = true,
				       .stale = i >> 1 & 1 };

		visit(&a);
	}
}

void adversary_describe(const struct adversary *a, char text[ADVERSARY_TEXT_SIZE])
{
	static const char *const orders[] = { "rising", "falling", "interleaved" };

	fmt_snprintf(text, ADVERSARY_TEXT_SIZE, "%u frames of %s of %s, %s%s%s%s", a->frames,
		     a->per_gib ? "a block of each gib" : "blocks", a->zone->name, orders[a->order],
		     a->full ? ", memory full" : "", a->kept ? ", kept" : "",
		     a->stale ? ", stale bounds" : "");
}
