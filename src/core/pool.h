/* pool: claims of slots and what operators do to pools (lua/pool/). */
#ifndef RIVERS_CORE_POOL_H
#define RIVERS_CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/spec.h"
#include "core/store.h"

#define POOL_ASK_AGAIN_MS 10000 /* a waiter that does not ask for 30 s is taken for dead */

/* Who claims: a step of a run, or a process on its own (run_token 0). Borrowed strings. */
struct claimant {
    const char *run; /* or any unique word for a process on its own */
    const char *step;
    int64_t run_token, attempt, priority; /* priority: for a process on its own; a step has its run's */
};

/* reply {'GRANTED', token, lease ms} | {'WAITING', reason, pool, position, ...} | {'NEVER', pool, slots, limit} |
 * {'UNKNOWN_POOL', pool} | {'STALE', state} */
struct call *claim_call(struct store *s, const struct claimant *who, const struct pool_claim *claims,
                        size_t n);

/* token 0: leave the waiting line. */
struct call *release_call(struct store *s, const struct claimant *who, int64_t token);

/* Renews n grants of one claimant's run: reply {'OK', 'OK' | 'STALE', ...}. */
struct grant {
    const char *run, *step;
    int64_t token;
};
struct call *renew_slots_call(struct store *s, const struct grant *grants, size_t n);

struct call *pool_set_call(struct store *s, const char *pool, int64_t limit, int64_t lease_ms,
                           int64_t bypass_ms); /* -1: keep */

#endif
