/*
 * cmd_hotplug.c: the monitor's command about memory that is plugged and unplugged.
 */
#include <stddef.h>

#include "kernel/console/console.h"
#include "kernel/memory/hotplug.h"
#include "kernel/monitor/command.h"
#include "kernel/parse.h"
#include "lib/string.h"

static int cmd_hotplug(int argc, char **argv)
{
	uint64_t slot;

	if (argc == 1) {
		hotplug_poll(); /* a DIMM that went without notice has raised no event */
		hotplug_print(console_printf);
		return 0;
	}
	if (strcmp(argv[1], "remove") != 0) {
		console_printf("%s is not remove\n", argv[1]);
		return COMMAND_USAGE;
	}
	if (argc == 2) {
		console_printf("hotplug remove: SLOT is missing\n");
		return COMMAND_USAGE;
	}
	if (!parse_number(argv[2], &slot) || slot > UINT32_MAX) {
		console_printf("%s is not the number of a slot\n", argv[2]);
		return 1;
	}
	return !hotplug_remove((unsigned int)slot);
}

static const char *hotplug_word(int nr, size_t i)
{
	return nr == 1 && !i ? "remove" : NULL;
}

const struct command hotplug_commands[] = {
	{ "hotplug", "[remove SLOT]", "slots for memory modules",
	  "The slots for memory modules; why the last one was not added or not removed.\n"
	  "remove: gives the module in SLOT back to the host.",
	  "remove 0", cmd_hotplug, .time = UNTIL_PANIC, .max_args = 2, .word = hotplug_word },
	{ .name = NULL },
};
