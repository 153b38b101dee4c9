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

/* "<label>-<random>", which nobody else has; label NULL: "<host>-<pid>", by which people find the process. Owned by the
 * caller. */
#define CLAIMANT_LABEL_BYTES 63
char *claimant_name(const char *label);

/* reply {'GRANTED', token, lease ms} | {'WAITING', reason, pool, position, ...}, or never: {'NEVER', pool, slots, limit} |
 * {'UNKNOWN_POOL', pool} | {'TOO_MANY', most pools} | {'STALE', state} */
struct call *claim_call(struct store *s, const struct claimant *who, const struct pool_claim *claims,
                        size_t n);
void claim_fault(const struct reply *r, const char *step, struct err *e); /* why it is never granted */

/* token 0: leave the waiting line. */
struct call *release_call(struct store *s, const struct claimant *who, int64_t token);

/* Renews n grants of a run: reply {'OK', token, ...}, the stale ones. */
struct grant {
    const char *step;
    int64_t token;
};
struct call *renew_slots_call(struct store *s, const char *run, const struct grant *grants, size_t n);

struct call *pool_set_call(struct store *s, const char *pool, int64_t limit, int64_t lease_ms,
                           int64_t bypass_ms); /* -1: keep */

/* What follows reads replies; strings are borrowed from them. A limit is the text that was set: one that is no
 * whole number grants nothing. */
struct pool_setting {
    const char *limit;
    int64_t lease_ms, bypass_ms;
};
struct pool_setting pool_setting_read(const struct reply *r); /* of pool_set_call: {'OK', ...} */

/* reply {'OK', row, ...}, sorted by name */
struct call *pool_list_call(struct store *s);

struct pool_row {
    const char *name, *limit;
    int64_t claimed, pending, lease_ms; /* slots claimed, claims that wait */
};
size_t pool_count(const struct reply *r);
struct pool_row pool_at(const struct reply *r, size_t i);

/* reply {'OK', ...} as pool_info_read takes it | {'NOT_FOUND'} */
struct call *pool_info_call(struct store *s, const char *pool);

struct pool_info {
    struct pool_setting setting;
    int64_t claimed, holders, waiters; /* slots; claims */
    size_t nholders, nwaiters;         /* of these the first, at most 100 each */
};
struct pool_claimant {
    char run[128];
    const char *step;
    int64_t slots, since; /* claimed or waiting since */
};
struct pool_holder {
    struct pool_claimant who;
    int64_t lease_until, token;
};
struct pool_waiter {
    struct pool_claimant who;
    int64_t priority;
    const char *reason; /* "" when nothing blocks it any more */
};
struct pool_info pool_info_read(const struct reply *r);
struct pool_holder pool_holder_at(const struct reply *r, size_t i);
struct pool_waiter pool_waiter_at(const struct reply *r, size_t i); /* in the order of the line */

/* reply {'OK'} | {'HELD', slots claimed, claims waiting} | {'NOT_FOUND'} */
struct call *pool_delete_call(struct store *s, const char *pool);

#endif
