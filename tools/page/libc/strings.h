/* strings.h: strncasecmp(). */
#ifndef TOOLS_PAGE_LIBC_STRINGS_H
#define TOOLS_PAGE_LIBC_STRINGS_H

#include <string.h>

#endif
