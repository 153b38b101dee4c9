/* What slots of pools cost. */
#include <stdio.h>

#include "cmd/bench.h"
#include "core/pool.h"

#define POOLS  4   /* most that one claim asks */
#define GRANTS 100 /* renewed in one call */

struct slots {
    struct store *store;
    size_t pools, claims; /* of one trial */
};

static char pools[POOLS][3] = {"p0", "p1", "p2", "p3"};
static const struct pool_claim asked[POOLS] = {{pools[0], 1}, {pools[1], 1}, {pools[2], 1}, {pools[3], 1}};

static void slots_init(struct slots *s, struct bench *b, const char *namespace, size_t n, const char *limit)
{
    *s = (struct slots){
        .store = bench_store(b, namespace), .pools = n, .claims = (size_t)bench_size(b, 500, 20)};
    for (size_t i = 0; i < POOLS; i++)
        bench_set(b, s->store, "pool_limits", asked[i].pool, limit);
}

static struct claimant claimant(char name[32], const char *kind, size_t i)
{
    snprintf(name, 32, "%s%zu", kind, i);
    return (struct claimant){.run = name, .step = "s", .attempt = 1};
}

static void claim(struct slots *s, struct bench *b, const char *kind, size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        struct claimant who = claimant(name, kind, i);
        bench_send(b, claim_call(s->store, &who, asked, s->pools));
        if (i % 50 == 49)
            bench_land(b);
    }
    bench_land(b);
}

static void release(struct slots *s, struct bench *b, const char *kind, size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        struct claimant who = claimant(name, kind, i);
        bench_send(b, release_call(s->store, &who, 0));
        if (i % 50 == 49)
            bench_land(b);
    }
    bench_land(b);
}

/* µs of Redis CPU a claim, granted or refused; what it took is given back outside the measure. */
static double claim_us(struct bench *b, void *arg)
{
    struct slots *s = arg;
    double begun = bench_cpu_us(b);

    claim(s, b, "c", s->claims);
    double us = bench_cpu_us(b) - begun;
    release(s, b, "c", s->claims);
    return us / (double)s->claims;
}

/* µs of Redis CPU a claim that is granted and given back. */
static double hold_us(struct bench *b, void *arg)
{
    struct slots *s = arg;
    double begun = bench_cpu_us(b);

    claim(s, b, "c", s->claims);
    release(s, b, "c", s->claims);
    return (bench_cpu_us(b) - begun) / (double)s->claims;
}

static double bare_us(struct bench *b, void *arg)
{
    struct slots *s = arg;
    double begun = bench_cpu_us(b);
    char name[32];

    for (size_t i = 0; i < s->claims; i++) {
        struct call *c = call_new(s->store, SCRIPT_BENCH_CLAIM);
        call_str(c, claimant(name, "c", i).run);
        for (size_t p = 0; p < s->pools; p++)
            call_str(c, asked[p].pool);
        bench_send(b, c);
        if (i % 50 == 49)
            bench_land(b);
    }
    bench_land(b);
    return (bench_cpu_us(b) - begun) / (double)s->claims;
}

static void claims(struct bench *b)
{
    for (size_t n = 1; n <= POOLS; n *= 2) {
        struct slots s, bare;
        slots_init(&s, b, "pools", n, "1000000");
        slots_init(&bare, b, "bare", n, "1000000");
        struct bench_trial trials[] = {{.once = claim_us, .arg = &s}, {.once = bare_us, .arg = &bare}};
        bench_trials(b, trials, 2, (size_t)bench_size(b, 11, 1));
        bench_report(b, BAR_AT_MOST, 2, "µs", trials[0].median, trials[1].median, "of %zu pool%s, granted", n,
                     n > 1 ? "s" : "");
        store_free(s.store);
        store_free(bare.store);
        bench_clear(b);
    }
}

/* µs of Redis CPU a claim that waits and asks again. */
static double again_us(struct bench *b, void *arg)
{
    struct slots *s = arg;
    double begun = bench_cpu_us(b);

    claim(s, b, "c", s->claims);
    return (bench_cpu_us(b) - begun) / (double)s->claims;
}

static void refused(struct bench *b)
{
    struct slots s;

    slots_init(&s, b, "pools", 1, "1");
    claim(&s, b, "holder", 1);
    claim(&s, b, "c", s.claims);
    struct bench_trial trial = {.once = again_us, .arg = &s};
    bench_trials(b, &trial, 1, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_MOST, 8, "µs", trial.median, 0, "a claim that waits asks again");
    store_free(s.store);
}

struct renewal {
    struct slots slots;
    char steps[GRANTS][32];
    struct grant grants[GRANTS];
};

/* µs of Redis CPU a lease, GRANTS in a call, all of one run: an executor renews its own. */
static double renew_us(struct bench *b, void *arg)
{
    struct renewal *x = arg;
    double begun = bench_cpu_us(b);

    for (size_t i = 0; i < 10; i++)
        bench_send(b, renew_slots_call(x->slots.store, "r", x->grants, GRANTS));
    bench_land(b);
    return (bench_cpu_us(b) - begun) / (10 * GRANTS);
}

static void renewal(struct bench *b)
{
    struct renewal x;

    slots_init(&x.slots, b, "pools", 1, "1000000");
    for (size_t i = 0; i < GRANTS; i++) {
        snprintf(x.steps[i], sizeof x.steps[i], "s%zu", i);
        struct claimant who = {.run = "r", .step = x.steps[i], .attempt = 1};
        struct reply *r = bench_call(b, claim_call(x.slots.store, &who, asked, 1));
        x.grants[i] = (struct grant){who.step, reply_int(reply_at(r, 1), 0)};
        reply_free(r);
    }
    struct bench_trial trial = {.once = renew_us, .arg = &x};
    bench_trials(b, &trial, 1, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_MOST, 1, "µs", trial.median, 0, "a lease, 100 in a call");
    store_free(x.slots.store);
}

/* Lets 10,000 claims hold and 1,000 wait. */
static void crowd(struct slots *s, struct bench *b)
{
    size_t holders = (size_t)bench_size(b, 10000, 20), waiters = (size_t)bench_size(b, 1000, 10);
    const struct pool_claim all = {pools[1], 1000000};
    struct claimant who = {.run = "all", .step = "s", .attempt = 1};
    char name[32];

    claim(s, b, "holder", holders);
    bench_send(b, claim_call(s->store, &who, &all, 1));
    for (size_t i = 0; i < waiters; i++) { /* what they ask besides p0 is taken */
        who = claimant(name, "waiter", i);
        bench_send(b, claim_call(s->store, &who, asked, 2));
        if (i % 50 == 49)
            bench_land(b);
    }
    bench_land(b);
}

static void crowded(struct bench *b)
{
    struct slots alone, full;

    slots_init(&alone, b, "alone", 1, "1000000");
    slots_init(&full, b, "full", 1, "1000000");
    for (size_t i = 0; i < POOLS; i++)
        bench_set(b, full.store, "pool_bypass", asked[i].pool, "3600000");
    crowd(&full, b);
    struct bench_trial trials[] = {{.once = hold_us, .arg = &full}, {.once = hold_us, .arg = &alone}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_MOST, 1.5, "µs", trials[0].median, trials[1].median,
                 "claim and release, 1,000 wait and 10,000 hold");
    store_free(alone.store);
    store_free(full.store);
}

const struct bench_row bench_pool_rows[] = {
    {"claim", "a claim that is granted", "bare Lua that checks, counts and leases", claims},
    {"refused", "a claim that waits", "nothing", refused},
    {"renewal", "renewal of slots", "nothing", renewal},
    {"crowd", "claim and release in a crowd", "nobody else there", crowded},
    {0},
};
