/* text: a growing byte string. `struct text t = {0}` is empty and valid; s is NUL-terminated once anything
 * was added. */
#ifndef RIVERS_BASE_TEXT_H
#define RIVERS_BASE_TEXT_H

#include <stddef.h>

struct text {
    char *s; /* NULL while nothing was added */
    size_t len, cap;
};

void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *p, size_t n);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *t);            /* empties, keeps the memory */
void text_release(struct text *t);          /* frees the memory; t is empty again */
const char *text_get(const struct text *t); /* never NULL */

#endif
