/*
 * tail: the buffer between a step's output and its reader in Redis: bytes come in as they are written, go out
 * in chunks, and when more than TAIL_MAX_BYTES wait the oldest are dropped: the positions of the next chunk tell. So a
 * flood costs bounded memory and its end survives.
 */
#ifndef RIVERS_EXEC_TAIL_H
#define RIVERS_EXEC_TAIL_H

#include <stddef.h>
#include <stdint.h>

#define TAIL_MAX_BYTES   ((size_t)1024 * 1024)
#define TAIL_CHUNK_BYTES ((size_t)64 * 1024) /* so many waiting bytes are worth sending before the timer */

/* `struct tail t = {0}` is empty and valid. Positions count all bytes that ever came in. */
struct tail {
    char *bytes;
    size_t start, len, cap; /* the waiting bytes are bytes[start .. start + len) */
    uint64_t first;         /* position of the oldest waiting byte */
};

struct tail_chunk {
    const char *bytes; /* borrowed until the next tail_ call that changes the tail */
    size_t len;        /* 0: nothing waits */
    uint64_t end;      /* position behind it, for tail_consume once the chunk is sent */
};

void tail_add(struct tail *t, const void *p, size_t n);

/* The oldest waiting bytes, at most max of them; they stay in the tail. */
struct tail_chunk tail_peek(const struct tail *t, size_t max);

/* The bytes up to `end` were sent. Bytes may have come in and even been dropped since the chunk was peeked. */
void tail_consume(struct tail *t, uint64_t end);

void tail_release(struct tail *t); /* frees the memory; t is empty and new again */

#endif
