/* What runs cost that come and go one by one, and another queue's jobs in its place. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/bench_cycle.h"
#include "core/admit.h"
#include "core/execution.h"
#include "core/submit.h"

#define IN_FLIGHT    50 /* submissions at once; runs in progress */
#define ADMIT        10
#define LEASE_MS     30000
#define MOST_IN_VAIN 1000

/* Runs pass through: admissions are asked for so that IN_FLIGHT runs are in progress. */
struct passage {
    struct bench *bench;
    struct cycle cycle;
    size_t left;     /* not asked for yet */
    size_t progress; /* asked for, or not finished yet */
    size_t in_vain;  /* admissions in a row that brought nothing */
};

static void admit(struct passage *p);

static void on_finished(void *arg, const struct reply *r, const struct err *e)
{
    struct passage *p = arg;

    if (!r && bench_ok(p->bench))
        p->bench->err = *e;
    p->progress--;
    admit(p);
}

static void on_admitted(void *arg, const struct reply *r, const struct err *e)
{
    struct passage *p = arg;
    size_t n = admit_count(r);

    if (!r && bench_ok(p->bench))
        p->bench->err = *e;
    p->in_vain = n ? 0 : p->in_vain + 1;
    if (p->in_vain == MOST_IN_VAIN && bench_ok(p->bench))
        err_set(&p->bench->err, ERR_REFUSED, "%zu runs were never admitted", p->left);
    p->progress -= ADMIT - n;
    p->left += ADMIT - n;
    for (size_t i = 0; i < n; i++) {
        struct admission a = admit_at(r, i);
        const struct execution x = {a.id, a.token, BENCH_EXECUTOR};
        bench_start(p->bench, p->cycle.store, &x, LEASE_MS);
        call_send(finish_call(p->cycle.store, &x, RUN_SUCCESS, "", NULL, 0), 0, on_finished, p);
    }
    admit(p);
}

static void admit(struct passage *p)
{
    const struct admit_options o = {.dequeuer = "bench", .batch = ADMIT, .capacity = -1};

    while (p->left > 0 && p->progress + ADMIT <= IN_FLIGHT && bench_ok(p->bench)) {
        p->left -= ADMIT;
        p->progress += ADMIT;
        call_send(admit_call(p->cycle.store, &o, &p->cycle.settings), 0, on_admitted, p);
    }
}

static void pass(struct passage *p)
{
    struct cycle *c = &p->cycle;
    struct bench *b = p->bench;

    for (size_t i = 0; i < c->runs && bench_ok(b); i++) {
        bench_send(b, submit_call(c->store, &c->specs[i % (sizeof c->specs / sizeof *c->specs)], 1));
        if (i % IN_FLIGHT == IN_FLIGHT - 1)
            bench_land(b);
    }
    bench_land(b);
    p->left = c->runs;
    admit(p);
    while (p->progress > 0)
        event_base_loop(b->base, EVLOOP_ONCE);
    bench_land(b);
}

/* --- who is measured */

/* Two trials: of the clock, which measures both, and of the CPU time of Redis in that same round. */
struct contender {
    struct passage *passage; /* NULL: the rival */
    size_t runs;
    double cpu_us;
};

/* Runs `COMMAND SOCKET JOBS`, which prints its jobs a second. Returns µs a job. */
static double rival_us(struct bench *b, size_t jobs)
{
    char *line = xasprintf("%s '%s' %zu", b->rival, b->server.url + strlen("unix://"), jobs), answer[64] = "";
    FILE *out = popen(line, "r");

    if (out && !fgets(answer, sizeof answer, out))
        answer[0] = '\0';
    int status = out ? pclose(out) : -1;
    double per_s = strtod(answer, NULL);
    if ((status != 0 || per_s <= 0) && bench_ok(b))
        err_set(&b->err, ERR_REFUSED, "option '--rival': '%s' printed no jobs a second", line);
    free(line);
    return per_s > 0 ? 1e6 / per_s : 0;
}

static double clock_us(struct bench *b, void *arg)
{
    struct contender *c = arg;
    double cpu = bench_cpu_us(b), begun = bench_clock_us(), us;

    if (c->passage) {
        pass(c->passage);
        us = (bench_clock_us() - begun) / (double)c->runs;
    } else {
        us = rival_us(b, c->runs);
    }
    c->cpu_us = (bench_cpu_us(b) - cpu) / (double)c->runs;
    return us;
}

static double cpu_us(struct bench *b, void *arg)
{
    (void)b;
    return ((struct contender *)arg)->cpu_us;
}

static void single(struct bench *b)
{
    size_t runs = (size_t)bench_size(b, 10000, 100), sides = b->rival ? 2 : 1;
    struct passage p = {.bench = b};
    struct contender ours = {.passage = &p, .runs = runs}, theirs = {.runs = runs};
    struct bench_trial trials[] = {
        {clock_us, &ours, 0, 0}, {cpu_us, &ours, 0, 0}, {clock_us, &theirs, 0, 0}, {cpu_us, &theirs, 0, 0}};
    const char *against =
        b->rival ? "50 in progress, against the rival" : "50 in progress, no rival was given";

    cycle_init(&p.cycle, b, "single", runs);
    bench_trials(b, trials, 2 * sides, (size_t)bench_size(b, 5, 1));
    bench_report(b, b->rival ? BAR_AT_LEAST : BAR_NONE, 1.3, "runs/s", 1e6 / trials[0].median,
                 b->rival ? 1e6 / trials[2].median : 0, "%s", against);
    bench_report(b, BAR_NONE, 0, "µs", trials[1].median, trials[3].median, "Redis CPU a run, %s", against);
    cycle_release(&p.cycle);
}

const struct bench_row bench_single_rows[] = {
    {"single", "life cycle by single submits, admitted in tens", "BullMQ, where --rival runs it", single},
    {0},
};
