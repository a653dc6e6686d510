/*
 * cmd_map.c: the monitor's commands that show memory as a picture. As commands of run= they print
 * pictures and wait for no key, since nobody may be at a keyboard.
 */
#include "arch/x86_64/arch.h"
#include "kernel/console/keys.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/monitor.h"
#include "kernel/parse.h"
#include "kernel/picture/picture.h"
#include "kernel/test/stress.h"
#include "lib/string.h"

#define STRESS_ROUNDS 8 /* about half a minute with a live picture */

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

	if (argc - arg > 2 || (argc > arg && !parse_number(argv[arg], &pfn)))
		return COMMAND_USAGE;
	if (argc > arg)
		order = 0;
	if (argc > arg + 1 && (!parse_number(argv[arg + 1], &order) || order > PICTURE_WHOLE))
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

	if (argc > 3 || (argc > 1 && !parse_number(argv[1], &rounds)) ||
	    (argc > 2 && !parse_number(argv[2], &seed)))
		return COMMAND_USAGE;
	return stress(rounds, seed, monitor_is_unattended() ? STRESS_PRINTED : STRESS_LIVE);
}

const struct command map_commands[] = {
	{ "map", "[once] [PFN [ORDER]]", "picture of memory, with keys; once: as text", cmd_map,
	  UNTIL_PANIC },
	{ "stress", "[ROUNDS [SEED]]", "allocates and frees at random, shows the picture",
	  cmd_stress, UNTIL_PANIC },
	{ .name = NULL },
};
