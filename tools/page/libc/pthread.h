/* pthread.h: there is one thread: every lock is free. */
#ifndef TOOLS_PAGE_LIBC_PTHREAD_H
#define TOOLS_PAGE_LIBC_PTHREAD_H

typedef int pthread_mutex_t;

#define PTHREAD_MUTEX_INITIALIZER    0
#define pthread_mutex_lock(mutex)    ((void)(mutex))
#define pthread_mutex_trylock(mutex) ((void)(mutex), 0)
#define pthread_mutex_unlock(mutex)  ((void)(mutex))

#endif
