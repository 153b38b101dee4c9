/* How soon what was waited for happens: a launch, the next run or step when a slot is free. */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/bench_fleet.h"
#include "core/bell.h"
#include "core/execution.h"
#include "core/pool.h"
#include "core/submit.h"
#include "redis/client.h"

#define EVENT_WAIT_MS 10000
#define LEASE_MS      60000

extern char **environ;

static const size_t sizes[] = {1, 50}; /* of fleets */

/* --- the lower bound */

static void on_popped(void *arg, const struct reply *reply, const struct err *e)
{
    (void)reply;
    (void)e;
    *(double *)arg = bench_clock_us();
}

static double blpop_us(struct bench *b, void *arg)
{
    struct redis *waiter = arg;
    double popped = 0;
    const char *pop[] = {"BLPOP", "bare", "10"};

    redis_send(waiter, 0, 0, 3, pop, NULL, on_popped, &popped);
    reply_free(bench_ask(b, "PING", NULL));
    double begun = bench_clock_us();
    reply_free(bench_ask(b, "RPUSH", "bare", "1", NULL));
    while (popped == 0)
        event_base_loop(b->base, EVLOOP_ONCE);
    return popped - begun;
}

/* p50 and p99 of `once`, each against the same of BLPOP in the same rounds. */
static void against_blpop(struct bench *b, double (*once)(struct bench *b, void *arg), void *arg,
                          const char *what)
{
    struct redis *waiter = redis_new(b->base, redis_url_get(b->redis), "rivers-bench-waiter");
    struct bench_trial trials[] = {{.once = once, .arg = arg}, {.once = blpop_us, .arg = waiter}};

    bench_trials(b, trials, 2, (size_t)bench_size(b, 201, 3));
    bench_report(b, BAR_AT_MOST, 2.5, "µs", trials[0].median, trials[1].median, "p50, %s", what);
    bench_report(b, BAR_AT_MOST, 3, "µs", trials[0].p99, trials[1].p99, "p99, %s", what);
    redis_free(waiter);
}

static void of_dequeuers(char what[64], const char *of, size_t n)
{
    snprintf(what, 64, "%s%zu dequeuer%s", of, n, n > 1 ? "s" : "");
}

/* --- from the submission to the launch */

/* To the word that the executor was launched; an executor may be faster than that word. */
static double launch_us(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    const char *id;
    double begun = bench_clock_us();

    struct reply *r = bench_call(b, submit_call(f->store, &f->spec, 1));
    (void)submit_result(r, 0, &id);
    fleet_await(f, b, id, "launched_at", "started_at");
    double us = bench_clock_us() - begun;
    fleet_await(f, b, id, "ended_at", "ended_at");
    bench_nap_us(3000); /* until the dequeuer has seen the executor end, and waits again */
    reply_free(r);
    return us;
}

/* What no launch can do without: until posix_spawn has returned. */
static double spawn_us(struct bench *b, void *arg)
{
    char program[] = "/bin/true", *argv[] = {program, NULL};
    double begun = bench_clock_us();

    (void)arg;
    pid_t pid = bench_spawn(b, argv, environ);
    double us = bench_clock_us() - begun;
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return us;
}

static void latency(struct bench *b)
{
    char what[64];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && bench_ok(b); i++) {
        struct fleet f;
        size_t n = (size_t)bench_size(b, (double)sizes[i], 1);
        fleet_open(&f, b, &(struct fleet_options){.dequeuers = n, .concurrency = "10"});
        of_dequeuers(what, "", n);
        against_blpop(b, launch_us, &f, what);
        fleet_close(&f);
        bench_clear(b);
    }
    struct bench_trial spawn = {.once = spawn_us};
    bench_trials(b, &spawn, 1, (size_t)bench_size(b, 201, 3));
    bench_report(b, BAR_NONE, 0, "µs", spawn.median, 0, "p50, posix_spawn of true alone");
    bench_report(b, BAR_NONE, 0, "µs", spawn.p99, 0, "p99, posix_spawn of true alone");
}

/* --- from the end of a run to the admission of the next one */

struct succession {
    struct fleet fleet;
    struct redis *watcher;
};

/* Reads events from `ev` on until the run was dequeued. */
static void await_dequeued(struct succession *s, struct bench *b, struct events *ev, const char *id)
{
    char key[256];
    const char *read[] = {
        "XREAD", "BLOCK", "10000", "STREAMS", store_key(s->fleet.store, key, sizeof key, "events", ""),
        ev->last};

    for (bool found = false; !found && bench_ok(b);) {
        struct reply *r = redis_send_wait(s->watcher, 2 * EVENT_WAIT_MS, 6, read, NULL, &b->err);
        const struct reply *entries = reply_at(reply_at(r, 0), 1);
        for (size_t i = 0; i < reply_count(entries); i++) {
            struct event_record event = event_at(entries, i);
            found = found || (strcmp(event.run, id) == 0 && strcmp(event.name, "RunDequeued") == 0);
            snprintf(ev->last, sizeof ev->last, "%s", event.id);
        }
        if (r && !entries)
            err_set(&b->err, ERR_UNAVAILABLE, "run '%s' was not dequeued", id);
        reply_free(r);
    }
}

/* A run of ours fills the limit of 1 and ends: until it is known that the next one was admitted. */
static double succession_us(struct bench *b, void *arg)
{
    struct succession *s = arg;
    struct fleet *f = &s->fleet;
    const char *id;

    struct reply *ours = bench_call(b, materialize_call(f->store, &f->spec, "bench", LEASE_MS));
    const struct execution x = {reply_str(reply_at(ours, 1)), reply_int(reply_at(ours, 2), 0),
                                BENCH_EXECUTOR};
    reply_free(bench_call(b, start_call(f->store, &x, LEASE_MS)));
    struct reply *next = bench_call(b, submit_call(f->store, &f->spec, 1));
    (void)submit_result(next, 0, &id);
    bench_nap_us(3000); /* a dequeuer that was woken in vain waits again */
    struct events ev = fleet_events_end(f, b);
    double begun = bench_clock_us();
    bench_send(b, finish_call(f->store, &x, RUN_SUCCESS, "", NULL, 0));
    await_dequeued(s, b, &ev, id);
    double us = bench_clock_us() - begun;
    bench_land(b);
    fleet_await(f, b, id, "ended_at", "ended_at");
    bench_nap_us(3000);
    reply_free(ours);
    reply_free(next);
    return us;
}

static void freed_runs(struct bench *b)
{
    char what[64];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && bench_ok(b); i++) {
        struct succession s = {.watcher =
                                   redis_new(b->base, redis_url_get(b->redis), "rivers-bench-watcher")};
        size_t n = (size_t)bench_size(b, (double)sizes[i], 1);
        fleet_open(&s.fleet, b, &(struct fleet_options){.dequeuers = n, .concurrency = "1"});
        of_dequeuers(what, "the next run, ", n);
        against_blpop(b, succession_us, &s, what);
        fleet_close(&s.fleet);
        redis_free(s.watcher);
        bench_clear(b);
    }
}

/* --- from the release of a slot to the answer of the claim that waited for it */

struct handoff {
    struct bench *bench;
    struct store *store;
    struct bell *bell;
    int64_t token; /* of the one who waited; 0: not granted yet */
};

static const struct claimant holder = {.run = "holder", .step = "s", .attempt = 1},
                             waiter = {.run = "waiter", .step = "s", .attempt = 1};

static struct call *claim(struct handoff *h, const struct claimant *who)
{
    static char pool[] = "p";

    return claim_call(h->store, who, &(struct pool_claim){pool, 1}, 1);
}

static void on_answer(void *arg, const struct reply *r, const struct err *e)
{
    struct handoff *h = arg;

    if (reply_is(r, "GRANTED"))
        h->token = reply_int(reply_at(r, 1), 0);
    else
        err_set(&h->bench->err, ERR_REFUSED, "no slot for the one who waited: %s",
                r ? reply_word(r) : e->msg);
}

static void on_ring(void *arg)
{
    struct handoff *h = arg;

    call_send(claim(h, &waiter), 0, on_answer, h);
}

static double handoff_us(struct bench *b, void *arg)
{
    struct handoff *h = arg;
    struct reply *held = bench_call(b, claim(h, &holder));

    reply_free(bench_call(b, claim(h, &waiter)));
    bell_listen(h->bell);
    reply_free(bench_ask(b, "PING", NULL));
    h->token = 0;
    double begun = bench_clock_us();
    bench_send(b, release_call(h->store, &holder, reply_int(reply_at(held, 1), 0)));
    while (h->token == 0 && bench_ok(b))
        event_base_loop(b->base, EVLOOP_ONCE);
    double us = bench_clock_us() - begun;
    bench_land(b);
    reply_free(bench_call(b, release_call(h->store, &waiter, h->token)));
    reply_free(held);
    return us;
}

static void freed_slots(struct bench *b)
{
    struct handoff h = {.bench = b, .store = bench_store(b, "pools")};

    h.bell = bell_new(h.store, "wake:waiter", on_ring, &h);
    bench_set(b, h.store, "pool_limits", "p", "1");
    against_blpop(b, handoff_us, &h, "a claim that waits");
    bell_free(h.bell);
    store_free(h.store);
}

static void freed(struct bench *b)
{
    freed_runs(b);
    freed_slots(b);
}

const struct bench_row bench_latency_rows[] = {
    {"latency", "from submit to launch on an idle fleet", "BLPOP between two bare clients", latency},
    {"freed", "from a slot that is given back to its next holder", "BLPOP between two bare clients", freed},
    {0},
};
