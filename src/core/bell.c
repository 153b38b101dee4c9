#include "core/bell.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/timer.h"

#define LISTEN_S       "60" /* then it is asked again: the connection may be dead */
#define LISTEN_MS      65000
#define FAULT_PAUSE_MS 1000 /* before what was refused is asked again */

struct bell {
    struct redis *redis;
    struct event *pause;
    char *key;
    bool listening, ended;
    void (*on_ring)(void *arg);
    void *arg;
};

static void pop(struct bell *b);

static void on_popped(void *arg, const struct reply *reply, const struct err *e)
{
    struct bell *b = arg;

    if (b->ended)
        return;
    if (reply && reply_is_nil(reply)) {
        pop(b);
    } else if (!reply && e->code == ERR_SERVER) {
        timer_set(b->pause, FAULT_PAUSE_MS);
    } else {
        b->listening = false;
        b->on_ring(b->arg);
    }
}

static void pop(struct bell *b)
{
    const char *argv[] = {"BLPOP", b->key, LISTEN_S};

    redis_send(b->redis, 0, LISTEN_MS, 3, argv, NULL, on_popped, b);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pop(arg);
}

struct bell *bell_new(struct store *store, const char *name, void (*on_ring)(void *arg), void *arg)
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

void bell_listen(struct bell *b)
{
    if (!b->listening)
        pop(b);
    b->listening = true;
}
