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
    bool heard;              /* fleet_await_launch is to be used */
    size_t resident;         /* bytes of memory that each dequeuer has in use besides its own */
};

struct fleet {
    struct fleet_options options;
    struct store *store;
    struct environment environment;
    struct spec spec; /* a run of one step: true */
    pid_t *pids;
    int logs[2]; /* ends of the pipe that the dequeuers log into, where they are heard; -1: into none */
    size_t runs; /* of one trial */
};

/* Returns when each dequeuer waits for runs. */
void fleet_open(struct fleet *f, struct bench *b, const struct fleet_options *o);
void fleet_close(struct fleet *f);

/* Runs a second, from the first submission to the end of the last run; arg is the fleet. */
double fleet_runs_per_s(struct bench *b, void *arg);

/* Until a dequeuer says in its log that it launched the run. */
void fleet_await_launch(struct fleet *f, struct bench *b, const char *id);
void fleet_await_end(struct fleet *f, struct bench *b, const char *id);

struct events fleet_events_end(struct fleet *f,
                               struct bench *b); /* what is read from there is what comes next */

/* A process whose stdin and stdout are /dev/null, and stderr unless `errors` is a descriptor. */
pid_t bench_spawn(struct bench *b, char *const *argv, char *const *envp, int errors);

#endif
