/* How soon what was waited for happens: a launch, the next run or step when a slot is free. */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/bench_fleet.h"
#include "cmd/bench_peer.h"
#include "core/bell.h"
#include "core/execution.h"
#include "core/pool.h"
#include "core/submit.h"
#include "redis/client.h"

#define EVENT_WAIT_MS 10000
#define LEASE_MS      60000

extern char **environ;

static const size_t sizes[] = {1, 50}; /* of fleets */

/* --- against the lower bound */

/* p50 and p99 of `once`, each against the same of BLPOP in the same rounds. */
static void against_blpop(struct bench *b, double (*once)(struct bench *b, void *arg), void *arg,
                          const char *what)
{
    struct peer popper;

    peer_open(&popper, b, peer_popper);
    struct bench_trial trials[] = {{.once = once, .arg = arg}, {.once = peer_blpop_us, .arg = &popper}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 201, 3));
    bench_report(b, BAR_AT_MOST, 2.5, "µs", trials[0].median, trials[1].median, "p50, %s", what);
    bench_report(b, BAR_AT_MOST, 3, "µs", trials[0].p99, trials[1].p99, "p99, %s", what);
    peer_close(&popper);
}

static void of_dequeuers(char what[64], const char *of, size_t n)
{
    snprintf(what, 64, "%s%zu dequeuer%s", of, n, n > 1 ? "s" : "");
}

/* --- from the submission to the launch */

/* To the line in which a dequeuer says so: by then the process is there. */
static double launch_us(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    const char *id;

    bench_rest(); /* the dequeuer has seen the last executor end, and waits again */
    double begun = bench_clock_us();
    struct reply *r = bench_call(b, submit_call(f->store, &f->spec, 1));
    (void)submit_result(r, 0, &id);
    fleet_await_launch(f, b, id);
    double us = bench_clock_us() - begun;
    fleet_await_end(f, b, id);
    reply_free(r);
    return us;
}

/* What no launch can do without: until posix_spawn has returned. */
static double spawn_us(struct bench *b, void *arg)
{
    char program[] = "/bin/true", *argv[] = {program, NULL};

    (void)arg;
    bench_rest();
    double begun = bench_clock_us();
    pid_t pid = bench_spawn(b, argv, environ, -1);
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
        fleet_open(&f, b, &(struct fleet_options){.dequeuers = n, .concurrency = "10", .heard = true});
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
    bench_rest(); /* a dequeuer that was woken in vain waits again */
    struct events ev = fleet_events_end(f, b);
    double begun = bench_clock_us();
    bench_send(b, finish_call(f->store, &x, RUN_SUCCESS, "", NULL, 0));
    await_dequeued(s, b, &ev, id);
    double us = bench_clock_us() - begun;
    bench_land(b);
    fleet_await_end(f, b, id);
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

static const struct claimant holder = {.run = "holder", .step = "s", .attempt = 1},
                             waiter = {.run = "waiter", .step = "s", .attempt = 1};

/* Returns the token; 0: it is not granted. */
static int64_t claim(struct bench *b, struct store *s, const struct claimant *who)
{
    static char pool[] = "p";
    struct reply *r = bench_call(b, claim_call(s, who, &(struct pool_claim){pool, 1}, 1));
    int64_t token = reply_is(r, "GRANTED") ? reply_int(reply_at(r, 1), 0) : 0;

    reply_free(r);
    return token;
}

static void on_ring(void *arg)
{
    *(bool *)arg = true;
}

/* In its own process, and on two connections, as an executor does it. */
static void claim_and_wait(struct bench *b, const struct peer *p)
{
    bool rung;
    struct store *s = bench_store(b, "pools");
    struct bell *bell = bell_new(s, "wake:waiter", on_ring, &rung);

    while (peer_next(p) && bench_ok(b)) {
        int64_t token = claim(b, s, &waiter);
        peer_waits(p);
        while (!token && bench_ok(b)) {
            bell_listen(bell);
            for (rung = false; !rung && bench_ok(b);)
                event_base_loop(b->base, EVLOOP_ONCE);
            token = claim(b, s, &waiter);
        }
        double woken = bench_clock_us();
        reply_free(bench_call(b, release_call(s, &waiter, token)));
        peer_tell(p, woken);
    }
}

struct handoff {
    struct store *store;
    struct peer waiter;
};

static double handoff_us(struct bench *b, void *arg)
{
    struct handoff *h = arg;
    int64_t token = claim(b, h->store, &holder);

    peer_go(&h->waiter, b);
    bench_rest();
    double begun = bench_clock_us();
    reply_free(bench_call(b, release_call(h->store, &holder, token)));
    return peer_woken_us(&h->waiter, b) - begun;
}

static void freed_slots(struct bench *b)
{
    struct handoff h = {.store = bench_store(b, "pools")};

    bench_set(b, h.store, "pool_limits", "p", "1");
    peer_open(&h.waiter, b, claim_and_wait);
    against_blpop(b, handoff_us, &h, "a claim that waits");
    peer_close(&h.waiter);
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
