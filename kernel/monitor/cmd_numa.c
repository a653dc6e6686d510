/*
 * cmd_numa.c: the monitor's command about NUMA nodes.
 */
#include <stddef.h>

#include "kernel/console/console.h"
#include "kernel/memory/nodes.h"
#include "kernel/monitor/command.h"

static int cmd_numa(int argc, char **argv)
{
	(void)argc, (void)argv;
	report_hardware(console_printf);
	report_local_descriptors(console_printf);
	report_node_corrections(console_printf);
	return 0;
}

const struct command numa_commands[] = {
	{ "numa", "", "NUMA nodes",
	  "NUMA nodes, as Linux's numactl -H; what was wrong in the firmware's tables.", NULL,
	  cmd_numa, .time = ALWAYS },
	{ .name = NULL },
};
