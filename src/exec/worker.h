/*
 * worker: what runs one attempt of a step. Each type fills one struct worker_type; a task knows nothing else of it.
 *
 *   type->start ──> waiting ──> running ──────────────> on_exit
 *                          on_running   │ type->end       ^
 *                                       v                 │ nothing of it runs any more
 *                                     ending, at most for its grace
 */
#ifndef RIVERS_EXEC_WORKER_H
#define RIVERS_EXEC_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/step.h"
#include "exec/ending.h"

struct worker;

struct worker_order {
    const struct step *step; /* borrowed until on_exit or type->free */
    int64_t attempt;
    char *const *vars; /* its environment; for the call */
};

struct worker_events {
    void (*on_running)(void *arg); /* once; perhaps before type->start has returned */
    void (*on_waiting)(void *arg,
                       const char *reason); /* why it does not run yet, a word; "-": nothing unusual */
    void (*on_output)(void *arg, const char *bytes, size_t n);
    void (*on_exit)(void *arg, const struct ending *ending); /* the last; type->free is allowed */
    void *arg;
};

struct worker_type {
    bool inherits; /* steps see the environment of the executor */
    /* NULL and e when there is nothing that could be run. */
    struct worker *(*start)(void *place, const struct worker_order *order, const struct worker_events *events,
                            struct err *e);
    void (*end)(struct worker *w, int64_t grace_ms); /* SIGTERM, grace, SIGKILL; again with another grace */
    void (*signal)(struct worker *w, int sig);
    void (*free)(struct worker *w); /* also ends what runs; no further event */
};

/* Where the steps of a run are worked on. */
struct workers {
    const struct worker_type *type;
    void *place; /* what its workers share; the first argument of type->start */
};

/* Processes of ours; place: struct reaper. */
extern const struct worker_type worker_process;

#endif
