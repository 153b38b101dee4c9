/* sentinels: asks the sentinels of a URL, one after the other, where its master is. */
#ifndef RIVERS_REDIS_SENTINELS_H
#define RIVERS_REDIS_SENTINELS_H

#include "base/err.h"
#include "redis/url.h"

struct event_base;
struct sentinels;

/* master, borrowed for the time of the call, is NULL when no sentinel could say; then e has the last reason. */
typedef void sentinels_fn(void *arg, const struct redis_host *master, const struct err *e);

/* url outlives it. */
struct sentinels *sentinels_new(struct event_base *base, const struct redis_url *url);
void sentinels_free(struct sentinels *s); /* also while asking: then nobody is told */

/* Begins behind the sentinel that was asked last: its answer was of no use. on_master is told once, from the
 * event loop; no second question before. */
void sentinels_ask(struct sentinels *s, sentinels_fn *on_master, void *arg);

#endif
