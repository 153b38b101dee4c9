/* What it costs that many runs are queued. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/bench_cycle.h"
#include "core/admit.h"
#include "core/execution.h"

#define PROBES  20
#define SOON_MS 1000 /* longer than it takes to renew all leases */

/* Queued runs behind a limit of 0, and runs in the same namespace that pass. */
struct pile {
    struct cycle blocked, passing;
};

/* Admits nothing until there is nothing to refile: what is measured behind that is admission alone. */
static void follow_limits(struct pile *p, struct bench *b)
{
    for (bool more = true; more && bench_ok(b);) {
        struct reply *r = cycle_admit(&p->blocked, b, 0);
        more = admit_outlook(r) == ADMIT_MORE;
        reply_free(r);
    }
}

static void pile_init(struct pile *p, struct bench *b, const char *namespace, size_t runs, size_t lanes)
{
    struct err e;

    cycle_init(&p->blocked, b, namespace, 0);
    cycle_init(&p->passing, b, namespace, (size_t)bench_size(b, 1000, 50));
    for (size_t i = 0; i < sizeof p->blocked.specs / sizeof *p->blocked.specs; i++)
        if (spec_tag_set(&p->blocked.specs[i], "class", "blocked", &e) < 0 ||
            spec_tag_set(&p->blocked.specs[i], "tier", "x0", &e) < 0)
            abort();
    p->blocked.teams = lanes;
    p->passing.batch = ADMIT_BATCH;
    cycle_limit(&p->blocked, b, "1000000");
    bench_set(b, p->blocked.store, "tag_limits", "class=blocked", "0");
    follow_limits(p, b);
    cycle_submit(&p->blocked, b, runs);
}

static void pile_release(struct pile *p)
{
    cycle_release(&p->blocked);
    cycle_release(&p->passing);
}

/* --- one run that passes, behind all that do not */

static double admit_us(struct bench *b, void *arg)
{
    struct pile *p = arg;

    cycle_submit(&p->passing, b, 1);
    double begun = bench_clock_us();
    struct reply *r = cycle_admit(&p->passing, b, 1);
    double us = bench_clock_us() - begun;
    if (admit_count(r) != 1 && bench_ok(b))
        err_set(&b->err, ERR_REFUSED, "the run that passes was not admitted");
    cycle_end(&p->passing, b, r);
    return us;
}

/* The same as CPU time of Redis, of several one after the other. */
static double admit_cpu_us(struct bench *b, void *arg)
{
    struct pile *p = arg;
    struct reply *admitted[PROBES];

    cycle_submit(&p->passing, b, PROBES);
    double begun = bench_cpu_us(b);
    for (size_t i = 0; i < PROBES; i++)
        admitted[i] = cycle_admit(&p->passing, b, 1);
    double us = bench_cpu_us(b) - begun;
    for (size_t i = 0; i < PROBES; i++)
        cycle_end(&p->passing, b, admitted[i]);
    return us / PROBES;
}

static double empty_us(struct bench *b, void *arg)
{
    double begun = bench_clock_us();

    (void)arg;
    reply_free(bench_ask(b, "EVAL", "return {'OK'}", "0", NULL));
    return bench_clock_us() - begun;
}

static void behind(struct bench *b, size_t runs, size_t lanes)
{
    struct pile deep, shallow;

    pile_init(&shallow, b, "shallow", 1000, lanes < 1000 ? lanes : 100);
    pile_init(&deep, b, "deep", runs, lanes);
    struct bench_trial trials[] = {{.once = admit_cpu_us, .arg = &deep},
                                   {.once = admit_cpu_us, .arg = &shallow}};
    struct bench_trial trips[] = {{.once = admit_us, .arg = &deep}, {.once = empty_us}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 41, 3));
    bench_trials(b, trips, 2, (size_t)bench_size(b, 301, 3));
    bench_report(b, BAR_AT_MOST, 1.25, "µs", trials[0].median, trials[1].median,
                 "%zu runs, %zu lanes, CPU, against 1,000 runs", runs, lanes);
    bench_report(b, BAR_AT_MOST, 2.5, "µs", trips[0].median, trips[1].median,
                 "%zu runs, %zu lanes, round trip, against an empty script", runs, lanes);
    pile_release(&deep);
    pile_release(&shallow);
    bench_clear(b);
}

static void blocked(struct bench *b)
{
    for (size_t runs = 10000; runs < b->depth; runs *= 10)
        behind(b, runs, runs / 10);
    behind(b, b->depth, 1);
    behind(b, b->depth, 1000);
    behind(b, b->depth, b->depth / 10);
}

static void deep(struct bench *b)
{
    struct pile full, empty;

    pile_init(&empty, b, "empty", 0, 1);
    pile_init(&full, b, "full", b->depth, b->depth / 10);
    struct bench_trial trials[] = {{.once = cycle_once, .arg = &full.passing},
                                   {.once = cycle_once, .arg = &empty.passing}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 11, 1));
    bench_report(b, BAR_AT_LEAST, 0.8, "runs/s", 1e6 / trials[0].median, 1e6 / trials[1].median,
                 "%zu blocked runs, %zu lanes", b->depth, b->depth / 10);
    pile_release(&full);
    pile_release(&empty);
}

/* --- the longest script */

/* Work is done in slices, which are alike: enough of them. */
static void upkeep(struct pile *p, struct bench *b)
{
    for (size_t i = 0; i < (size_t)bench_size(b, 1000, 10); i++)
        reply_free(cycle_admit(&p->blocked, b, 0));
}

static void limit_changes(struct pile *p, struct bench *b)
{
    bench_set(b, p->blocked.store, "tag_limits", "class=blocked", "1000000");
    upkeep(p, b);
}

static void limit_is_added(struct pile *p, struct bench *b)
{
    bench_set(b, p->blocked.store, "tag_limits", "owner=*", "0");
    upkeep(p, b);
}

static void limit_is_removed(struct pile *p, struct bench *b)
{
    char key[256];

    reply_free(bench_ask(b, "HDEL", store_key(p->blocked.store, key, sizeof key, "tag_limits", ""), "owner=*",
                         NULL));
    upkeep(p, b);
}

static void runs_pass(struct pile *p, struct bench *b)
{
    cycle_once(b, &p->passing);
}

static void history_is_trimmed(struct pile *p, struct bench *b)
{
    p->blocked.settings.retention_runs = 0;
    upkeep(p, b);
}

/* Admits nothing until no lease is left. A sweep may be due later: a namespace that nobody looked after for a while gives
 * holders time to renew. */
static void leases_are_swept(struct pile *p, struct bench *b)
{
    struct cycle *c = &p->passing;
    double begun = bench_clock_us();
    char key[256];

    store_key(c->store, key, sizeof key, "running", "");
    for (bool left = true; left && bench_ok(b);) {
        struct reply *admitted = cycle_admit(c, b, 0), *n = bench_ask(b, "ZCARD", key, NULL);
        left = reply_int(n, 0) > 0;
        if (left && admit_outlook(admitted) != ADMIT_MORE)
            bench_nap_us(50000);
        reply_free(admitted);
        reply_free(n);
        if (bench_clock_us() - begun > BENCH_PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "leases that ended were not swept");
    }
}

/* Lets n runs start, and their leases end within a moment. */
static void leases_end(struct pile *p, struct bench *b, size_t n)
{
    struct cycle_run *held = xcalloc(n, sizeof *held);

    cycle_hold(&p->passing, b, held, n);
    for (size_t i = 0; i < n && bench_ok(b); i += RENEW_BATCH) {
        size_t batch = n - i < RENEW_BATCH ? n - i : RENEW_BATCH;
        bench_send(b, cycle_renew_call(p->passing.store, &held[i], batch, SOON_MS));
        bench_land(b);
    }
    bench_nap_us(SOON_MS * 1000);
    free(held);
}

static void many_leases_end(struct pile *p, struct bench *b)
{
    leases_end(p, b, 1);
    leases_are_swept(p, b);
    leases_end(p, b, (size_t)bench_size(b, 10000, 50));
}

static double longest_us(struct bench *b)
{
    struct reply *r = bench_ask(b, "SLOWLOG", "GET", "1000", NULL);
    double longest = 0;

    for (size_t i = 0; i < reply_count(r); i++) {
        const struct reply *entry = reply_at(r, i);
        double us = (double)reply_int(reply_at(entry, 2), 0);
        if (reply_is(reply_at(reply_at(entry, 3), 0), "EVALSHA") && us > longest)
            longest = us;
    }
    reply_free(r);
    return longest;
}

static void scripts_of(struct pile *p, struct bench *b)
{
    static const struct {
        const char *what;
        void (*act)(struct pile *p, struct bench *b);
        void (*before)(struct pile *p, struct bench *b);
    } acts[] = {{"runs pass", runs_pass, NULL},
                {"10,000 leases end at once", leases_are_swept, many_leases_end},
                {"a limit is added", limit_is_added, NULL},
                {"a limit is removed", limit_is_removed, NULL},
                {"a limit that frees all lanes changes", limit_changes, NULL},
                {"history is trimmed", history_is_trimmed, NULL}};

    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (acts[i].before)
            acts[i].before(p, b);
        reply_free(bench_ask(b, "CONFIG", "RESETSTAT", NULL));
        reply_free(bench_ask(b, "SLOWLOG", "RESET", NULL));
        acts[i].act(p, b);
        double longest = longest_us(b);
        bench_report(b, BAR_AT_MOST, 5000, "µs", longest, 0, "longest, %s", acts[i].what);
        bench_report(b, BAR_AT_MOST, 1000, "µs", bench_p99_us(b), 0, "p99, %s", acts[i].what);
    }
}

static void longest(struct bench *b)
{
    struct pile p;

    reply_free(bench_ask(b, "CONFIG", "SET", "slowlog-log-slower-than", "100", NULL));
    reply_free(bench_ask(b, "CONFIG", "SET", "slowlog-max-len", "1000", NULL));
    pile_init(&p, b, "deep", b->depth, b->depth / 10);
    scripts_of(&p, b);
    pile_release(&p);
}

const struct bench_row bench_depth_rows[] = {
    {"blocked", "admission of a run behind blocked ones", "fewer runs; an empty script", blocked},
    {"deep", "life cycle with many queued", "an empty queue", deep},
    {"longest", "scripts with many queued, as Redis times them", "nothing", longest},
    {0},
};
