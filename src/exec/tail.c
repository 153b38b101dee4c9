#include "exec/tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CAP_MIN_BYTES = 4096 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void discard(struct tail *t, size_t n)
{
    t->start += n;
    t->len -= n;
    t->first += n;
}

/* Twice as much memory as waits, so that bytes are moved to the front once in len new bytes and not at every
 * call. */
static void make_room(struct tail *t, size_t more)
{
    size_t need = t->len + more;

    if (t->start + need <= t->cap)
        return;
    if (t->start)
        memmove(t->bytes, t->bytes + t->start, t->len);
    t->start = 0;
    if (2 * need > t->cap) {
        t->cap = 2 * need > CAP_MIN_BYTES ? 2 * need : CAP_MIN_BYTES;
        t->bytes = xrealloc(t->bytes, t->cap);
    }
}

void tail_add(struct tail *t, const void *p, size_t n)
{
    size_t kept = min_size(n, TAIL_MAX_BYTES);
    size_t room = TAIL_MAX_BYTES - kept;

    if (!n)
        return;
    if (t->len > room)
        discard(t, t->len - room);
    t->first += n - kept; /* only when t is empty by now: the beginning of p itself is dropped */
    make_room(t, kept);
    memcpy(t->bytes + t->start + t->len, (const char *)p + (n - kept), kept);
    t->len += kept;
}

struct tail_chunk tail_peek(const struct tail *t, size_t max)
{
    size_t len = min_size(t->len, max);

    return (struct tail_chunk){
        .bytes = len ? t->bytes + t->start : "",
        .len = len,
        .end = t->first + len,
    };
}

void tail_consume(struct tail *t, uint64_t end)
{
    if (end > t->first)
        discard(t, (size_t)(end - t->first));
}

void tail_release(struct tail *t)
{
    free(t->bytes);
    *t = (struct tail){0};
}
