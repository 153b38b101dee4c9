/* bench_cycle: whole life cycles of runs without processes, through the calls that submitters, dequeuers and executors make;
 * and the lower bound for them: Lua that pops, checks three counters, leases, completes, with an index of lanes. */
#ifndef RIVERS_CMD_BENCH_CYCLE_H
#define RIVERS_CMD_BENCH_CYCLE_H

#include "cmd/bench.h"
#include "core/settings.h"
#include "core/spec.h"

struct cycle {
    struct store *store;
    struct settings settings;
    struct spec specs[60]; /* 300 bytes and four tags each, three of them limited: 60 lanes */
    size_t teams;          /* over how many the runs are spread; 0: 20 */
    size_t runs;           /* of cycle_once */
    size_t batch;          /* runs that are admitted at once; 50 unless changed */
};

/* Sets the limits: 1,000 for each value of three tags and for all runs. */
void cycle_init(struct cycle *c, struct bench *b, const char *namespace, size_t runs);
void cycle_release(struct cycle *c);
void cycle_limit(struct cycle *c, struct bench *b, const char *limit); /* another one for each of them */

void cycle_submit(struct cycle *c, struct bench *b, size_t runs);
struct reply *cycle_admit(struct cycle *c, struct bench *b, size_t most);

/* Starts and finishes what was admitted, and frees the reply. Returns how many runs it were. */
size_t cycle_end(struct cycle *c, struct bench *b, struct reply *admitted);

/* Submits n runs and starts each, with a lease of 30 s. */
struct cycle_run {
    char id[32];
    int64_t token;
};
void cycle_hold(struct cycle *c, struct bench *b, struct cycle_run *held, size_t n);

/* One renewal of n of them. */
struct call *cycle_renew_call(struct store *s, const struct cycle_run *held, size_t n, int64_t lease_ms);

/* `runs` life cycles, of rivers and of the lower bound: µs of Redis CPU a run. For bench_trials, arg is the cycle. */
double cycle_once(struct bench *b, void *arg);
double cycle_bare(struct bench *b, void *arg);

/* µs of Redis CPU a run in each of submit, admit, start, finish; the first two in batches of 50, the others singly. */
#define CYCLE_PHASES 4
void cycle_phases(struct cycle *c, struct bench *b, double us[CYCLE_PHASES]);

#endif
