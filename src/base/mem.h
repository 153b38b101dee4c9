/* mem: allocation that cannot fail: out of memory ends the process with a message. */
#ifndef RIVERS_BASE_MEM_H
#define RIVERS_BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);           /* NULL stays NULL */
char *xmemdup(const void *p, size_t n); /* n bytes and a terminating NUL */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
