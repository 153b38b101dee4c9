#include "core/bell.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/timer.h"

#define FAULT_PAUSE_MS 1000 /* before a refused wait is answered, so that its caller does not spin */

struct bell {
    struct redis *redis;
    struct event *pause;
    char *key;
    bool ended;
    void (*on_ring)(void *arg, bool rung);
    void *arg;
};

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct bell *b = arg;

    (void)fd;
    (void)what;
    b->on_ring(b->arg, false);
}

static void on_popped(void *arg, const struct reply *reply, const struct err *e)
{
    struct bell *b = arg;

    if (b->ended)
        return;
    if (reply)
        b->on_ring(b->arg, !reply_is_nil(reply));
    else if (e->code == ERR_SERVER)
        timer_set(b->pause, FAULT_PAUSE_MS);
    else
        b->on_ring(b->arg, false);
}

struct bell *bell_new(struct store *store, const char *name, void (*on_ring)(void *arg, bool rung), void *arg)
{
    struct bell *b = xcalloc(1, sizeof *b);
    struct redis *redis = store_redis_get(store);
    char key[256];

    b->key = xstrdup(store_key(store, key, sizeof key, name, ""));
    b->redis = redis_new(redis_base_get(redis), redis_url_get(redis), "rivers-bell");
    b->pause = evtimer_new(redis_base_get(redis), on_pause_over, b);
    b->on_ring = on_ring;
    b->arg = arg;
    return b;
}

void bell_free(struct bell *b)
{
    if (!b)
        return;
    b->ended = true;
    redis_free(b->redis);
    event_free(b->pause);
    free(b->key);
    free(b);
}

void bell_wait(struct bell *b, int64_t timeout_ms)
{
    char seconds[32];
    const char *argv[] = {"BLPOP", b->key, seconds};

    snprintf(seconds, sizeof seconds, "%" PRId64 ".%03" PRId64, timeout_ms / 1000, timeout_ms % 1000);
    redis_send(b->redis, 0, timeout_ms + 5000, 3, argv, NULL, on_popped, b);
}
