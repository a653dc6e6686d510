/*
 * monitor.c: how a line becomes the call of a command.
 *
 *	run= "a; b 1; c"   ─→ echoed after a prompt ─┐
 *	                                             ├─→ words ─→ table ─→ run(argc, argv)
 *	keyboard, serial   ─→ line editor ───────────┘
 *
 * After a command that fails the monitor prints its name and status, and goes on with the next one.
 */
#include "kernel/monitor/monitor.h"

#include <stddef.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/lineedit.h"
#include "kernel/options.h"
#include "lib/string.h"

#define PROMPT       "firstpage> "
#define PANIC_PROMPT "panic> "
#define MAX_WORDS    16

const struct command *const command_tables[] = { system_commands,  mm_commands,
						 numa_commands,    hotplug_commands,
						 memtest_commands, map_commands,
						 debug_commands,   NULL };

static bool panicked;

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; command_tables[i]; i++)
		for (const struct command *c = command_tables[i]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

/*
 * Cuts line at its blanks into words, an array of MAX_WORDS + 1, which a null pointer ends. Returns
 * the number of words, or -1 if there are more than MAX_WORDS.
 */
static int split(char *line, char **words)
{
	int count = 0;

	for (;;) {
		while (*line == ' ' || *line == '\t')
			*line++ = '\0';
		if (!*line)
			break;
		if (count == MAX_WORDS)
			return -1;
		words[count++] = line;
		while (*line && *line != ' ' && *line != '\t')
			line++;
	}
	words[count] = NULL;
	return count;
}

/* Runs the command that argv[0] names. Returns its status, or 127, as a shell, if there is none. */
static int run_words(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);
	int status;

	if (!command) {
		console_printf("%s: no such command; try help\n", argv[0]);
		return 127;
	}
	if (panicked && command->time != ALWAYS) {
		console_printf("%s: cannot run after a panic\n", argv[0]);
		return 1;
	}
	status = command->run(argc, argv);
	if (status == COMMAND_USAGE)
		console_printf("usage: %s%s%s\n", command->name, *command->usage ? " " : "",
			       command->usage);
	return status;
}

static void run_line(char *line)
{
	char *words[MAX_WORDS + 1];
	int count = split(line, words);
	int status;

	if (count == 0)
		return;
	if (count < 0) {
		console_printf("more than %d words\n", MAX_WORDS);
		return;
	}
	status = run_words(count, words);
	if (status)
		console_printf("%s: failed (%d)\n", words[0], status);
}

/*
 * Finds the first command of a list that semicolons separate: sets *begin and *length to it,
 * without blanks around it. Returns the rest of the list, or null if it was the last one.
 */
static const char *next_of_list(const char *list, const char **begin, size_t *length)
{
	size_t whole = 0;

	while (*list == ' ')
		list++;
	while (list[whole] && list[whole] != ';')
		whole++;
	*begin = list;
	*length = whole;
	while (*length > 0 && list[*length - 1] == ' ')
		--*length;
	return list[whole] ? list + whole + 1 : NULL;
}

static void run_list(const char *list)
{
	static char line[LINE_SIZE];
	const char *begin;
	size_t length;

	while (list) {
		list = next_of_list(list, &begin, &length);
		if (length == 0)
			continue;
		console_printf("%s%.*s\n", PROMPT, (int)length, begin);
		if (length >= sizeof(line)) {
			console_printf("longer than %zu characters: not run\n", sizeof(line) - 1);
			continue;
		}
		memcpy(line, begin, length);
		line[length] = '\0';
		run_line(line);
	}
}

static bool in_list; /* the commands of run= are running */

bool monitor_is_unattended(void)
{
	return in_list;
}

static uint64_t start_time;

uint64_t monitor_start_time(void)
{
	return start_time;
}

bool monitor_has_panicked(void)
{
	return panicked;
}

void monitor_after_panic(void)
{
	static char line[LINE_SIZE];

	panicked = true;
	console_use_polling();
	for (;;) {
		line_read(PANIC_PROMPT, line);
		run_line(line);
	}
}

void monitor(void)
{
	static char line[LINE_SIZE];

	start_time = arch_timestamp();
	in_list = options.run;
	if (options.run)
		run_list(options.run);
	in_list = false;
	for (;;) {
		line_read(PROMPT, line);
		run_line(line);
	}
}
