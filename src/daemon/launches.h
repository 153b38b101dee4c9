/*
 * launches: the runs whose executors are being launched, or have not started yet. Once a second the server is
 * told that they are looked after, and what they wait for; it answers which ones have started, and which
 * executors nobody wants any more: those are terminated.
 *
 *   launches_add ──> LAUNCHING ──launches_confirm──> AWAITED <── launches_add, found
 *                        │                              │
 *                        └───────── forgotten <─────────┘  started, ended, stale
 */
#ifndef RIVERS_DAEMON_LAUNCHES_H
#define RIVERS_DAEMON_LAUNCHES_H

#include <stdbool.h>
#include <stddef.h>

#include "backend/backend.h"
#include "core/settings.h"
#include "core/store.h"

struct launches;

/* All is borrowed and must live until launches_free. */
struct launches *launches_new(struct event_base *base, struct store *store, const struct settings *settings,
                              const struct backend_type *type, struct backend *backend);
void launches_free(struct launches *ls);

/* Nothing changes when the launch is known already. */
void launches_add(struct launches *ls, const struct launch *l, bool launched);

/* The others do nothing with a launch that is not known (any more). */
void launches_confirm(struct launches *ls, const struct launch *l);
void launches_wait_for(struct launches *ls, const struct launch *l, const char *what);
void launches_forget(struct launches *ls, const struct launch *l);

size_t launches_pending(const struct launches *ls); /* those that are being launched */
size_t
launches_untold(const struct launches *ls); /* those that were launched, and the calls that are to say so */

#endif
