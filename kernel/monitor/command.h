/*
 * command.h: the tables of the monitor's commands.
 */
#ifndef KERNEL_MONITOR_COMMAND_H
#define KERNEL_MONITOR_COMMAND_H

/* What a command returns for wrong arguments; the monitor then prints its usage. */
#define COMMAND_USAGE (-1)

/* When a command may run. */
enum command_time {
	UNTIL_PANIC, /* only as long as the machine has not panicked */
	ALWAYS,      /* after a panic too: it only reads, or ends the machine */
};

struct command {
	const char *name;
	const char *usage; /* its arguments, "" for none */
	const char *help;  /* one line */
	/*
	 * Runs the command. argv[0] is the name, argv[argc] is null. Returns 0 if it did what was
	 * asked, COMMAND_USAGE, or another value after it has printed why it failed.
	 */
	int (*run)(int argc, char **argv);
	enum command_time time;
};

/* Each table ends with an entry whose name is null. */
extern const struct command mm_commands[];      /* cmd_mm.c */
extern const struct command debug_commands[];   /* cmd_debug.c */
extern const struct command map_commands[];     /* cmd_map.c */
extern const struct command memtest_commands[]; /* cmd_memtest.c */
extern const struct command numa_commands[];    /* cmd_numa.c */
extern const struct command hotplug_commands[]; /* cmd_hotplug.c */
extern const struct command system_commands[];  /* cmd_system.c */

/* All of these tables; a null pointer ends the list. */
extern const struct command *const command_tables[];

#endif
