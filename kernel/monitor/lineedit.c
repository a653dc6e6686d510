/*
 * lineedit.c: how the line is shown.
 *
 * The VGA console and a serial terminal get the same bytes, and these should also be readable in a
 * log. So a character that is typed at the end of the line is only echoed, and every other change
 * repaints the line: a carriage return, the line, and blanks over the rest of what was there. A
 * line that is too long for the screen is shown through a window that follows the cursor:
 *
 *	firstpage> ····[ shown, WINDOW columns ]····
 *	               ^ first         ^ cursor
 */
#include "kernel/monitor/lineedit.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/arch.h"
#include "kernel/console/console.h"
#include "kernel/console/keys.h"
#include "kernel/memory/hotplug.h"
#include "lib/string.h"

#define COLUMNS     80
#define HISTORY     16
#define CLEAR       "\033[2J\033[H"
#define DELETE_CHAR 0x7f

struct editor {
	const char *prompt;
	char *text;
	size_t length, cursor;
	size_t first;    /* index of the first character that is shown */
	size_t window;   /* columns for characters; one more stays free for the cursor */
	size_t shown;    /* number of characters on the screen now */
	size_t recalled; /* which line of the history is shown; 0: none, 1: the last */
};

static char history[HISTORY][LINE_SIZE]; /* a ring */
static size_t nr_remembered;             /* lines since boot */
static char typed[LINE_SIZE];            /* the unfinished line, while the history is shown */

/* ---- the screen ---- */

static void repeat(char c, size_t count)
{
	while (count-- > 0)
		console_write(&c, 1);
}

static void keep_cursor_in_window(struct editor *e)
{
	if (e->cursor < e->first)
		e->first = e->cursor;
	else if (e->cursor > e->first + e->window)
		e->first = e->cursor - e->window;
}

/* Returns how many characters of the line the window shows. */
static size_t visible(const struct editor *e)
{
	size_t behind = e->length - e->first;

	return behind < e->window ? behind : e->window;
}

static void repaint(struct editor *e)
{
	size_t count, blanks;

	keep_cursor_in_window(e);
	count = visible(e);
	blanks = e->shown > count ? e->shown - count : 0;
	console_printf("\r%s", e->prompt);
	console_write(e->text + e->first, count);
	repeat(' ', blanks);
	repeat('\b', blanks + e->first + count - e->cursor);
	e->shown = count;
}

/* ---- changes ---- */

static void insert(struct editor *e, char c)
{
	if (e->length + 1 == LINE_SIZE) {
		console_write("\a", 1);
		return;
	}
	memmove(e->text + e->cursor + 1, e->text + e->cursor, e->length - e->cursor);
	e->text[e->cursor++] = c;
	e->length++;
	if (e->cursor == e->length && e->cursor <= e->first + e->window) {
		console_write(&c, 1);
		e->shown = visible(e);
	} else {
		repaint(e);
	}
}

/* Deletes the characters [from, to). The cursor is at one of them, or just behind. */
static void take_out(struct editor *e, size_t from, size_t to)
{
	if (from == to)
		return;
	memmove(e->text + from, e->text + to, e->length - to);
	e->length -= to - from;
	e->cursor = from;
	repaint(e);
}

static void move_to(struct editor *e, size_t cursor)
{
	if (cursor == e->cursor)
		return;
	e->cursor = cursor;
	repaint(e);
}

/* Returns where the word before the cursor begins. */
static size_t word_before(const struct editor *e)
{
	size_t at = e->cursor;

	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

/* ---- history ---- */

/* Adds a line to the history, unless it is empty or the same as the last one. */
static void remember(const char *line)
{
	const char *last = history[(nr_remembered - 1) % HISTORY];

	if (!*line || (nr_remembered && strcmp(last, line) == 0))
		return;
	memcpy(history[nr_remembered++ % HISTORY], line, strlen(line) + 1);
}

/* Shows the line `back` lines ago, 0 for the one being typed. Does nothing if there is none. */
static void recall(struct editor *e, size_t back)
{
	size_t limit = nr_remembered < HISTORY ? nr_remembered : HISTORY;
	const char *line;

	if (back > limit)
		return;
	if (e->recalled == 0) {
		memcpy(typed, e->text, e->length);
		typed[e->length] = '\0';
	}
	e->recalled = back;
	line = back ? history[(nr_remembered - back) % HISTORY] : typed;
	e->length = strlen(line);
	memcpy(e->text, line, e->length);
	e->cursor = e->length;
	repaint(e);
}

/* ---- keys ---- */

static void clear_screen(struct editor *e)
{
	console_printf(CLEAR);
	repaint(e);
}

static void move_key(struct editor *e, int key)
{
	switch (key) {
	case KEY_LEFT:
	case CTRL('B'):
		move_to(e, e->cursor - (e->cursor > 0));
		break;
	case KEY_RIGHT:
	case CTRL('F'):
		move_to(e, e->cursor + (e->cursor < e->length));
		break;
	case KEY_HOME:
	case CTRL('A'):
		move_to(e, 0);
		break;
	case KEY_END:
	case CTRL('E'):
		move_to(e, e->length);
		break;
	default:
		break;
	}
}

static void edit_key(struct editor *e, int key)
{
	switch (key) {
	case '\b':
	case DELETE_CHAR:
		take_out(e, e->cursor - (e->cursor > 0), e->cursor);
		break;
	case KEY_DELETE:
	case CTRL('D'):
		take_out(e, e->cursor, e->cursor + (e->cursor < e->length));
		break;
	case CTRL('U'):
		take_out(e, 0, e->cursor);
		break;
	case CTRL('K'):
		take_out(e, e->cursor, e->length);
		break;
	case CTRL('W'):
		take_out(e, word_before(e), e->cursor);
		break;
	case KEY_UP:
	case CTRL('P'):
		recall(e, e->recalled + 1);
		break;
	case KEY_DOWN:
	case CTRL('N'):
		if (e->recalled > 0)
			recall(e, e->recalled - 1);
		break;
	case CTRL('L'):
		clear_screen(e);
		break;
	default:
		move_key(e, key);
	}
}

/* Shows the line again below what was printed meanwhile. */
static void show_again(struct editor *e)
{
	e->shown = 0;
	repaint(e);
}

/* Prints the words of c below the line, as many in a line as the screen has room for. */
static void list_words(const struct completion *c)
{
	size_t column = 0;
	const char *word;

	for (size_t i = 0; (word = completion_word(c, i)); i++) {
		column += strlen(word) + 1;
		if (!i || column > COLUMNS)
			console_printf("\n%s", word);
		else
			console_printf(" %s", word);
		column = column > COLUMNS ? strlen(word) + 1 : column;
	}
	console_printf("\n");
}

/* Types c at the cursor, unless it is what stands there. */
static void step_over_or_insert(struct editor *e, char c)
{
	if (e->cursor < e->length && e->text[e->cursor] == c)
		move_to(e, e->cursor + 1);
	else
		insert(e, c);
}

/* What Tab does; with again, after a Tab. */
static void complete_word(struct editor *e, complete_fn words, bool again)
{
	struct completion c;

	complete(&c, e->text, e->cursor, words);
	for (size_t i = c.length; i < c.common; i++)
		step_over_or_insert(e, c.first[i]);
	if (c.count == 1)
		step_over_or_insert(e, ' ');
	else if (c.common > c.length)
		return;
	else if (!again || !c.count)
		console_write("\a", 1);
	else {
		list_words(&c);
		show_again(e);
	}
}

/*
 * Returns the next key. While none comes, memory may be plugged and unplugged; what that logs comes
 * below the line, which is then shown once more. After a panic this does not happen.
 */
static int next_key(struct editor *e)
{
	int key = key_kept();

	if (key != KEY_NONE)
		return key;
	if (console_is_polling())
		return key_read();
	while ((key = key_poll()) == KEY_NONE) {
		if (hotplug_changed()) {
			console_printf("\n");
			hotplug_poll();
			show_again(e);
		}
		arch_idle();
	}
	return key;
}

void line_read(const char *prompt, char *line, complete_fn words)
{
	struct editor e = {
		.prompt = prompt,
		.text = line,
		.window = COLUMNS - strlen(prompt) - 1,
	};

	console_printf("%s", prompt);
	for (int key = KEY_NONE, last;;) {
		last = key;
		key = next_key(&e);

		if (key == '\r' || key == '\n')
			break;
		if (key == CTRL('C')) {
			move_to(&e, e.length);
			console_printf("^C");
			e.length = 0;
			break;
		}
		if (key >= ' ' && key < DELETE_CHAR)
			insert(&e, (char)key);
		else if (key == '\t')
			complete_word(&e, words, last == '\t');
		else
			edit_key(&e, key);
	}
	console_printf("\n");
	line[e.length] = '\0';
	remember(line);
}
