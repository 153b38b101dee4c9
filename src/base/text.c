#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void reserve(struct text *t, size_t more)
{
    size_t need = t->len + more + 1;

    if (need <= t->cap)
        return;
    t->cap = need < 64 ? 64 : need * 2;
    t->s = xrealloc(t->s, t->cap);
}

void text_add_bytes(struct text *t, const void *p, size_t n)
{
    reserve(t, n);
    if (n)
        memcpy(t->s + t->len, p, n);
    t->len += n;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

void text_addf(struct text *t, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n > 0)
        text_add_bytes(t, s, (size_t)n);
    free(s);
}

void text_clear(struct text *t)
{
    t->len = 0;
    if (t->s)
        t->s[0] = '\0';
}

void text_release(struct text *t)
{
    free(t->s);
    *t = (struct text){0};
}

const char *text_get(const struct text *t)
{
    return t->s ? t->s : "";
}
