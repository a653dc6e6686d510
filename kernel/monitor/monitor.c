/*
 * monitor.c: how a line becomes the call of a command.
 *
 *	run= "a; b 1; c"   ─────────────────┐
 *	                                    ├─→ commands ─→ words ─→ table ─→ run(argc, argv)
 *	keyboard, serial   ─→ line editor ──┘
 *
 * After a command that fails the monitor prints its name and status, and goes on with the next one.
 */
#include "kernel/monitor/monitor.h"

#include <stddef.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/pager.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/complete.h"
#include "kernel/monitor/lineedit.h"
#include "kernel/options.h"
#include "kernel/parse.h"
#include "lib/format.h"
#include "lib/string.h"

#define PROMPT       "firstpage> "
#define PANIC_PROMPT "panic> "
#define MAX_WORDS    16

const struct command *const command_tables[] = { system_commands,  mm_commands,
						 numa_commands,    hotplug_commands,
						 memtest_commands, map_commands,
						 debug_commands,   NULL };

#define FIRST_WORDS "help lists the commands, help COMMAND explains one; Tab completes words.\n"

static bool panicked;

const struct command *command_named(const char *name)
{
	for (size_t i = 0; command_tables[i]; i++)
		for (const struct command *c = command_tables[i]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

const struct command *command_at(size_t i)
{
	for (size_t table = 0; command_tables[table]; table++)
		for (const struct command *c = command_tables[table]; c->name; c++)
			if ((c->time == ALWAYS || !panicked) && i-- == 0)
				return c;
	return NULL;
}

bool command_number(const char *word, const char *what, uint64_t max, uint64_t *value)
{
	uint64_t number;

	if (parse_number(word, &number) && number <= max) {
		*value = number;
		return true;
	}
	console_printf("%s is not %s", word, what);
	if (max < UINT64_MAX)
		console_printf(" from 0 to %llu", ULL(max));
	console_printf("\n");
	return false;
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

/* Returns the i-th word that may stand at place nr of a line, of which name is the first word, or
   NULL: a complete_fn. */
static const char *word_at(const char *name, int nr, size_t i)
{
	const struct command *c = nr ? command_named(name) : command_at(i);

	if (!nr)
		return c ? c->name : NULL;
	return c && c->word ? c->word(nr, i) : NULL;
}

/* Returns whether a command takes so many arguments. If not, says so. */
static bool takes(const struct command *command, int nr)
{
	unsigned int max = command->max_args;

	if (nr > (int)max && !max)
		console_printf("%s: takes no arguments\n", command->name);
	else if (nr > (int)max)
		console_printf("%s: takes at most %u argument%s\n", command->name, max,
			       max > 1 ? "s" : "");
	else if (nr < command->min_args)
		console_printf("%s: an argument is missing\n", command->name);
	else
		return true;
	return false;
}

/* Runs the command that argv[0] names. Returns its status, or 127, as a shell, if there is none. */
static int run_words(int argc, char **argv)
{
	const struct command *command = command_named(argv[0]);
	int status;

	if (!command) {
		console_printf("%s: no such command; try help\n", argv[0]);
		return 127;
	}
	if (panicked && command->time != ALWAYS) {
		console_printf("%s: cannot run after a panic\n", argv[0]);
		return 1;
	}
	status = takes(command, argc - 1) ? command->run(argc, argv) : COMMAND_USAGE;
	if (status == COMMAND_USAGE)
		console_printf("usage: %s%s%s\n", command->name, *command->usage ? " " : "",
			       command->usage);
	return status;
}

static char line[LINE_SIZE];

/* Runs the line, which was typed or not. Returns whether its command has done what was asked, or
   there is none. */
static bool run_line(bool is_typed)
{
	char *words[MAX_WORDS + 1];
	int count = split(line, words);
	int status;

	if (count == 0)
		return true;
	if (count < 0) {
		console_printf("more than %d words: not run\n", MAX_WORDS);
		return false;
	}
	if (is_typed)
		pager_begin();
	status = run_words(count, words);
	pager_end();
	if (status)
		console_printf("%s: failed (%d)\n", words[0], status);
	return !status;
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

static bool list_failed; /* a command of run= */

bool monitor_list_failed(void)
{
	return list_failed;
}

/* Runs the commands of list, which was typed or is the value of run=. The latter are echoed. */
static void run_list(const char *list, bool is_typed)
{
	const char *begin;
	size_t length;

	while (list) {
		list = next_of_list(list, &begin, &length);
		if (length == 0)
			continue;
		if (!is_typed)
			console_printf("%s%.*s\n", PROMPT, (int)length, begin);
		if (length >= sizeof(line)) {
			console_printf("longer than %zu characters: not run\n", sizeof(line) - 1);
			list_failed = true;
			continue;
		}
		memcpy(line, begin, length);
		line[length] = '\0';
		if (!run_line(is_typed) && !is_typed)
			list_failed = true;
	}
}

static void read_and_run(const char *prompt)
{
	static char typed[LINE_SIZE];

	line_read(prompt, typed, word_at);
	run_list(typed, true);
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
	panicked = true;
	console_use_polling();
	for (;;) {
		read_and_run(PANIC_PROMPT);
	}
}

void monitor(void)
{
	start_time = arch_timestamp();
	in_list = options.run;
	if (options.run)
		run_list(options.run, false);
	in_list = false;
	console_printf(FIRST_WORDS);
	for (;;) {
		read_and_run(PROMPT);
	}
}
