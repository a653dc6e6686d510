/*
 * lineedit.h: reads a line of input, with editing and history.
 */
#ifndef KERNEL_MONITOR_LINEEDIT_H
#define KERNEL_MONITOR_LINEEDIT_H

#include "kernel/monitor/complete.h"

#define LINE_SIZE 256 /* bytes of a line, with its terminating 0 */

/*
 * Shows prompt, reads a line into line, LINE_SIZE bytes, and echoes it. The line is terminated by a
 * 0 and has no end-of-line character; it is empty if Ctrl-C was typed. CR, LF and CR LF each end
 * one line.
 *
 *   left, right, Ctrl-B, Ctrl-F     move the cursor by a character
 *   home, end, Ctrl-A, Ctrl-E       move the cursor to the beginning or the end of the line
 *   backspace                       deletes the character before the cursor
 *   delete, Ctrl-D                  deletes the character at the cursor
 *   Ctrl-W, Ctrl-U, Ctrl-K          deletes the word before, all before, all from the cursor on
 *   up, down, Ctrl-P, Ctrl-N        shows the previous, the next line of the history
 *   Tab                             completes the word before the cursor, of those that `words`
 *                                   returns, as far as there is one way; a second one lists them
 *   Ctrl-L                          clears the screen
 *   Ctrl-C                          abandons the line
 */
void line_read(const char *prompt, char *line, complete_fn words);

#endif
