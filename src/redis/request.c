#include "redis/request.h"

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"

#define DEFAULT_DEADLINE_MS 10000

struct request *request_new(struct redis *r, int head_argc, const char *const *head, int argc,
                            const char *const *argv, const size_t *lens)
{
    struct request *q = xcalloc(1, sizeof *q);
    size_t n = (size_t)head_argc + (size_t)argc;
    const char **words = xmalloc(n * sizeof *words);
    size_t *sizes = xmalloc(n * sizeof *sizes);

    for (size_t i = 0; i < n; i++) {
        size_t of_argv = i - (size_t)head_argc;
        bool in_head = i < (size_t)head_argc;
        words[i] = in_head ? head[i] : argv[of_argv];
        sizes[i] = in_head || !lens ? strlen(words[i]) : lens[of_argv];
    }
    q->redis = r;
    long long len = redisFormatCommandArgv(&q->bytes, (int)n, words, sizes);
    if (len < 0)
        abort();
    q->len = (size_t)len;
    free(words);
    free(sizes);
    return q;
}

void request_free(struct request *q)
{
    if (q->timer)
        event_free(q->timer);
    redisFreeCommand(q->bytes);
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
