/*
 * lineedit.h: one line of input, with editing and history.
 */
#ifndef KERNEL_MONITOR_LINEEDIT_H
#define KERNEL_MONITOR_LINEEDIT_H

#define LINE_SIZE 256 /* with its terminating 0 */

/*
 * Shows prompt, reads a line into line (LINE_SIZE bytes, terminated, without its end) and echoes
 * it. An empty line, and one given up by Ctrl-C, is "". CR, LF and CR LF each end one line.
 *
 *   left, right, home, end, Ctrl-A, Ctrl-E     move
 *   backspace, delete, Ctrl-D                  take out a character
 *   Ctrl-W, Ctrl-U, Ctrl-K                     take out the word before, all before, all behind
 *   up, down                                   lines before
 *   Ctrl-L                                     clear the screen
 *   Ctrl-C                                     give the line up
 */
void line_read(const char *prompt, char *line);

#endif
