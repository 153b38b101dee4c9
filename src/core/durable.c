#include "core/durable.h"

#include <stdio.h>

#define ANSWER_MS 5000 /* of the server, beyond what it waits itself */

int durable_check(struct store *s, struct err *e)
{
    struct reply *r = redis_send_wait(store_redis_get(s), 0, 1, (const char *const[]){"ROLE"}, NULL, e);

    if (!r)
        return -1;
    size_t replicas = reply_count(reply_at(r, 2));
    reply_free(r);
    return replicas > 0 ? 0
                        : err_set(e, ERR_REFUSED,
                                  "nothing was submitted: redis has no replica that could confirm it; attach "
                                  "one (docs/redis.md) or leave --durable out");
}

/* A server that answers at all has answered within its own wait. Not sent twice: see the header. */
void durable_confirm(struct store *s, redis_reply_fn *on_reply, void *arg)
{
    char ms[16];
    const char *const argv[] = {"WAIT", "1", ms};

    snprintf(ms, sizeof ms, "%d", DURABLE_MS);
    redis_send(store_redis_get(s), REDIS_IMPATIENT, DURABLE_MS + ANSWER_MS, 3, argv, NULL, on_reply, arg);
}

bool durable_confirmed(const struct reply *r)
{
    return reply_int(r, 0) > 0;
}
