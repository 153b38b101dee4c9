#include "core/read.h"

#include "base/clock.h"

struct reply *read_wait(struct store *s, int argc, const char *const *argv, struct err *e)
{
    int64_t until = clock_mono_ms() + READ_OUTAGE_MS, left = READ_OUTAGE_MS;
    struct reply *r;

    do {
        r = redis_send_wait(store_redis_get(s), left, argc, argv, NULL, e);
        left = until - clock_mono_ms();
    } while (!r && e->code == ERR_UNKNOWN && left > 0);
    return r;
}
