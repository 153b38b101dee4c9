/* What one run costs the server. */
#include <stdlib.h>
#include <string.h>

#include "cmd/bench_cycle.h"

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
    size_t runs = (size_t)bench_size(b, 20000, 200);
    struct cycle c;

    cycle_init(&c, b, own_lanes ? "own" : "shared", runs);
    cycle_submit(&c, b, 60); /* what is there once, whatever the number of runs */
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

const struct bench_row bench_run_rows[] = {
    {"life-cycle", "submit, admit, start, finish, gates on", "bare Lua with the same counters", life_cycle},
    {"memory", "a queued run of 300 bytes and 4 tags", "BullMQ 947, asynq 880 bytes", memory},
    {"phases", "Redis CPU a run by script", "bare Lua for all four", phases},
    {0},
};
