/*
 * story.h: the sentences on the last step. story_alloc.c and story_free.c say what became of a
 * request: which frames, from where, by which function; story.c sums up steps of several
 * operations. story_changes.c says what else is different afterwards: which blocks and gibs opened
 * or closed, which bounds rose or fell, idle[], the unmovable block, the CPUs' tables. All compare
 * the state with before.h, and do not guess it from the step.
 */
#ifndef TOOLS_PAGE_STORY_H
#define TOOLS_PAGE_STORY_H

#include "tools/page/before.h"

/* Some words. */
struct words {
	char text[100];
};

/*
 * Adds a sentence to the story. Those beyond the twelfth are only counted. A sentence has no
 * character that JSON would escape.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns "zone Normal", with "of node 1" if there are several. */
struct words zone_words(const struct zone *z);

/* Returns "frame 0x1000", or "the 8 frames from 0x1000 on". */
struct words run_words(pfn_t pfn, unsigned int order);

/* Returns "its frame cache of zone Normal", say; with the order, if that is not 0. */
struct words cache_words(const struct cache_pair *p);

/* Returns "run", or for order 0 "frame". */
const char *noun(unsigned int order);

/* Returns "1 frame", say, or "2 frames": what is counted gets an s. */
struct words count_words(uint64_t nr, const char *what);

/* Say what a step of one operation did: an allocation that was served, a free. */
void say_alloc(const struct session *s);
void say_free(const struct session *s);

/* Says how a request that failed was treated, and what the zones that might have served it have. */
void say_failed(const struct step *step);

/*
 * Say what is different: in the bits and idle[], in bounds, in the CPUs' tables. single: the step
 * was one operation, so that it is known why a bound fell.
 */
void say_bits(void);
void say_bounds(bool single);
void say_tables(void);

#endif
