/* sched.h: there is one thread. */
#ifndef TOOLS_PAGE_LIBC_SCHED_H
#define TOOLS_PAGE_LIBC_SCHED_H

#define sched_yield() 0

#endif
