/*
 * command.h: what the monitor can do: tables of commands.
 */
#ifndef KERNEL_MONITOR_COMMAND_H
#define KERNEL_MONITOR_COMMAND_H

#include <stdbool.h>

/* What a command returns: 0 when it did what was asked; else it has said why not. */
#define COMMAND_USAGE (-1) /* wrong arguments: the monitor shows the usage */

struct command {
	const char *name;
	const char *usage;                 /* its arguments, "" for none */
	const char *help;                  /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the name; argv[argc] is null */
	bool panic_safe;                   /* after a panic too: reads, or ends the machine */
};

/* Each ends with an entry without name. */
extern const struct command mm_commands[];      /* cmd_mm.c */
extern const struct command debug_commands[];   /* cmd_debug.c */
extern const struct command map_commands[];     /* cmd_map.c */
extern const struct command memtest_commands[]; /* cmd_memtest.c */
extern const struct command system_commands[];  /* cmd_system.c */

/* All tables, for who looks through them: ends with null. */
extern const struct command *const command_tables[];

#endif
