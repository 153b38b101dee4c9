#include "redis/request.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"

#define DEFAULT_DEADLINE_MS 10000

/* "*3\r\n", "$7\r\n": by hand, as a call has many of them. */
static void add_header(struct text *bytes, char kind, size_t n)
{
    char line[32], *at = line + sizeof line;

    *--at = '\n';
    *--at = '\r';
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    *--at = kind;
    text_add_bytes(bytes, at, (size_t)(line + sizeof line - at));
}

static void add_word(struct text *bytes, const char *word, size_t len)
{
    add_header(bytes, '$', len);
    text_add_bytes(bytes, word, len);
    text_add_bytes(bytes, "\r\n", 2);
}

struct request *request_new(struct redis *r, int head_argc, const char *const *head, int argc,
                            const char *const *argv, const size_t *lens)
{
    struct request *q = xcalloc(1, sizeof *q);

    q->redis = r;
    add_header(&q->bytes, '*', (size_t)head_argc + (size_t)argc);
    for (int i = 0; i < head_argc; i++)
        add_word(&q->bytes, head[i], strlen(head[i]));
    for (int i = 0; i < argc; i++)
        add_word(&q->bytes, argv[i], lens ? lens[i] : strlen(argv[i]));
    return q;
}

void request_free(struct request *q)
{
    if (q->timer)
        event_free(q->timer);
    text_release(&q->bytes);
    free(q);
}

void request_await(struct request *q, int64_t deadline_ms, void (*on_deadline)(int fd, short what, void *arg),
                   redis_reply_fn *on_reply, void *arg)
{
    q->deadline_ms = deadline_ms ? deadline_ms : DEFAULT_DEADLINE_MS;
    q->on_reply = on_reply;
    q->arg = arg;
    q->timer = evtimer_new(redis_base_get(q->redis), on_deadline, q);
    timer_set(q->timer, q->deadline_ms);
}

void request_end(struct request *q, const struct reply *reply, const struct err *e)
{
    redis_reply_fn *on_reply = q->on_reply;
    void *arg = q->arg;

    request_free(q);
    if (on_reply)
        on_reply(arg, reply, e);
}
