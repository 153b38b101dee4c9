/* lines: bytes that arrive in pieces, cut anywhere, taken out line by line. */
#ifndef RIVERS_HTTP_LINES_H
#define RIVERS_HTTP_LINES_H

#include <stddef.h>

#include "base/text.h"

struct lines { /* {.max = ...} is empty and valid */
    struct text bytes;
    size_t taken, seen; /* what is before `taken` was given; between it and `seen` there is no newline */
    size_t begun;       /* bytes of the last line, which has no newline yet */
    size_t max;         /* bytes of a line */
};

/* -1: a line is longer than max. The lines before it can still be taken, nothing can be fed any more. */
__attribute__((warn_unused_result)) int lines_feed(struct lines *l, const void *bytes, size_t n);

/* The next line, NUL-terminated in place of its newline; NULL: not there yet. Borrowed until the next call. */
char *lines_next(struct lines *l, size_t *len);

/* What stands behind the last newline when nothing more comes; NULL: nothing. */
char *lines_rest(struct lines *l, size_t *len);

void lines_release(struct lines *l);

#endif
