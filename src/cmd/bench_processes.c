/* What processes cost: dequeuers that work and that wait, executors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/bench_fleet.h"

#define SPAWNS_IN_FLIGHT 4
#define FLEET_MOST       16
#define HEAVY_BYTES      ((size_t)1 << 30)

extern char **environ;

/* --- work */

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
        *pid = i < f->runs ? bench_spawn(b, argv, environ, -1) : 0;
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
    pid_t pid = bench_spawn(b, argv, f->environment.vars, -1);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return bench_clock_us() - begun;
}

/* A dequeuer with a GB of memory in use, against one without. */
static void heavy_dequeuer(struct bench *b, struct fleet *light)
{
    struct fleet heavy;

    fleet_open(&heavy, b,
               &(struct fleet_options){.namespace = "heavy",
                                       .dequeuers = 1,
                                       .concurrency = light->options.concurrency,
                                       .resident = (size_t)bench_size(b, HEAVY_BYTES, 1 << 20)});
    struct bench_trial trials[] = {{.once = fleet_runs_per_s, .arg = &heavy},
                                   {.once = fleet_runs_per_s, .arg = light}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 7, 1));
    bench_report(b, BAR_AT_LEAST, 0.7, "runs/s", trials[0].median, trials[1].median,
                 "the same, 1 GB resident, against without");
    fleet_close(&heavy);
}

static void processes(struct bench *b)
{
    struct fleet f;

    fleet_open(&f, b, &(struct fleet_options){.dequeuers = 1, .concurrency = "4"});
    struct bench_trial trials[] = {{.once = fleet_runs_per_s, .arg = &f}, {.once = spawns_per_s, .arg = &f}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 7, 1));
    bench_report(b, BAR_AT_LEAST, 0.3, "runs/s", trials[0].median, trials[1].median, "one-step runs of true");
    heavy_dequeuer(b, &f);
    struct bench_trial start = {.once = executor_us, .arg = &f};
    bench_trials(b, &start, 1, (size_t)bench_size(b, 101, 3));
    bench_report(b, BAR_AT_MOST, 2000, "µs", start.median, 0, "an executor with nothing to do");
    fleet_close(&f);
}

/* --- several dequeuers */

/* Which dequeuer took how many runs, by the events. */
struct shares {
    size_t of[FLEET_MOST], all;
};

static void event_count(struct shares *s, const struct event_record *event)
{
    const char *id = reply_str(reply_field(event->fields, 0, "dequeuer")); /* "d7" */
    size_t i = *id ? strtoul(id + 1, NULL, 10) : FLEET_MOST;

    if (strcmp(event->name, "RunDequeued") != 0)
        return;
    s->all++;
    if (i < FLEET_MOST)
        s->of[i]++;
}

static void shares_count(struct shares *s, struct bench *b, struct fleet *f, struct events *from)
{
    for (size_t n = 1; n > 0 && bench_ok(b);) {
        struct reply *r = events_read(from, f->store, &b->err);
        n = reply_count(r);
        for (size_t i = 0; i < n; i++) {
            struct event_record event = event_at(r, i);
            event_count(s, &event);
        }
        reply_free(r);
    }
}

/* (most - least) / mean, in percent */
static double shares_spread(const struct shares *s, size_t n)
{
    size_t most = 0, least = s->all;

    for (size_t i = 0; i < n; i++) {
        most = s->of[i] > most ? s->of[i] : most;
        least = s->of[i] < least ? s->of[i] : least;
    }
    return s->all ? (double)(most - least) * (double)n / (double)s->all * 100 : 0;
}

static void throughput(struct bench *b, struct fleet *one, size_t n)
{
    struct fleet many;

    fleet_open(&many, b,
               &(struct fleet_options){
                   .namespace = "many", .dequeuers = n, .concurrency = one->options.concurrency});
    struct bench_trial trials[] = {{.once = fleet_runs_per_s, .arg = &many},
                                   {.once = fleet_runs_per_s, .arg = one}};
    bench_trials(b, trials, 2, (size_t)bench_size(b, 5, 1));
    bench_report(b, BAR_AT_LEAST, 1, "runs/s", trials[0].median, trials[1].median,
                 "%zu dequeuers, against one", n);
    fleet_close(&many);
}

/* How evenly dequeuers share the work that may have equally much of it in progress; and that no run is launched twice. */
static void sharing(struct bench *b, size_t n)
{
    size_t rounds = (size_t)bench_size(b, 2 * (double)n, 1); /* 400 runs for each: fewer say little */
    struct fleet f;
    struct shares s = {0};
    struct bench_trial trial = {.once = fleet_runs_per_s, .arg = &f};

    fleet_open(&f, b,
               &(struct fleet_options){
                   .namespace = "equal", .dequeuers = n, .concurrency = "8", .capacity = n < 8 ? "2" : "1"});
    struct events from = fleet_events_end(&f, b);
    bench_trials(b, &trial, 1, rounds);
    shares_count(&s, b, &f, &from);
    bench_report(b, BAR_AT_MOST, 1, "times", (double)s.all / (double)(rounds * f.runs), 0,
                 "launches a run, %zu dequeuers", n);
    bench_report(b, BAR_AT_MOST, 20, "%", shares_spread(&s, n), 0,
                 "most to least of %zu dequeuers, of their mean", n);
    fleet_close(&f);
}

static void fleets(struct bench *b)
{
    struct fleet one;

    fleet_open(&one, b, &(struct fleet_options){.dequeuers = 1, .concurrency = "8"});
    for (size_t n = 2; n <= (size_t)bench_size(b, FLEET_MOST, 2) && bench_ok(b); n *= 2) {
        throughput(b, &one, n);
        sharing(b, n);
    }
    fleet_close(&one);
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

    fleet_open(&f, b, &(struct fleet_options){.dequeuers = n, .concurrency = "10"});
    for (size_t i = 0; i < n; i++)
        ticks -= process_number(f.pids[i], "stat", 14) + process_number(f.pids[i], "stat", 15);
    double begun = bench_cpu_us(b);
    bench_nap_us((long)(seconds * 1e6));
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

const struct bench_row bench_process_rows[] = {
    {"processes", "one-step runs of true, two processes each", "posix_spawn of true, 4 in flight", processes},
    {"fleet", "one-step runs of true by several dequeuers", "one dequeuer", fleets},
    {"idle", "dequeuers that wait, interval 250ms", "nothing", idle},
    {0},
};
