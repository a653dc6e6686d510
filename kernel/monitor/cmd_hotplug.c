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
	if (argc != 3 || strcmp(argv[1], "remove") != 0)
		return COMMAND_USAGE;
	if (!parse_number(argv[2], &slot) || slot > UINT32_MAX) {
		console_printf("%s is not the number of a slot\n", argv[2]);
		return 1;
	}
	return !hotplug_remove((unsigned int)slot);
}

const struct command hotplug_commands[] = {
	{ "hotplug", "[remove SLOT]", "slots for memory; gives a DIMM back", cmd_hotplug,
	  UNTIL_PANIC },
	{ .name = NULL },
};
