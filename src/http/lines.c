#include "http/lines.h"

#include <string.h>

/* Moves what is left to the front, so that the memory does not grow with the stream. */
static void drop_taken(struct lines *l)
{
    size_t left = l->bytes.len - l->taken;

    if (!l->taken)
        return;
    memmove(l->bytes.s, l->bytes.s + l->taken, left + 1);
    l->bytes.len = left;
    l->seen -= l->taken;
    l->taken = 0;
}

int lines_feed(struct lines *l, const void *bytes, size_t n)
{
    const char *at = bytes;

    drop_taken(l);
    while (n) {
        const char *newline = memchr(at, '\n', n);
        size_t piece = newline ? (size_t)(newline + 1 - at) : n;
        l->begun += newline ? piece - 1 : piece;
        if (l->begun > l->max)
            return -1;
        text_add_bytes(&l->bytes, at, piece);
        if (newline)
            l->begun = 0;
        at += piece;
        n -= piece;
    }
    return 0;
}

char *lines_next(struct lines *l, size_t *len)
{
    char *end = l->bytes.len > l->seen ? memchr(l->bytes.s + l->seen, '\n', l->bytes.len - l->seen) : NULL;
    char *line = end ? l->bytes.s + l->taken : NULL;

    l->seen = end ? (size_t)(end + 1 - l->bytes.s) : l->bytes.len;
    if (!end)
        return NULL;
    *end = '\0';
    *len = (size_t)(end - line);
    l->taken = l->seen;
    return line;
}

char *lines_rest(struct lines *l, size_t *len)
{
    *len = l->bytes.len - l->taken;
    if (!*len)
        return NULL;
    char *line = l->bytes.s + l->taken;
    l->taken = l->seen = l->bytes.len;
    return line;
}

void lines_release(struct lines *l)
{
    text_release(&l->bytes);
}
