#include "core/doctor.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/read.h"

struct call *doctor_call(struct store *s, bool mends, const char *cursor)
{
    struct call *c = call_new(s, mends ? SCRIPT_DOCTOR_MEND : SCRIPT_DOCTOR_AUDIT);

    call_str(c, cursor);
    return c;
}

const char *doctor_next(const struct reply *r)
{
    return reply_str(reply_at(r, 1));
}

size_t doctor_count(const struct reply *r)
{
    return reply_count(r) - 2;
}

struct fault doctor_at(const struct reply *r, size_t i)
{
    const struct reply *row = reply_at(r, 2 + i);

    return (struct fault){
        .what = reply_str(reply_at(row, 0)),
        .subject = reply_str(reply_at(row, 1)),
        .detail = reply_str(reply_at(row, 2)),
        .mendable = reply_is(reply_at(row, 3), "mendable"),
    };
}

struct call *doctor_watch_call(struct store *s, int64_t interval_ms, int64_t pause_ms)
{
    struct call *c = call_new(s, SCRIPT_DOCTOR_WATCH);

    call_int(c, interval_ms);
    call_int(c, pause_ms);
    return c;
}

const char *doctor_watch_epoch(const struct reply *r)
{
    return reply_str(reply_at(reply_at(r, 1), 0));
}

bool doctor_watch_goes_on(const struct reply *r)
{
    return reply_is(reply_at(reply_at(r, 1), 1), "1");
}

int doctor_history(struct store *s, struct history *h, struct err *e)
{
    char key[128];
    const char *argv[] = {"HMGET", store_key(s, key, sizeof key, "meta", ""), "epoch", "epoch_at", "drift"};
    struct reply *r = read_wait(s, 5, argv, e);

    *h = (struct history){0};
    if (!r)
        return -1;
    snprintf(h->epoch, sizeof h->epoch, "%s", reply_str(reply_at(r, 0)));
    h->losses = strtoll(h->epoch, NULL, 10);
    h->at = reply_int(reply_at(r, 1), 0);
    h->drift = reply_int(reply_at(r, 2), 0);
    reply_free(r);
    return 0;
}
