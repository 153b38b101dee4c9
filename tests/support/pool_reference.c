#include "support/pool_reference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 30000, GAP = 15000, TURN = 100 };

int64_t pool_ref_limit(const struct pool_reference *ref, size_t pool)
{
    const char *text = ref->pools[pool].limit;

    if (text[0] == '-' && text[1])
        return REF_UNLIMITED;
    return *text && text[strspn(text, "0123456789")] == '\0' ? strtoll(text, NULL, 10) : 0;
}

int64_t pool_ref_used(const struct pool_reference *ref, size_t pool)
{
    int64_t used = 0;

    for (size_t i = 0; i < REF_CLAIMS; i++)
        if (ref->claims[i].state == REF_HOLDS)
            used += ref->claims[i].held[pool];
    return used;
}

static bool is_limited(const struct pool_reference *ref, size_t pool)
{
    return pool_ref_limit(ref, pool) != REF_UNLIMITED;
}

static bool same_shape(const int64_t a[REF_POOLS], const int64_t b[REF_POOLS])
{
    return memcmp(a, b, REF_POOLS * sizeof *a) == 0;
}

static bool stands_before(const struct ref_claim *a, const struct ref_claim *b)
{
    return a->priority > b->priority || (a->priority == b->priority && a->arrival < b->arrival);
}

static bool is_possible(const struct pool_reference *ref, const struct ref_claim *c)
{
    for (size_t p = 0; p < REF_POOLS; p++)
        if (c->asks[p] > pool_ref_limit(ref, p))
            return false;
    return true;
}

/* The first in line of one shape. */
static struct ref_claim *head_of(struct pool_reference *ref, const int64_t asks[REF_POOLS])
{
    struct ref_claim *head = NULL;

    for (struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
        if (c->state == REF_WAITS && same_shape(c->asks, asks) && (!head || stands_before(c, head)))
            head = c;
    return head;
}

static bool is_head(struct pool_reference *ref, const struct ref_claim *c)
{
    return c->state == REF_WAITS && head_of(ref, c->asks) == c;
}

/* The slots of a pool that are kept from a claim for those before it that were passed for too long. */
static int64_t kept_from(struct pool_reference *ref, size_t pool, const struct ref_claim *claim)
{
    int64_t kept = 0;

    for (const struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
        if (c->passed_at != REF_NEVER && ref->now >= c->passed_at + ref->pools[pool].bypass &&
            c->asks[pool] > kept && is_possible(ref, c) && is_head(ref, c) && stands_before(c, claim))
            kept = c->asks[pool];
    return kept;
}

static bool lacks(struct pool_reference *ref, size_t pool, const int64_t asks[REF_POOLS], int64_t kept)
{
    return asks[pool] && is_limited(ref, pool) &&
           asks[pool] > pool_ref_limit(ref, pool) - pool_ref_used(ref, pool) - kept;
}

static bool is_full(struct pool_reference *ref, size_t pool, const struct ref_claim *c)
{
    return lacks(ref, pool, c->asks, 0);
}

static bool blocks(struct pool_reference *ref, size_t pool, const struct ref_claim *c)
{
    return lacks(ref, pool, c->asks, kept_from(ref, pool, c));
}

static bool is_blocked(struct pool_reference *ref, const struct ref_claim *c)
{
    for (size_t p = 0; p < REF_POOLS; p++)
        if (blocks(ref, p, c))
            return true;
    return false;
}

static bool asks_limited(const struct pool_reference *ref, const struct ref_claim *c)
{
    for (size_t p = 0; p < REF_POOLS; p++)
        if (c->asks[p] && is_limited(ref, p))
            return true;
    return false;
}

static bool share_limited(const struct pool_reference *ref, const struct ref_claim *a,
                          const struct ref_claim *b)
{
    for (size_t p = 0; p < REF_POOLS; p++)
        if (a->asks[p] && b->asks[p] && is_limited(ref, p))
            return true;
    return false;
}

static void drop(struct pool_reference *ref, struct ref_claim *c)
{
    struct ref_claim *heir;
    int64_t passed_at = c->state == REF_WAITS ? c->passed_at : REF_NEVER;

    c->state = REF_IDLE;
    if (passed_at != REF_NEVER && (heir = head_of(ref, c->asks)) && heir->passed_at == REF_NEVER)
        heir->passed_at = heir->since > passed_at ? heir->since : passed_at;
}

/* --- grants
 * -------------------------------------------------------------------------------------------------------- */

/* Whether this grant takes what the first in the line of a pool needs, who was passed for longer than the bypass before. */
static bool passes_too_late(struct pool_reference *ref, size_t pool, const struct ref_claim *granted)
{
    const struct ref_claim *first = NULL;

    for (const struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
        if (c->state == REF_WAITS && c->asks[pool] && is_possible(ref, c) &&
            (!first || stands_before(c, first)))
            first = c;
    return first && granted->held[pool] && stands_before(first, granted) &&
           first->first_passed != REF_NEVER && ref->now >= first->first_passed + ref->pools[pool].bypass &&
           pool_ref_used(ref, pool) + first->asks[pool] > pool_ref_limit(ref, pool);
}

static void mark_passed(struct pool_reference *ref, const struct ref_claim *granted)
{
    for (struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++) {
        if (c->state != REF_WAITS || !stands_before(c, granted) || !share_limited(ref, c, granted))
            continue;
        if (c->first_passed == REF_NEVER)
            c->first_passed = ref->now;
        if (c->passed_at == REF_NEVER && is_head(ref, c))
            c->passed_at = ref->now;
    }
}

static void grant(struct pool_reference *ref, struct ref_claim *c, bool comes_for_it)
{
    drop(ref, c);
    c->token = ++ref->last_token;
    c->lease = 0;
    memset(c->held, 0, sizeof c->held);
    for (size_t p = 0; p < REF_POOLS && asks_limited(ref, c); p++) {
        const struct ref_pool *pool = &ref->pools[p];
        if (c->asks[p] && is_limited(ref, p))
            c->held[p] = c->asks[p];
        if (c->asks[p] && (!c->lease || pool->lease < c->lease))
            c->lease = pool->lease;
    }
    c->state = c->lease ? REF_HOLDS : REF_IDLE;
    c->until = ref->now + (comes_for_it ? c->lease : PATIENCE);
    for (size_t p = 0; p < REF_POOLS; p++) {
        if (c->held[p] && pool_ref_used(ref, p) > pool_ref_limit(ref, p))
            ref->broken = "more slots are granted than there are";
        if (passes_too_late(ref, p, c))
            ref->broken = "slots are not kept for one that was passed for too long";
    }
    mark_passed(ref, c);
}

static unsigned pools_asked(const int64_t asks[REF_POOLS])
{
    unsigned pools = 0;

    for (size_t p = 0; p < REF_POOLS; p++)
        pools |= (asks[p] ? 1U : 0U) << p;
    return pools;
}

static unsigned pools_of(const struct ref_claim *c)
{
    return c->state == REF_IDLE ? 0 : pools_asked(c->asks);
}

void pool_ref_serve(struct pool_reference *ref, unsigned pools)
{
    struct ref_claim *best;

    do {
        best = NULL;
        for (struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
            if (is_head(ref, c) && (pools_of(c) & pools) && (!best || stands_before(c, best)) &&
                asks_limited(ref, c) && !is_blocked(ref, c))
                best = c;
        if (best)
            grant(ref, best, false);
    } while (best);
}

/* Those who wait for these pools are served where the limit is another one than the last time. */
static void follow(struct pool_reference *ref, unsigned pools)
{
    unsigned changed = 0;

    for (size_t p = 0; p < REF_POOLS; p++) {
        struct ref_pool *pool = &ref->pools[p];
        if (!(pools & 1U << p) || !pool->seen || strcmp(pool->seen, pool->limit) == 0)
            continue;
        pool->seen = pool->limit;
        changed |= 1U << p;
    }
    pool_ref_serve(ref, changed);
}

/* --- time
 * ---------------------------------------------------------------------------------------------------------- */

static bool is_before_grace_end(const struct pool_reference *ref, int64_t span)
{
    return ref->resumed_at && ref->now < ref->resumed_at + span;
}

/* The last sweep is long past, and it is not a lease since that was noticed: it is noticed here. */
static bool is_unswept(struct pool_reference *ref, int64_t span)
{
    int64_t gap = span / 2 < GAP ? span / 2 : GAP;

    if (!ref->swept_at || ref->now <= ref->swept_at + gap)
        return false;
    if (ref->unswept_at != ref->swept_at) {
        ref->unswept_at = ref->swept_at;
        ref->unswept_noticed = ref->now;
    }
    return ref->now < ref->unswept_noticed + span;
}

static bool in_grace(struct pool_reference *ref, int64_t span)
{
    return is_before_grace_end(ref, span) || is_unswept(ref, span);
}

static bool is_over(struct pool_reference *ref, const struct ref_claim *c)
{
    return ref->now >= c->until && !in_grace(ref, c->lease);
}

static bool is_due(const struct pool_reference *ref, const struct ref_claim *c, enum ref_claim_state state)
{
    return c->state == state && c->until <= ref->now;
}

static struct ref_claim *first_due(struct pool_reference *ref, enum ref_claim_state state)
{
    struct ref_claim *first = NULL;

    for (struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
        if (is_due(ref, c, state) && (!first || c->until < first->until))
            first = c;
    return first;
}

/* Returns the pools that may have more to give. */
static unsigned sweep(struct pool_reference *ref)
{
    struct ref_claim *c;
    unsigned freed = 0;

    for (c = ref->claims; c < ref->claims + REF_CLAIMS; c++) {
        if (!is_due(ref, c, REF_HOLDS))
            continue;
        if (is_over(ref, c)) {
            freed |= pools_of(c);
            drop(ref, c);
        } else if (is_before_grace_end(ref, c->lease)) {
            c->until = ref->resumed_at + c->lease;
        }
    }
    while ((c = first_due(ref, REF_WAITS)) && !in_grace(ref, PATIENCE)) {
        freed |= pools_of(c);
        drop(ref, c);
    }
    return freed;
}

static void upkeep(struct pool_reference *ref, unsigned pools)
{
    follow(ref, pools);
    pool_ref_serve(ref, sweep(ref));
}

/* The clock goes only ahead. */
void pool_ref_admit(struct pool_reference *ref)
{
    if (ref->swept_at && ref->now > ref->swept_at + GAP)
        ref->resumed_at = ref->now;
    if (!ref->swept_at || ref->now >= ref->swept_at + TURN)
        ref->swept_at = ref->now;
    upkeep(ref, ~0U);
}

/* --- the scripts
 * --------------------------------------------------------------------------------------------------- */

/* is: blocks, or is_full */
static void add_reason(struct pool_reference *ref, const struct ref_claim *c, struct text *t,
                       bool (*is)(struct pool_reference *ref, size_t pool, const struct ref_claim *c))
{
    size_t blocked = 0, n = 0;

    for (size_t p = 0; p < REF_POOLS; p++)
        blocked += is(ref, p, c);
    text_add(t, blocked > 1 ? "pools full: " : "pool ");
    for (size_t p = 0; p < REF_POOLS; p++)
        if (is(ref, p, c))
            text_addf(t, "%s'%s' %s(%" PRId64 "/%" PRId64 ")", n++ ? ", " : "", ref->pools[p].name,
                      blocked == 1 ? "full " : "", pool_ref_used(ref, p), pool_ref_limit(ref, p));
}

static void add_positions(const struct pool_reference *ref, const struct ref_claim *claim, struct text *t)
{
    for (size_t p = 0; p < REF_POOLS; p++) {
        size_t position = 1;
        for (const struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
            position += c->state == REF_WAITS && c->asks[p] && stands_before(c, claim);
        if (claim->asks[p])
            text_addf(t, " %s %zu", ref->pools[p].name, position);
    }
}

/* The first pool that has less than is asked of it, -1: none. */
static int never(const struct pool_reference *ref, const int64_t asks[REF_POOLS])
{
    for (int p = 0; p < REF_POOLS; p++)
        if (pool_ref_limit(ref, (size_t)p) > 0 && asks[p] > pool_ref_limit(ref, (size_t)p))
            return p;
    return -1;
}

static void ask(struct pool_reference *ref, struct ref_claim *c, int64_t attempt,
                const int64_t asks[REF_POOLS], int64_t priority)
{
    *c = (struct ref_claim){.attempt = attempt,
                            .priority = priority,
                            .arrival = ++ref->last_arrival,
                            .since = ref->now,
                            .passed_at = REF_NEVER,
                            .first_passed = REF_NEVER};
    memcpy(c->asks, asks, sizeof c->asks);
}

/* One that comes before the head of its shape keeps what was kept for that. */
static void line_up(struct pool_reference *ref, struct ref_claim *c)
{
    const struct ref_claim *head = head_of(ref, c->asks);

    if (head && stands_before(c, head))
        c->passed_at = head->passed_at;
    c->state = REF_WAITS;
    for (size_t p = 0; p < REF_POOLS; p++)
        if (c->asks[p])
            ref->pools[p].seen = ref->pools[p].limit;
}

static void give_back(struct pool_reference *ref, struct ref_claim *c)
{
    unsigned freed = pools_of(c);

    drop(ref, c);
    pool_ref_serve(ref, freed);
}

static bool is_any_full(struct pool_reference *ref, const int64_t asks[REF_POOLS])
{
    for (size_t p = 0; p < REF_POOLS; p++)
        if (lacks(ref, p, asks, 0))
            return true;
    return false;
}

static bool is_any_waited_for(const struct pool_reference *ref, const int64_t asks[REF_POOLS])
{
    for (const struct ref_claim *c = ref->claims; c < ref->claims + REF_CLAIMS; c++)
        for (size_t p = 0; p < REF_POOLS; p++)
            if (c->state == REF_WAITS && c->asks[p] && asks[p])
                return true;
    return false;
}

/* What the claim and its pools alone can answer: nobody else is looked after, whatever has ended or changed for them. It
 * holds what it asks, whatever the limits are now; it is new, of what is free and nobody waits for; or it waits as before for
 * what is taken, while nothing has ended. */
static bool is_uncontested(struct pool_reference *ref, const struct ref_claim *c, int64_t attempt,
                           const int64_t asks[REF_POOLS])
{
    if (c->state != REF_IDLE && (c->attempt != attempt || !same_shape(c->asks, asks)))
        return false;
    if (c->state == REF_HOLDS)
        return ref->now < c->until;
    if (never(ref, asks) >= 0)
        return false;
    if (c->state == REF_IDLE)
        return !is_any_full(ref, asks) && !is_any_waited_for(ref, asks);
    return is_any_full(ref, asks) && !first_due(ref, REF_HOLDS) && !first_due(ref, REF_WAITS);
}

void pool_ref_claim(struct pool_reference *ref, size_t i, int64_t attempt, const int64_t asks[REF_POOLS],
                    int64_t priority, struct text *answer)
{
    struct ref_claim *c = &ref->claims[i];
    int p;

    if (!is_uncontested(ref, c, attempt, asks)) {
        upkeep(ref, pools_asked(asks));
    } else if (c->state == REF_WAITS) {
        text_add(answer, "WAITING ");
        add_reason(ref, c, answer, is_full);
        c->until = ref->now + PATIENCE;
        return;
    }
    if (c->state != REF_IDLE && c->attempt > attempt) {
        text_addf(answer, "STALE attempt %" PRId64, c->attempt);
        return;
    }
    if (c->state != REF_IDLE && (c->attempt != attempt || !same_shape(c->asks, asks))) {
        give_back(ref, c);
    }
    if (c->state == REF_HOLDS) {
        c->until = ref->now + c->lease;
        text_addf(answer, "GRANTED %" PRId64 " %" PRId64, c->token, c->lease);
        return;
    }
    if ((p = never(ref, asks)) >= 0) {
        give_back(ref, c);
        text_addf(answer, "NEVER %s %" PRId64 " %" PRId64, ref->pools[p].name, asks[p],
                  pool_ref_limit(ref, (size_t)p));
        return;
    }
    if (c->state == REF_IDLE)
        ask(ref, c, attempt, asks, priority);
    if (!is_blocked(ref, c)) {
        grant(ref, c, true);
        text_addf(answer, "GRANTED %" PRId64 " %" PRId64, c->token, c->lease);
        return;
    }
    text_add(answer, "WAITING ");
    add_reason(ref, c, answer, blocks);
    add_positions(ref, c, answer);
    if (c->state == REF_IDLE)
        line_up(ref, c);
    c->until = ref->now + PATIENCE;
}

void pool_ref_release(struct pool_reference *ref, size_t i, int64_t token, int64_t attempt,
                      struct text *answer)
{
    struct ref_claim *c = &ref->claims[i];

    if ((c->state != REF_IDLE && c->attempt != attempt) || (c->state == REF_WAITS && token) ||
        (c->state == REF_HOLDS && token && token != c->token)) {
        text_add(answer, "STALE");
        return;
    }
    if (c->state == REF_HOLDS)
        (void)is_over(ref, c); /* the event says which: a sweep that is long past is noticed */
    give_back(ref, c);
    text_add(answer, "OK");
}

bool pool_ref_renew(struct pool_reference *ref, size_t i, int64_t token)
{
    struct ref_claim *c = &ref->claims[i];

    if (c->state != REF_HOLDS || c->token != token || is_over(ref, c))
        return false;
    c->until = ref->now + c->lease;
    return true;
}

void pool_ref_end_run(struct pool_reference *ref, size_t run)
{
    unsigned freed = 0;

    for (struct ref_claim *c = &ref->claims[run * REF_STEPS]; c < &ref->claims[(run + 1) * REF_STEPS]; c++) {
        freed |= pools_of(c);
        drop(ref, c);
    }
    pool_ref_serve(ref, freed);
}

static void print_shape(const struct pool_reference *ref, const int64_t slots[REF_POOLS], struct text *out)
{
    const char *comma = "";

    for (size_t p = 0; p < REF_POOLS; p++) {
        if (!slots[p])
            continue;
        text_addf(out, "%s%s=%" PRId64, comma, ref->pools[p].escaped, slots[p]);
        comma = ",";
    }
}

/* Among those who wait, from 1. */
static size_t arrival_rank(const struct pool_reference *ref, const struct ref_claim *c)
{
    size_t rank = 1;

    for (size_t i = 0; i < REF_CLAIMS; i++)
        rank += ref->claims[i].state == REF_WAITS && ref->claims[i].arrival < c->arrival;
    return rank;
}

void pool_ref_print(const struct pool_reference *ref, struct text *out)
{
    for (size_t i = 0; i < REF_CLAIMS; i++) {
        const struct ref_claim *c = &ref->claims[i];
        if (c->state == REF_IDLE)
            continue;
        text_addf(out, "r%zu/s%zu attempt %" PRId64 " until %" PRId64, i / REF_STEPS, i % REF_STEPS,
                  c->attempt, c->until);
        if (c->state == REF_HOLDS) {
            text_addf(out, " token %" PRId64 " lease %" PRId64 " holds ", c->token, c->lease);
            print_shape(ref, c->held, out);
        } else {
            text_addf(out, " place %" PRId64 " %zu since %" PRId64 " waits ", c->priority,
                      arrival_rank(ref, c), c->since);
            print_shape(ref, c->asks, out);
        }
        text_add(out, "\n");
    }
}
