/*
 * slots: the claims of one run on pools: asks, waits in line, renews all leases in one call, and tells at once when a
 * lease is lost.
 *
 *                slots_claim                GRANTED
 *   (new) ─────────────────────> ASKING ─────────────────> HELD ──── renewed in time (terms.h) ──> HELD
 *                                 │  ^                      │ STALE, or not renewed until its fence
 *                         WAITING │  │ bell rung, or 10 s   └──────────────────────────> on_lost
 *                                 v  │
 *                                IN LINE ── timeout ──> on_timeout; NEVER, UNKNOWN_POOL, STALE ──> on_refused
 *
 * slots_release ends a claim in any state: slots are given back, the line is left.
 */
#ifndef RIVERS_EXEC_SLOTS_H
#define RIVERS_EXEC_SLOTS_H

#include <stdint.h>

#include "core/pool.h"
#include "core/store.h"

struct slots;
struct claim;

struct claim_events {
    void (*on_granted)(void *arg, int64_t token);
    void (*on_refused)(void *arg, const char *why); /* it will never be granted */
    void (*on_timeout)(void *arg);                  /* waited for timeout_ms */
    void (*on_lost)(void *arg, int64_t grace_ms); /* was held; what runs under it must end within the grace */
    void (*on_waiting)(void *arg, const char *reason); /* may be NULL; each time the answer is to wait */
    /* May be NULL; each time the lease is known to be held, first before on_granted: by what was asked for then (clock_mono_ms).
     * Not where there is no lease. */
    void (*on_held)(void *arg, int64_t asked_at, int64_t lease_ms);
    void *arg;
};

struct slots *slots_new(struct store *store);
void slots_free(struct slots *s); /* when no claim is left */

/* The strings of who and the claims are borrowed until slots_release. Callbacks come after this has returned. */
struct claim *slots_claim(struct slots *s, const struct claimant *who, const struct pool_claim *claims,
                          size_t n, int64_t timeout_ms, const struct claim_events *events);
void slots_release(struct claim *c); /* NULL is allowed; no further callback */

/* The bell of the run rang: whoever waits asks again, and whoever holds makes sure that it still does. */
void slots_ask_again(struct slots *s);

#endif
