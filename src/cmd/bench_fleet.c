/* What processes cost: dequeuers that work and that wait, executors. */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/environment.h"
#include "cmd/bench.h"
#include "core/submit.h"
#include "redis/client.h"

#define SPAWNS_IN_FLIGHT 4
#define PATIENCE_US      60e6

extern char **environ;

struct fleet {
    struct store *store;
    struct environment environment;
    struct spec spec; /* a run of one step: true */
    pid_t *pids;
    size_t n;
    size_t runs; /* of one trial */
};

static void nap_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

/* stdin, stdout and stderr are /dev/null. */
static pid_t spawn(struct bench *b, char *const *argv, char *const *envp)
{
    posix_spawn_file_actions_t files;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (posix_spawn(&pid, argv[0], &files, NULL, argv, envp) != 0 && bench_ok(b))
        err_sys(&b->err, "cannot run '%s'", argv[0]);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static void fleet_open(struct fleet *f, struct bench *b, size_t n, const char *concurrency)
{
    static const char run[] = "{\"steps\": [{\"name\": \"a\", \"command\": [\"/bin/true\"]}]}";
    char self[] = "/proc/self/exe", word[] = "dequeuer", *argv[] = {self, word, NULL};

    *f = (struct fleet){.n = n, .runs = (size_t)bench_size(b, 200, 5), .store = bench_store(b, "fleet")};
    if (spec_parse(&f->spec, run, strlen(run), &b->err) < 0)
        return;
    bench_set(b, f->store, "config", "max_concurrent_runs", concurrency);
    environment_init(&f->environment, environ);
    environment_set(&f->environment, "RIVERS_REDIS_URL", b->server.url);
    environment_set(&f->environment, "RIVERS_NAMESPACE", "fleet");
    f->pids = calloc(n + 1, sizeof *f->pids);
    for (size_t i = 0; i < n; i++)
        f->pids[i] = spawn(b, argv, f->environment.vars);
    double begun = bench_clock_us();
    while (bench_ok(b) &&
           bench_info(b, "clients", "blocked_clients") < (double)n) { /* each waits at the bell */
        if (bench_clock_us() - begun > PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "the dequeuers did not come up");
        nap_us(10000);
    }
}

static void fleet_close(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->pids[i] > 0)
            kill(f->pids[i], SIGTERM);
    for (size_t i = 0; i < f->n; i++)
        if (f->pids[i] > 0)
            waitpid(f->pids[i], NULL, 0);
    free(f->pids);
    environment_release(&f->environment);
    spec_release(&f->spec);
    store_free(f->store);
}

/* --- latency */

/* Asks until one of the two fields is in the record of the run. */
static void run_await(struct fleet *f, struct bench *b, const char *id, const char *one, const char *other)
{
    double begun = bench_clock_us();
    char key[256];
    bool there = false;

    store_key(f->store, key, sizeof key, "run:", id);
    while (!there && bench_ok(b)) {
        struct reply *r = bench_ask(b, "HMGET", key, one, other, NULL);
        there = r && (!reply_is_nil(reply_at(r, 0)) || !reply_is_nil(reply_at(r, 1)));
        reply_free(r);
        if (!there)
            nap_us(20); /* leaves the cores to those who are measured */
        if (bench_clock_us() - begun > PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "run '%s' got no %s", id, one);
    }
}

/* From the submission to the word that the executor was launched; an executor may be faster than that word. */
static double launch_us(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    const char *id;
    double begun = bench_clock_us();

    struct reply *r = bench_call(b, submit_call(f->store, &f->spec, 1));
    (void)submit_result(r, 0, &id);
    run_await(f, b, id, "launched_at", "started_at");
    double us = bench_clock_us() - begun;
    run_await(f, b, id, "ended_at", "ended_at");
    nap_us(3000); /* until the dequeuer has seen the executor end, and waits again */
    reply_free(r);
    return us;
}

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

static void latency(struct bench *b)
{
    static const size_t sizes[] = {1, 50};
    struct redis *waiter = redis_new(b->base, redis_url_get(b->redis), "rivers-bench-waiter");

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && bench_ok(b); i++) {
        struct fleet f;
        size_t n = (size_t)bench_size(b, (double)sizes[i], 1);
        fleet_open(&f, b, n, "10");
        struct bench_trial trials[] = {{.once = launch_us, .arg = &f}, {.once = blpop_us, .arg = waiter}};
        bench_trials(b, trials, 2, (size_t)bench_size(b, 201, 3));
        bench_report(b, BAR_AT_MOST, 2.5, "µs", trials[0].median, trials[1].median, "p50, %zu dequeuer%s", n,
                     n > 1 ? "s" : "");
        bench_report(b, BAR_AT_MOST, 3, "µs", trials[0].p99, trials[1].p99, "p99, %zu dequeuer%s", n,
                     n > 1 ? "s" : "");
        fleet_close(&f);
        bench_clear(b);
    }
    redis_free(waiter);
}

/* --- throughput */

/* Runs a second, from the first submission to the end of the last run. */
static double runs_per_s(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    char key[256];
    double begun = bench_clock_us(), left = 1;

    store_key(f->store, key, sizeof key, "history", "");
    reply_free(bench_ask(b, "DEL", key, NULL));
    for (size_t i = 0; i < f->runs; i++)
        bench_send(b, submit_call(f->store, &f->spec, 1));
    bench_land(b);
    while (left > 0 && bench_ok(b)) {
        struct reply *r = bench_ask(b, "ZCARD", key, NULL);
        left = (double)f->runs - (double)reply_int(r, 0);
        reply_free(r);
        nap_us(1000);
        if (bench_clock_us() - begun > PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "%.0f of %zu runs did not end", left, f->runs);
    }
    return (double)f->runs / (bench_clock_us() - begun) * 1e6;
}

static double spawns_per_s(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    char program[] = "/bin/true", *argv[] = {program, NULL};
    pid_t flying[SPAWNS_IN_FLIGHT] = {0};
    double begun = bench_clock_us();

    for (size_t i = 0; i < f->runs + SPAWNS_IN_FLIGHT; i++) {
        pid_t *pid = &flying[i % SPAWNS_IN_FLIGHT];
        if (*pid > 0)
            waitpid(*pid, NULL, 0);
        *pid = i < f->runs ? spawn(b, argv, environ) : 0;
    }
    return (double)f->runs / (bench_clock_us() - begun) * 1e6;
}

/* An executor that finds nothing to do: it starts, connects, asks, and ends. */
static double executor_us(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    char self[] = "/proc/self/exe", word[] = "execute", run[] = "r00000000000none0",
         *argv[] = {self, word, run, NULL};
    double begun = bench_clock_us();

    environment_set(&f->environment, "RIVERS_TOKEN", "1");
    pid_t pid = spawn(b, argv, f->environment.vars);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return bench_clock_us() - begun;
}

static void processes(struct bench *b)
{
    struct fleet f;

    fleet_open(&f, b, 1, "4");
    struct bench_trial trials[] = {{.once = runs_per_s, .arg = &f}, {.once = spawns_per_s, .arg = &f}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 7, 1));
    bench_report(b, BAR_AT_LEAST, 0.3, "runs/s", trials[0].median, trials[1].median, "one-step runs of true");
    struct bench_trial start = {.once = executor_us, .arg = &f};
    bench_trials(b, &start, 1, (size_t)bench_size(b, 101, 3));
    bench_report(b, BAR_AT_MOST, 2000, "µs", start.median, 0, "an executor with nothing to do");
    fleet_close(&f);
}

static double fleet_of(struct bench *b, size_t n)
{
    struct fleet f;
    struct bench_trial trial = {.once = runs_per_s, .arg = &f};

    fleet_open(&f, b, n, "8");
    bench_trials(b, &trial, 1, (size_t)bench_size(b, 5, 1));
    fleet_close(&f);
    bench_clear(b);
    return trial.median;
}

static void fleets(struct bench *b)
{
    double one = fleet_of(b, 1);

    for (size_t n = 2; n <= (size_t)bench_size(b, 16, 2) && bench_ok(b); n *= 2)
        bench_report(b, BAR_AT_LEAST, 1, "runs/s", fleet_of(b, n), one, "%zu dequeuers, against one", n);
}

/* --- waiting */

static double process_number(pid_t pid, const char *file, size_t field)
{
    char path[64], line[512] = "";

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    if (!in)
        return 0;
    const char *at = fgets(line, sizeof line, in);
    fclose(in);
    while (at && field-- > 1)
        at = (at = strchr(at, ' ')) ? at + 1 : NULL;
    return at ? strtod(at, NULL) : 0;
}

static void idle(struct bench *b)
{
    double seconds = bench_size(b, 10, 0.2), ticks = 0, pages = 0;
    size_t n = (size_t)bench_size(b, 100, 2);
    struct fleet f;

    fleet_open(&f, b, n, "10");
    for (size_t i = 0; i < n; i++)
        ticks -= process_number(f.pids[i], "stat", 14) + process_number(f.pids[i], "stat", 15);
    double begun = bench_cpu_us(b);
    nap_us((long)(seconds * 1e6));
    double us = bench_cpu_us(b) - begun;
    for (size_t i = 0; i < n; i++) {
        ticks += process_number(f.pids[i], "stat", 14) + process_number(f.pids[i], "stat", 15);
        pages += process_number(f.pids[i], "statm", 2);
    }
    bench_report(b, BAR_AT_MOST, 2, "%", us / seconds / 1e4, 0, "of a core of Redis, %zu dequeuers", n);
    bench_report(b, BAR_AT_MOST, 0.1, "%", ticks / (double)sysconf(_SC_CLK_TCK) / seconds / (double)n * 100,
                 0, "of a core, one dequeuer");
    bench_report(b, BAR_AT_MOST, 8, "MB", pages * (double)sysconf(_SC_PAGESIZE) / 1e6 / (double)n, 0,
                 "resident, one dequeuer");
    fleet_close(&f);
}

const struct bench_row bench_fleet_rows[] = {
    {"latency", "from submit to launch on an idle fleet", "BLPOP between two bare clients", latency},
    {"processes", "one-step runs of true, two processes each", "posix_spawn of true, 4 in flight", processes},
    {"fleet", "one-step runs of true by several dequeuers", "one dequeuer", fleets},
    {"idle", "dequeuers that wait, interval 250ms", "nothing", idle},
    {0},
};
