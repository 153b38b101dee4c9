#include "redis/reader.h"

#include <event2/buffer.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/mem.h"

#define REPLY_MAX_BYTES    (512u << 20)
#define REPLY_MAX_ELEMENTS (16u << 20)

#if HIREDIS_MAJOR < 1
typedef int element_count;
#else
typedef size_t element_count;
#endif

struct reader {
    redisReader *codec;
    redisReplyObjectFunctions functions;                            /* of hiredis, but for arrays */
    void *(*array_new)(const redisReadTask *task, element_count n); /* the one of hiredis */
    size_t partial_bytes, partial_elements;                         /* since the last whole reply */
};

/* hiredis makes room for as many elements as the server announces. NULL ends the connection. */
static void *array_new(const redisReadTask *task, element_count n)
{
    struct reader *rd = task->privdata;

    rd->partial_elements += (size_t)n;
    return rd->partial_elements <= REPLY_MAX_ELEMENTS ? rd->array_new(task, n) : NULL;
}

struct reader *reader_new(void)
{
    struct reader *rd = xcalloc(1, sizeof *rd);

    rd->codec = redisReaderCreate();
    if (!rd->codec)
        abort();
    rd->functions = *rd->codec->fn;
    rd->array_new = rd->functions.createArray;
    rd->functions.createArray = array_new;
    rd->codec->fn = &rd->functions;
    rd->codec->privdata = rd;
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
        rd->partial_bytes = rd->partial_elements = 0;
    *reply = whole;
    return 0;
}
