/* janitor: what a dequeuer looks after in the background: whether history was lost, and, sharing the work with all others,
 * whether something in the namespace is wrong. It changes nothing, and logs what it finds. */
#ifndef RIVERS_DAEMON_JANITOR_H
#define RIVERS_DAEMON_JANITOR_H

#include "core/settings.h"
#include "core/store.h"

struct event_base;
struct janitor;

/* All is borrowed and must live until janitor_free. */
struct janitor *janitor_new(struct event_base *base, struct store *store, const struct settings *settings);
void janitor_free(struct janitor *j);

#endif
