/* errno.h: nothing fails. */
#ifndef TOOLS_PAGE_LIBC_ERRNO_H
#define TOOLS_PAGE_LIBC_ERRNO_H

#define ENOMEM 12

#endif
