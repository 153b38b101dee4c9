/*
 * bench: what the rows of `rivers bench` measure with: a private server, the CPU time it used, calls in flight, trials in turn.
 *
 * Absolute numbers say little on a machine that does other things as well. So a row measures two things in turn, in short
 * rounds, on one server, and compares medians: of the CPU time of the server's main thread where the server is what limits,
 * of round trips where it is latency.
 *
 * An error ends the benchmark: it is kept in b->err, and after that every helper does nothing and returns 0 or NULL, so that
 * a row reads as if nothing could fail. Loops of a row end by bench_ok.
 */
#ifndef RIVERS_CMD_BENCH_H
#define RIVERS_CMD_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/execution.h"
#include "daemon/embedded.h"

#define BENCH_PATIENCE_US 60e6      /* for what is certain to happen */
#define BENCH_EXECUTOR    "bench:1" /* holds what it starts */

enum bench_bar { BAR_NONE, BAR_AT_LEAST, BAR_AT_MOST };

struct bench_figure {
    const char *row;
    char *what;
    const char *unit;
    double measured, against; /* against 0: nothing to compare with, the bar is for the figure itself */
    enum bench_bar sense;
    double bar;
};

struct bench {
    struct event_base *base;
    struct redis *redis;
    struct embedded server;
    char *dir;
    bool quick;        /* small sizes, few rounds: shows that it works, measures nothing */
    size_t depth;      /* runs in the deepest queue */
    const char *rival; /* command that runs another queue; NULL: none */
    size_t pending;    /* calls in flight */
    struct err err;
    const char *row; /* that is measured now */
    struct bench_figure *figures;
    size_t nfigures;
};

struct bench_row {
    const char *name, *what, *against;
    void (*measure)(struct bench *b);
};

/* Ends with NULL. */
extern const struct bench_row bench_run_rows[], bench_single_rows[], bench_depth_rows[], bench_pool_rows[],
    bench_latency_rows[], bench_process_rows[];

int bench_open(struct bench *b, struct err *e); /* b->quick and b->depth are set, the rest is zero */
void bench_close(struct bench *b);
bool bench_ok(const struct bench *b);                  /* nothing has failed, and nobody wants us to stop */
int bench_fault(const struct bench *b, struct err *e); /* why it is not: -1 */

/* The measured figure, what it is compared with, and the bar for their ratio (of the figure itself where against is 0). */
void bench_report(struct bench *b, enum bench_bar sense, double bar, const char *unit, double measured,
                  double against, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
double bench_ratio(const struct bench_figure *f);
bool bench_is_met(const struct bench_figure *f);

/* --- the server --- */

struct store *bench_store(struct bench *b, const char *namespace); /* for store_free */
void bench_clear(struct bench *b);                                 /* all data of all namespaces */
double bench_cpu_us(struct bench *b);                              /* of the main thread since it started */
double bench_p99_us(struct bench *b); /* of scripts, as the server timed them since CONFIG RESETSTAT */
double bench_info(struct bench *b, const char *section, const char *field);

/* One command, its words up to NULL; the reply is for reply_free. */
struct reply *bench_ask(struct bench *b, ...) __attribute__((sentinel));
void bench_set(struct bench *b, struct store *s, const char *hash, const char *field, const char *value);

void bench_send(struct bench *b, struct call *c); /* into flight; the reply is dropped */
/* What an executor asks when it starts. */
void bench_start(struct bench *b, struct store *s, const struct execution *x, int64_t lease_ms);
void bench_land(struct bench *b);                          /* waits until nothing is in flight */
struct reply *bench_call(struct bench *b, struct call *c); /* for reply_free */

/* --- measuring --- */

/* Each trial once a round, `rounds` times in turn; median of what `once` returned. */
struct bench_trial {
    double (*once)(struct bench *b, void *arg);
    void *arg;
    double median, p99;
};
void bench_trials(struct bench *b, struct bench_trial *trials, size_t n, size_t rounds);

double bench_clock_us(void);
void bench_nap_us(long us);
void bench_rest(void); /* before a sample of what is woken: all who take part sleep */
double bench_size(const struct bench *b, double whole, double quick);

#endif
