/* stdio.h: what is printed goes to the two streams that engine.js collects. */
#ifndef TOOLS_PAGE_LIBC_STDIO_H
#define TOOLS_PAGE_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct file FILE; /* a stream: its number is its address */

#define stdin                 ((FILE *)0)
#define stdout                ((FILE *)1)
#define stderr                ((FILE *)2)

#define PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))

PRINTF(1, 2) int printf(const char *fmt, ...);
PRINTF(2, 3) int fprintf(FILE *file, const char *fmt, ...);
PRINTF(3, 4) int snprintf(char *text, size_t size, const char *fmt, ...);
PRINTF(1, 0) int vprintf(const char *fmt, va_list ap);
PRINTF(2, 0) int vfprintf(FILE *file, const char *fmt, va_list ap);
PRINTF(3, 0) int vsnprintf(char *text, size_t size, const char *fmt, va_list ap);
int putchar(int c);
int fputc(int c, FILE *file);
int fputs(const char *text, FILE *file);
int fflush(FILE *file);
void perror(const char *what);

/* There are no files. */
FILE *fopen(const char *name, const char *mode);
size_t fread(void *to, size_t size, size_t nr, FILE *file);
int fclose(FILE *file);

#endif
