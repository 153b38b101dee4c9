#include "redis/reader.h"

#include <event2/buffer.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/mem.h"

#define REPLY_MAX_BYTES (512u << 20)

struct reader {
    redisReader *codec;
    size_t partial_bytes; /* fed since the last whole reply */
};

struct reader *reader_new(void)
{
    struct reader *rd = xcalloc(1, sizeof *rd);

    rd->codec = redisReaderCreate();
    if (!rd->codec)
        abort();
    return rd;
}

void reader_free(struct reader *rd)
{
    if (!rd)
        return;
    redisReaderFree(rd->codec);
    free(rd);
}

void reader_feed(struct reader *rd, struct evbuffer *in)
{
    size_t n;

    while ((n = evbuffer_get_contiguous_space(in)) > 0) {
        redisReaderFeed(rd->codec, (const char *)evbuffer_pullup(in, (ev_ssize_t)n), n);
        evbuffer_drain(in, n);
        rd->partial_bytes += n;
    }
}

int reader_next(struct reader *rd, struct reply **reply, struct err *e)
{
    void *whole = NULL;

    *reply = NULL;
    if (redisReaderGetReply(rd->codec, &whole) != REDIS_OK)
        return err_set(e, ERR_UNKNOWN, "%s", redisReaderGetError(rd->codec));
    if (!whole && rd->partial_bytes > REPLY_MAX_BYTES)
        return err_set(e, ERR_UNKNOWN, "a reply of more than 512 MiB");
    if (whole)
        rd->partial_bytes = 0;
    *reply = whole;
    return 0;
}
