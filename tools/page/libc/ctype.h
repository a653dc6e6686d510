/* ctype.h: the classes of ASCII. */
#ifndef TOOLS_PAGE_LIBC_CTYPE_H
#define TOOLS_PAGE_LIBC_CTYPE_H

int isalnum(int c);
int isalpha(int c);
int isdigit(int c);
int isprint(int c);
int ispunct(int c);
int isspace(int c);
int isupper(int c);
int isxdigit(int c);
int tolower(int c);

#endif
