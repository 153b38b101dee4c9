/* durable: whether what a call wrote has reached a replica, so that it survives the loss of the server. */
#ifndef RIVERS_CORE_DURABLE_H
#define RIVERS_CORE_DURABLE_H

#include <stdbool.h>

#include "core/store.h"

#define DURABLE_MS 5000 /* longest wait for a replica */

/* Fails when the server has no replica. */
__attribute__((warn_unused_result)) int durable_check(struct store *s, struct err *e);

/* Asks whether a replica has all that this connection was answered, also what others wrote before. To be called from the
 * callback of the call in question: another connection may be one to a server that never heard of it. */
void durable_confirm(struct store *s, redis_reply_fn *on_reply, void *arg);
bool durable_confirmed(const struct reply *r); /* false: no reply, or no replica within DURABLE_MS */

#endif
