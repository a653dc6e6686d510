/*
 * command.h: the tables of the monitor's commands, and what the commands share.
 */
#ifndef KERNEL_MONITOR_COMMAND_H
#define KERNEL_MONITOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command returns for wrong arguments, after it has printed what is wrong with them; the
   monitor then prints its usage. */
#define COMMAND_USAGE (-1)

/* When a command may run. */
enum command_time {
	UNTIL_PANIC, /* only as long as the machine has not panicked */
	ALWAYS,      /* after a panic too: it only reads, or ends the machine */
};

#define COMMAND_SUMMARY 28 /* characters of a summary, at most: two columns of a screen */

struct command {
	const char *name;
	const char *usage;   /* its arguments, "" for none */
	const char *summary; /* a few words, for the list */
	const char *help;    /* what it does, in lines of at most 79 characters */
	const char *example; /* its arguments in an example, or null if that has none */
	/*
	 * Runs the command. argv[0] is the name, argv[argc] is null; the number of arguments is one
	 * that the command takes. Returns 0 if it did what was asked, COMMAND_USAGE, or another
	 * value after it has printed why it failed.
	 */
	int (*run)(int argc, char **argv);
	enum command_time time;
	uint8_t min_args, max_args;
	/*
	 * Returns the word number i, from 0 on, of those that may stand as argument number nr, from
	 * 1 on; null behind the last. For Tab; null if there are no such words.
	 */
	const char *(*word)(int nr, size_t i);
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

/*
 * Returns command number i, from 0 on, of those that may run now, in the order of the tables; null
 * behind the last.
 */
const struct command *command_at(size_t i);

/* Returns the command with this name, or null if there is none. */
const struct command *command_named(const char *name);

/*
 * Reads word, a number up to max, into *value. Returns false, after the message that word is no
 * `what`, if it is none.
 */
bool command_number(const char *word, const char *what, uint64_t max, uint64_t *value);

#endif
