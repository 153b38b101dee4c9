#include "core/admit.h"

struct call *admit_call(struct store *s, const struct admit_options *o, const struct settings *settings)
{
    struct call *c = call_new(s, SCRIPT_RUN_ADMIT);

    call_request(c);
    call_str(c, o->dequeuer);
    call_int(c, o->batch);
    if (o->capacity >= 0)
        call_int(c, o->capacity);
    else
        call_str(c, "");
    call_int(c, ADMIT_LAUNCH_LEASE_MS);
    call_int(c, settings->run_lease_ms);
    call_int(c, settings->dequeue_interval_ms);
    call_int(c, settings->retention_ms);
    call_int(c, settings->retention_runs);
    call_int(c, o->seen);
    return c;
}

enum admit_outlook admit_outlook(const struct reply *r)
{
    const struct reply *more = reply_at(r, 1);

    return reply_is(more, "1") ? ADMIT_MORE : reply_is(more, "FULL") ? ADMIT_FULL : ADMIT_DONE;
}

size_t admit_count(const struct reply *r)
{
    size_t n = reply_count(r);

    return n < 2 ? 0 : (n - 2) / 3;
}

struct admission admit_at(const struct reply *r, size_t i)
{
    return (struct admission){
        .id = reply_str(reply_at(r, 2 + 3 * i)),
        .token = reply_int(reply_at(r, 3 + 3 * i), 0),
        .attempt = reply_int(reply_at(r, 4 + 3 * i), 0),
    };
}

struct call *attend_call(struct store *s, int64_t start_timeout_ms)
{
    struct call *c = call_new(s, SCRIPT_RUN_ATTEND);

    call_int(c, ADMIT_LAUNCH_LEASE_MS);
    call_int(c, start_timeout_ms);
    return c;
}

void attend_add(struct call *c, const char *id, int64_t token, bool launched, const char *waiting_for)
{
    call_str(c, id);
    call_int(c, token);
    call_str(c, launched ? "1" : "");
    call_str(c, waiting_for);
}

enum attend_word attend_at(const struct reply *r, size_t i)
{
    const struct reply *word = reply_at(r, 1 + i);

    return reply_is(word, "STALE")     ? ATTEND_STALE
           : reply_is(word, "Started") ? ATTEND_STARTED
                                       : ATTEND_NOT_STARTED;
}

struct call *lost_call(struct store *s, const char *id, int64_t token, bool began, const char *reason)
{
    struct call *c = call_new(s, SCRIPT_RUN_LOST);

    call_str(c, id);
    call_int(c, token);
    call_str(c, reason);
    call_str(c, began ? "" : "NotStarted");
    return c;
}
