/*
 * lease: keeps the lease of a started run: takes over what its dequeuer has renewed, or renews it (terms.h says when), asks at
 * once when the run's bell (`wake:<run>`) rings, and judges by its own clock when the run must be given up because nothing was
 * renewed.
 *
 *   HELD ──renewed, by itself or its dequeuer──> HELD
 *    │ ├── the server says STALE ───────────────> LOST   on_lost("token is stale")
 *    │ └── not renewed until its fence ─────────> LOST   on_lost("... could not be renewed")
 *    └──── the server says CANCEL ──────────────> HELD   on_cancel(grace)
 */
#ifndef RIVERS_EXEC_LEASE_H
#define RIVERS_EXEC_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/execution.h"
#include "core/store.h"

struct lease;

struct lease_events {
    void (*on_cancel)(void *arg, int64_t grace_ms); /* again when canceled with another grace */
    void (*on_lost)(void *arg, const char *why, int64_t grace_ms); /* at most once; nothing follows */
    void (*on_bell)(void *arg);                                    /* each time the bell rang */
    void *arg;
};

struct seat;

/* The start was asked for at asked_at (clock_mono_ms). x and the seat, which tells guard and dequeuer, are borrowed. */
struct lease *lease_new(struct store *store, const struct execution *x, int64_t lease_ms, int64_t asked_at,
                        struct seat *seat, const struct lease_events *events);
void lease_free(struct lease *l);

/* Whether it is held by our own clock. When it is not, on_lost was called or is about to be. */
bool lease_holds(const struct lease *l);

#endif
