#include "core/read.h"

#include "base/clock.h"

struct reply *read_wait(struct store *s, int argc, const char *const *argv, struct err *e)
{
    return read_within(s, READ_OUTAGE_MS, argc, argv, e);
}

struct reply *read_within(struct store *s, int64_t most_ms, int argc, const char *const *argv, struct err *e)
{
    int64_t until = clock_mono_ms() + most_ms, left = most_ms;
    struct reply *r;

    do {
        r = redis_send_wait(store_redis_get(s), left, argc, argv, NULL, e);
        left = until - clock_mono_ms();
    } while (!r && e->code == ERR_UNKNOWN && left > 0);
    return r;
}
