/*
 * cmd_map.c: the monitor's commands that show memory as a picture. As commands of run= they print
 * pictures and wait for no key, since nobody may be at a keyboard.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/monitor.h"
#include "kernel/picture/cells.h"
#include "kernel/picture/picture.h"
#include "kernel/test/stress.h"
#include "lib/string.h"
#include "mm/port.h"

#define STRESS_ROUNDS 8 /* about half a minute with a live picture */
#define MAX_ORDER     (63 - (unsigned int)__builtin_clzll(MM_MAX_PFN)) /* a cell of all frames */

/* Returns the next key; or KEY_NONE, when the picture has changed while none came. */
static int next_key(void)
{
	int key;

	while ((key = key_poll()) == KEY_NONE && !picture_poll(NULL))
		arch_idle();
	return key;
}

static void picture_with_keys(pfn_t pfn, unsigned int order)
{
	picture_begin(pfn, order);
	do
		picture_draw(NULL);
	while (picture_key(next_key()));
	picture_end();
}

static int cmd_map(int argc, char **argv)
{
	bool once = argc > 1 && !strcmp(argv[1], "once");
	uint64_t pfn = 0, order = PICTURE_WHOLE;
	int arg = once ? 2 : 1;

	if (argc - arg > 2) {
		console_printf("%s is too much\n", argv[arg + 2]);
		return COMMAND_USAGE;
	}
	if (argc > arg) {
		order = 0;
		if (!command_number(argv[arg], "a frame number", picture_end_pfn() - 1, &pfn))
			return COMMAND_USAGE;
	}
	if (argc > arg + 1 && !command_number(argv[arg + 1], "an order", MAX_ORDER, &order))
		return COMMAND_USAGE;
	if (once || monitor_is_unattended())
		picture_print(pfn, (unsigned int)order, NULL);
	else
		picture_with_keys(pfn, (unsigned int)order);
	return 0;
}

static int cmd_stress(int argc, char **argv)
{
	uint64_t rounds = STRESS_ROUNDS, seed = 1;

	if ((argc > 1 && !command_number(argv[1], "a number of rounds", UINT64_MAX, &rounds)) ||
	    (argc > 2 && !command_number(argv[2], "a seed", UINT64_MAX, &seed)))
		return COMMAND_USAGE;
	return stress(rounds, seed, monitor_is_unattended() ? STRESS_PRINTED : STRESS_LIVE);
}

static const char *map_word(int nr, size_t i)
{
	return nr == 1 && !i ? "once" : NULL;
}

const struct command map_commands[] = {
	{ "map", "[once] [PFN [ORDER]]", "memory as a picture",
	  "A picture of memory, which arrows and other keys move and q ends; once: printed\n"
	  "as text. PFN: the part around that frame, with a cell for 2^ORDER frames, or 1.",
	  "once 0x1000 9", cmd_map, .time = UNTIL_PANIC, .max_args = 3, .word = map_word },
	{ "stress", "[ROUNDS [SEED]]", "allocates at random, live",
	  "Allocates and frees at random on all CPUs, and shows the picture of memory\n"
	  "meanwhile; q ends it. The same SEED makes the same random numbers.",
	  "2", cmd_stress, .time = UNTIL_PANIC, .max_args = 2 },
	{ .name = NULL },
};
