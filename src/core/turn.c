#include "core/turn.h"

#include <stdlib.h>

#include "base/mem.h"

struct turn {
    int64_t seen, now_ms, looked_at, token, ready;
    int awaited;  /* answers */
    struct err e; /* of the first question that has none */
    void (*on_turn)(void *arg, bool ours, const struct err *e);
    void *arg;
};

static void on_answered(struct turn *t, const struct reply *r, const struct err *e)
{
    bool just_looked = t->now_ms >= t->looked_at && t->now_ms < t->looked_at + TURN_MS;

    if (!r && t->e.code == ERR_NONE)
        t->e = *e;
    if (--t->awaited > 0)
        return;
    t->on_turn(t->arg, !just_looked || t->ready > 0 || t->seen > t->token, &t->e);
    free(t);
}

static void on_time(void *arg, const struct reply *r, const struct err *e)
{
    struct turn *t = arg;

    t->now_ms = reply_int(reply_at(r, 0), 0) * 1000 + reply_int(reply_at(r, 1), 0) / 1000;
    on_answered(t, r, e);
}

static void on_meta(void *arg, const struct reply *r, const struct err *e)
{
    struct turn *t = arg;

    t->looked_at = reply_int(reply_at(r, 0), 0);
    t->token = reply_int(reply_at(r, 1), 0);
    on_answered(t, r, e);
}

static void on_ready(void *arg, const struct reply *r, const struct err *e)
{
    struct turn *t = arg;

    t->ready = reply_int(r, 0);
    on_answered(t, r, e);
}

void turn_ask(struct store *s, int64_t seen, int64_t deadline_ms,
              void (*on_turn)(void *arg, bool ours, const struct err *e), void *arg)
{
    struct redis *redis = store_redis_get(s);
    struct turn *t = xcalloc(1, sizeof *t);
    char meta[128], ready[128];
    const char *time[] = {"TIME"};
    const char *looked[] = {"HMGET", store_key(s, meta, sizeof meta, "meta", ""), "swept_at", "token"};
    const char *any[] = {"EXISTS", store_key(s, ready, sizeof ready, "ready", "")};

    *t = (struct turn){.seen = seen, .awaited = 3, .on_turn = on_turn, .arg = arg};
    redis_send(redis, REDIS_RESEND, deadline_ms, 1, time, NULL, on_time, t);
    redis_send(redis, REDIS_RESEND, deadline_ms, 4, looked, NULL, on_meta, t);
    redis_send(redis, REDIS_RESEND, deadline_ms, 2, any, NULL, on_ready, t);
}
