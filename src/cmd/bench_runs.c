/* What one run costs the server. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/bench_cycle.h"
#include "core/execution.h"
#include "core/terms.h"
#include "redis/client.h"

#define EVENTS_KEPT 100000 /* by lua/lib/events.lua */
#define LEASE_MS    30000

static void life_cycle(struct bench *b)
{
    size_t runs = (size_t)bench_size(b, 3000, 100), rounds = (size_t)bench_size(b, 11, 1);
    struct cycle gated, bare;

    cycle_init(&gated, b, "gated", runs);
    cycle_init(&bare, b, "bare", runs);
    struct bench_trial trials[] = {{.once = cycle_once, .arg = &gated}, {.once = cycle_bare, .arg = &bare}};
    bench_trials(b, trials, 2, rounds);
    double ours = trials[0].median, theirs = trials[1].median;
    bench_report(b, BAR_AT_LEAST, 0.6, "runs/s", 1e6 / ours, 1e6 / theirs,
                 "batches of 50, a second of Redis CPU");
    bench_report(b, BAR_AT_MOST, 30, "µs", ours, 0, "Redis CPU a run");
    cycle_release(&gated);
    cycle_release(&bare);
}

/* The k-th phase of a trial that measured them all. */
struct phase {
    struct cycle *cycle;
    double us[CYCLE_PHASES];
    size_t k;
};

static double phase_once(struct bench *b, void *arg)
{
    struct phase *p = arg;

    if (p->k == 0)
        cycle_phases(p->cycle, b, p->us);
    double us = p->us[p->k];
    p->k = (p->k + 1) % CYCLE_PHASES;
    return us;
}

static void phases(struct bench *b)
{
    static const char *const words[CYCLE_PHASES] = {"submit, of 50", "admit, of 50", "start, single",
                                                    "finish, single"};
    struct cycle c, bare;
    struct phase p = {.cycle = &c};
    struct bench_trial trials[CYCLE_PHASES + 1];

    cycle_init(&c, b, "gated", 0);
    cycle_init(&bare, b, "bare", 500);
    for (size_t i = 0; i < CYCLE_PHASES; i++)
        trials[i] = (struct bench_trial){.once = phase_once, .arg = &p};
    trials[CYCLE_PHASES] = (struct bench_trial){.once = cycle_bare, .arg = &bare};
    bench_trials(b, trials, CYCLE_PHASES + 1, (size_t)bench_size(b, 15, 1));
    for (size_t i = 0; i < CYCLE_PHASES; i++)
        bench_report(b, BAR_NONE, 0, "µs", trials[i].median, trials[CYCLE_PHASES].median, "%s", words[i]);
    cycle_release(&c);
    cycle_release(&bare);
}

/* Bytes of the server a queued run; `own_lanes`: each run has a tag value of its own, and so a lane. */
static double memory_of(struct bench *b, bool own_lanes)
{
    size_t runs = (size_t)bench_size(b, 200000, 200);
    struct cycle c;

    cycle_init(&c, b, own_lanes ? "own" : "shared", runs);
    cycle_submit(&c, b,
                 (size_t)bench_size(b, EVENTS_KEPT, 60)); /* what does not grow with the number of runs */
    c.teams = own_lanes ? SIZE_MAX : 0;
    double begun = bench_info(b, "memory", "used_memory");
    cycle_submit(&c, b, runs);
    double used = bench_info(b, "memory", "used_memory") - begun;
    cycle_release(&c);
    bench_clear(b);
    return used / (double)runs;
}

static void memory(struct bench *b)
{
    bench_report(b, BAR_AT_MOST, 800, "bytes", memory_of(b, false), 0, "a queued run, 60 lanes");
    bench_report(b, BAR_AT_MOST, 950, "bytes", memory_of(b, true), 0, "a queued run, a lane for each");
}

/* --- with an append-only file */

struct durability {
    struct cycle *cycle;
    const char *appendonly;
};

/* µs on the clock a run: the main thread waits when the disk is slow. */
static double durable_us(struct bench *b, void *arg)
{
    struct durability *d = arg;

    reply_free(bench_ask(b, "CONFIG", "SET", "appendonly", d->appendonly, NULL));
    while (bench_ok(b) && (bench_info(b, "persistence", "aof_rewrite_in_progress") > 0 ||
                           bench_info(b, "persistence", "aof_rewrite_scheduled") > 0))
        bench_nap_us(10000);
    double begun = bench_clock_us();
    cycle_once(b, d->cycle);
    return (bench_clock_us() - begun) / (double)d->cycle->runs;
}

static void durable(struct bench *b)
{
    struct cycle c;
    struct durability with = {&c, "yes"}, without = {&c, "no"};

    cycle_init(&c, b, "durable", (size_t)bench_size(b, 3000, 100));
    struct bench_trial trials[] = {{.once = durable_us, .arg = &with}, {.once = durable_us, .arg = &without}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_LEAST, 0.75, "runs/s", 1e6 / trials[0].median, 1e6 / trials[1].median,
                 "batches of 50, fsync each second");
    reply_free(bench_ask(b, "CONFIG", "SET", "appendonly", "no", NULL));
    cycle_release(&c);
}

/* --- runs in progress */

#define CONNECTIONS 100 /* of dequeuers, or of executors with one call in flight each */

struct renewals {
    struct redis *redis[CONNECTIONS];
    struct store *stores[CONNECTIONS];
    struct cycle_run *runs;
    size_t n, batch; /* runs a call */
};

/* µs of Redis CPU for one renewal of each. */
static double renewals_us(struct bench *b, void *arg)
{
    const struct renewals *x = arg;
    double begun = bench_cpu_us(b);

    for (size_t i = 0; i < x->n && bench_ok(b); i += x->batch) {
        struct store *s = x->stores[i / x->batch % CONNECTIONS];
        bench_send(b, cycle_renew_call(s, &x->runs[i], x->batch, LEASE_MS));
        if (b->pending == CONNECTIONS)
            bench_land(b);
    }
    bench_land(b);
    return bench_cpu_us(b) - begun;
}

static void renewals_open(struct renewals *x, struct bench *b, struct cycle *c)
{
    cycle_limit(c, b, "1000000");
    x->n = (size_t)bench_size(b, 10000, 50);
    x->runs = xcalloc(x->n, sizeof *x->runs);
    cycle_hold(c, b, x->runs, x->n);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        x->redis[i] = redis_new(b->base, redis_url_get(b->redis), "rivers-executor");
        x->stores[i] = store_new(x->redis[i], store_namespace_get(c->store));
    }
}

static void renewals_close(struct renewals *x)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        store_free(x->stores[i]);
        redis_free(x->redis[i]);
    }
    free(x->runs);
}

/* Redis CPU of renewals that take `us` together, in per cent of the time between two of them. */
static double share(double us, int64_t every_ms)
{
    return us / 1e3 / (double)every_ms * 100;
}

static void renewals(struct bench *b)
{
    struct renewals batches = {.batch = RENEW_BATCH}, alone;
    struct cycle c;

    cycle_init(&c, b, "renewals", 0);
    renewals_open(&batches, b, &c);
    alone = batches;
    alone.batch = 1;
    struct bench_trial trials[] = {{.once = renewals_us, .arg = &batches},
                                   {.once = renewals_us, .arg = &alone}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_MOST, 3, "%", share(trials[0].median, terms_ahead_ms(LEASE_MS)), 0,
                 "of a core of Redis, 10,000 runs, leases of 30 s");
    bench_report(b, BAR_NONE, 0, "%", share(trials[1].median, terms_renew_ms(LEASE_MS)), 0,
                 "the same, each executor for itself");
    renewals_close(&batches);
    cycle_release(&c);
}

const struct bench_row bench_run_rows[] = {
    {"life-cycle", "submit, admit, start, finish, gates on", "bare Lua with the same counters", life_cycle},
    {"durable", "life cycle with an append-only file", "without", durable},
    {"renewals", "leases of runs in progress, renewed in batches by dequeuers", "nothing", renewals},
    {"memory", "a queued run of 300 bytes and 4 tags", "BullMQ 947, asynq 880 bytes", memory},
    {"phases", "Redis CPU a run by script", "bare Lua for all four", phases},
    {0},
};
