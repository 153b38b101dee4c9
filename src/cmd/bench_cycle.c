#include "cmd/bench_cycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/admit.h"
#include "core/execution.h"
#include "core/submit.h"

#define NSPECS    (sizeof((struct cycle *)0)->specs / sizeof(struct spec))
#define LEASE_MS  30000
#define IN_FLIGHT 20 /* submissions that are on their way at once */
#define BATCH     50
#define BATCHES   10   /* of cycle_phases: in progress at once */
#define PATIENCE  1000 /* admissions in a row that bring nothing */

static const char run[] =
    "{\"tags\": {\"env\": \"prod\", \"team\": \"t%zu\", \"tier\": \"x%zu\", \"owner\": \"o%zu\"},"
    " \"steps\": [{\"name\": \"load\", \"command\": [\"python3\", \"-m\", \"warehouse.load\", \"--day\", "
    "\"2026-11-23\"]}],"
    " \"env\": {\"WAREHOUSE_URL\": \"postgres://warehouse.example:5432/analytics\", \"TARGET\": "
    "\"events_by_day\","
    " \"SOURCE\": \"s3://example-landing-zone/events/2026/11/23/part-00017.parquet\"}}";

static void spec_make(struct spec *s, size_t i)
{
    struct err e;
    char *text = xasprintf(run, i % 20, i % 3, i % 7);

    if (spec_parse(s, text, strlen(text), &e) < 0)
        abort();
    free(text);
}

void cycle_init(struct cycle *c, struct bench *b, const char *namespace, size_t runs)
{
    *c = (struct cycle){.runs = runs, .batch = BATCH};
    c->store = bench_store(b, namespace);
    settings_init(&c->settings);
    for (size_t i = 0; i < NSPECS; i++)
        spec_make(&c->specs[i], i);
    cycle_limit(c, b, "1000");
}

void cycle_limit(struct cycle *c, struct bench *b, const char *limit)
{
    static const char *const tags[] = {"env=prod", "team=*", "tier=*"};

    bench_set(b, c->store, "config", "max_concurrent_runs", limit);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        bench_set(b, c->store, "tag_limits", tags[i], limit);
}

void cycle_release(struct cycle *c)
{
    for (size_t i = 0; i < NSPECS; i++)
        spec_release(&c->specs[i]);
    settings_release(&c->settings);
    store_free(c->store);
}

/* Spreads n runs over the teams. */
static void spread(struct spec *specs, size_t n, size_t serial, size_t teams)
{
    char team[24];
    struct err e;

    for (size_t i = 0; i < n; i++) {
        snprintf(team, sizeof team, "own%zu", (serial + i) % teams);
        if (spec_tag_set(&specs[i], "team", team, &e) < 0)
            abort();
    }
}

void cycle_submit(struct cycle *c, struct bench *b, size_t runs)
{
    for (size_t done = 0, calls = 0, n; done < runs && bench_ok(b); done += n) {
        size_t at = done % NSPECS;
        n = c->batch;
        n = n > NSPECS - at ? NSPECS - at : n;
        n = n > runs - done ? runs - done : n;
        if (c->teams)
            spread(&c->specs[at], n, done, c->teams);
        bench_send(b, submit_call(c->store, &c->specs[at], n));
        if (++calls % IN_FLIGHT == 0)
            bench_land(b);
    }
    bench_land(b);
}

struct reply *cycle_admit(struct cycle *c, struct bench *b, size_t most)
{
    const struct admit_options o = {.dequeuer = "bench", .batch = (int64_t)most, .capacity = -1};

    return bench_call(b, admit_call(c->store, &o, &c->settings));
}

/* The next of `left` runs, of which some must come in the end: *in_vain begins with 0. */
static struct reply *admit_next(struct cycle *c, struct bench *b, size_t left, size_t *in_vain)
{
    struct reply *r = cycle_admit(c, b, left < c->batch ? left : c->batch);

    *in_vain = admit_count(r) ? 0 : *in_vain + 1;
    if (*in_vain == PATIENCE && bench_ok(b))
        err_set(&b->err, ERR_REFUSED, "%zu runs were never admitted", left);
    return r;
}

static void start(struct cycle *c, struct bench *b, const struct reply *admitted)
{
    for (size_t i = 0; i < admit_count(admitted); i++) {
        struct admission a = admit_at(admitted, i);
        bench_start(b, c->store, &(struct execution){a.id, a.token, BENCH_EXECUTOR}, LEASE_MS);
    }
}

static void finish(struct cycle *c, struct bench *b, const struct reply *admitted)
{
    for (size_t i = 0; i < admit_count(admitted); i++) {
        struct admission a = admit_at(admitted, i);
        const struct execution x = {a.id, a.token, BENCH_EXECUTOR};
        bench_send(b, finish_call(c->store, &x, RUN_SUCCESS, "", NULL, 0));
    }
}

size_t cycle_end(struct cycle *c, struct bench *b, struct reply *admitted)
{
    size_t n = admit_count(admitted);

    start(c, b, admitted);
    finish(c, b, admitted);
    bench_land(b);
    reply_free(admitted);
    return n;
}

void cycle_hold(struct cycle *c, struct bench *b, struct cycle_run *held, size_t n)
{
    size_t in_vain = 0;

    cycle_submit(c, b, n);
    for (size_t have = 0; have < n && bench_ok(b);) {
        struct reply *r = admit_next(c, b, n - have, &in_vain);
        for (size_t i = 0; i < admit_count(r); i++, have++) {
            struct admission a = admit_at(r, i);
            snprintf(held[have].id, sizeof held->id, "%s", a.id);
            held[have].token = a.token;
        }
        start(c, b, r);
        bench_land(b);
        reply_free(r);
    }
}

struct call *cycle_renew_call(struct store *s, const struct cycle_run *held, size_t n, int64_t lease_ms)
{
    struct call *c = renew_call(s, lease_ms);

    for (size_t i = 0; i < n; i++)
        renew_add(c, &(struct execution){held[i].id, held[i].token, BENCH_EXECUTOR});
    return c;
}

double cycle_once(struct bench *b, void *arg)
{
    struct cycle *c = arg;
    double begun = bench_cpu_us(b);
    size_t in_vain = 0;

    cycle_submit(c, b, c->runs);
    for (size_t left = c->runs; left > 0 && bench_ok(b);)
        left -= cycle_end(c, b, admit_next(c, b, left, &in_vain));
    return (bench_cpu_us(b) - begun) / (double)c->runs;
}

/* --- one script after the other */

void cycle_phases(struct cycle *c, struct bench *b, double us[CYCLE_PHASES])
{
    void (*const each[])(struct cycle *, struct bench *, const struct reply *) = {start, finish};
    struct reply *batches[BATCHES];
    double at = bench_cpu_us(b), then;

    cycle_submit(c, b, BATCHES * BATCH);
    then = bench_cpu_us(b);
    us[0] = then - at;
    for (size_t i = 0; i < BATCHES; i++)
        batches[i] = cycle_admit(c, b, BATCH);
    at = bench_cpu_us(b);
    us[1] = at - then;
    for (size_t phase = 2; phase < CYCLE_PHASES; phase++, at = then) {
        for (size_t i = 0; i < BATCHES; i++)
            each[phase - 2](c, b, batches[i]);
        bench_land(b);
        then = bench_cpu_us(b);
        us[phase] = then - at;
    }
    for (size_t i = 0; i < BATCHES; i++)
        reply_free(batches[i]);
    for (size_t phase = 0; phase < CYCLE_PHASES; phase++)
        us[phase] /= BATCHES * BATCH;
}

/* --- the lower bound */

static void bare_push(struct cycle *c, struct bench *b)
{
    char *spec = spec_print(&c->specs[0]), counter[32];
    struct call *call = call_new(c->store, SCRIPT_BENCH_PUSH);

    call_str(call, spec);
    free(spec);
    for (size_t i = 0; i < BATCH; i++) {
        snprintf(counter, sizeof counter, "team=t%zu", i % 20);
        call_str(call, counter);
        call_str(call, "env=prod");
        snprintf(counter, sizeof counter, "tier=x%zu", i % 3);
        call_str(call, counter);
    }
    bench_send(b, call);
}

static size_t bare_pop(struct cycle *c, struct bench *b)
{
    struct call *pop = call_new(c->store, SCRIPT_BENCH_POP), *done = call_new(c->store, SCRIPT_BENCH_DONE);

    call_int(pop, BATCH);
    struct reply *r = bench_call(b, pop);
    size_t n = reply_count(r);
    for (size_t i = 1; i < n; i++)
        call_str(done, reply_str(reply_at(r, i)));
    bench_send(b, done);
    bench_land(b);
    reply_free(r);
    return n > 0 ? n - 1 : 0;
}

double cycle_bare(struct bench *b, void *arg)
{
    struct cycle *c = arg;
    double begun = bench_cpu_us(b);
    size_t runs = 0;

    for (size_t i = 0; i < c->runs / BATCH; i++) {
        bare_push(c, b);
        if (i % IN_FLIGHT == 0)
            bench_land(b);
    }
    bench_land(b);
    for (size_t n; bench_ok(b) && (n = bare_pop(c, b)) > 0;)
        runs += n;
    return runs ? (bench_cpu_us(b) - begun) / (double)runs : 0;
}
