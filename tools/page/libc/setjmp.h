/* setjmp.h: a panic ends in an exception of JavaScript: engine.c, sim_panics(). */
#ifndef TOOLS_PAGE_LIBC_SETJMP_H
#define TOOLS_PAGE_LIBC_SETJMP_H

typedef int jmp_buf[1];

__attribute__((__noreturn__)) void longjmp(jmp_buf place, int value);

#endif
