/* read: plain commands that only read, asked again when the connection breaks, so that what watches and waits
 * survives an outage of the server. */
#ifndef RIVERS_CORE_READ_H
#define RIVERS_CORE_READ_H

#include "core/store.h"

#define READ_OUTAGE_MS 60000 /* how long a server may be away before the one who waits gives up */

/* Gives up after READ_OUTAGE_MS, or after most_ms. The reply is owned by the caller; NULL: e. */
struct reply *read_wait(struct store *s, int argc, const char *const *argv, struct err *e);
struct reply *read_within(struct store *s, int64_t most_ms, int argc, const char *const *argv, struct err *e);

#endif
