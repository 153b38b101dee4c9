/* pool_reference: what pools must do, said naively: every question is answered by a scan over all claims. */
#ifndef RIVERS_TESTS_POOL_REFERENCE_H
#define RIVERS_TESTS_POOL_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { REF_POOLS = 4, REF_RUNS = 4, REF_STEPS = 4, REF_CLAIMS = REF_RUNS * REF_STEPS };

#define REF_NEVER     INT64_MIN /* a time that did not come */
#define REF_UNLIMITED INT64_MAX /* slots of an unlimited pool */

struct ref_pool {
    const char *name, *escaped, *limit; /* the limit as the operator set it */
    const char *seen;      /* the one that those who wait were served under, NULL: nobody did yet */
    int64_t lease, bypass; /* ms */
};

enum ref_claim_state { REF_IDLE, REF_WAITS, REF_HOLDS };

struct ref_claim {
    enum ref_claim_state state;
    int64_t asks[REF_POOLS],
        held[REF_POOLS]; /* slots; held: of pools that were limited when it was granted */
    int64_t attempt, priority, arrival, since, until;
    int64_t passed_at;    /* when its slots begin to be kept, less the bypass: inherited within a shape */
    int64_t first_passed; /* the same, of this claim alone */
    int64_t token, lease;
};

struct pool_reference {
    struct ref_pool pools[REF_POOLS];
    struct ref_claim claims[REF_CLAIMS];
    int64_t now, last_token, last_arrival;
    int64_t swept_at, resumed_at;        /* 0: never */
    int64_t unswept_at, unswept_noticed; /* after which sweep the last one was found long past, and when */
    const char *broken;                  /* what a grant has broken, or NULL */
};

int64_t pool_ref_limit(const struct pool_reference *ref, size_t pool);
int64_t pool_ref_used(const struct pool_reference *ref, size_t pool);

/* The scripts of lua/pool, with their answers as one line; of renew, whether it did. */
void pool_ref_claim(struct pool_reference *ref, size_t i, int64_t attempt, const int64_t asks[REF_POOLS],
                    int64_t priority, struct text *answer);
void pool_ref_release(struct pool_reference *ref, size_t i, int64_t token, int64_t attempt,
                      struct text *answer); /* token 0: none */
bool pool_ref_renew(struct pool_reference *ref, size_t i, int64_t token);
/* Sets of pools are bits. */
void pool_ref_serve(struct pool_reference *ref, unsigned pools); /* after they were set */
void pool_ref_admit(struct pool_reference *ref);                 /* what run/admit does to pools */
void pool_ref_end_run(struct pool_reference *ref, size_t run);

/* A line for each claim that holds or waits, as pool_invariants.lua prints it. */
void pool_ref_print(const struct pool_reference *ref, struct text *out);

#endif
