/* bench_fleet: dequeuers at work on the private server, each a process, with the local backend. */
#ifndef RIVERS_CMD_BENCH_FLEET_H
#define RIVERS_CMD_BENCH_FLEET_H

#include <sys/types.h>

#include "base/environment.h"
#include "cmd/bench.h"
#include "core/events.h"
#include "core/spec.h"

struct fleet_options {
    const char *namespace;   /* NULL: fleet */
    size_t dequeuers;        /* their ids: d0, d1, ... */
    const char *concurrency; /* max_concurrent_runs */
    const char *capacity;    /* of each dequeuer; NULL: no limit */
    size_t resident;         /* bytes of memory that each dequeuer has in use besides its own */
};

struct fleet {
    struct fleet_options options;
    struct store *store;
    struct environment environment;
    struct spec spec; /* a run of one step: true */
    pid_t *pids;
    size_t runs; /* of one trial */
};

/* Returns when each dequeuer waits for runs. */
void fleet_open(struct fleet *f, struct bench *b, const struct fleet_options *o);
void fleet_close(struct fleet *f);

/* Runs a second, from the first submission to the end of the last run; arg is the fleet. */
double fleet_runs_per_s(struct bench *b, void *arg);

/* Asks until one of the two fields is in the record of the run. */
void fleet_await(struct fleet *f, struct bench *b, const char *id, const char *one, const char *other);

struct events fleet_events_end(struct fleet *f,
                               struct bench *b); /* what is read from there is what comes next */

/* A process whose stdin, stdout and stderr are /dev/null. */
pid_t bench_spawn(struct bench *b, char *const *argv, char *const *envp);

#endif
