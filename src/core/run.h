/* run: the record of one submission as the server keeps it, and the words of its states.
 *
 *                submit              admit                start              finish
 *   (delayed) ─> Queued ───────────> NotStarted ────────> Started ─────────> Success | Failure | Canceled
 *                  ^ │ cancel          │ │ launch refused,  │ │ executor lost, cancel
 *                  │ └──> Canceled     │ └──> Failure       │ └──> Failure | Canceled
 *                  └───────────────────┴────────────────────┘  not confirmed; lost with on_lost "requeue"
 */
#ifndef RIVERS_CORE_RUN_H
#define RIVERS_CORE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/tag.h"
#include "redis/reply.h"

enum run_state {
    RUN_QUEUED,
    RUN_NOT_STARTED,
    RUN_STARTED,
    RUN_SUCCESS,
    RUN_FAILURE,
    RUN_CANCELED,
    RUN_STATE_COUNT
};

const char *run_state_word(enum run_state state);             /* "Queued", ... */
int run_state_parse(const char *word, enum run_state *state); /* -1: no such state */
bool run_state_is_final(enum run_state state);

struct step_record {
    char *name;
    char state[16]; /* Started Success Failure Skipped Canceled */
    int64_t attempt;
    int64_t started_at, ended_at; /* wall clock of the server in ms; 0: not yet */
    char how[40];                 /* exit:<code>, signal:<number>, a word, or "-" */
};

/* Times in ms of the server's wall clock, 0 where it has not come to that; strings "" where there is none. */
struct run {
    char *id, *job, *reason, *dequeuer, *executor, *key, *gates;
    char *waiting_for; /* what keeps the executor of a launched run from starting */
    enum run_state state;
    int64_t priority, token, attempt;
    int64_t submitted_at, not_before, dequeued_at, launched_at, started_at, ended_at, cancel_at;
    int64_t cancel_grace_ms;
    struct tag *tags;
    size_t ntags;
    struct step_record *steps;
    size_t nsteps;
};

/* Reads the field, value, ... elements of `record` from element `from` on. */
void run_read(struct run *r, const char *id, const struct reply *record, size_t from);
void run_release(struct run *r);

#endif
