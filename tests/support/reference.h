/* reference: what the run queue must do, said naively: every question is answered by a scan over all runs. */
#ifndef RIVERS_TESTS_REFERENCE_H
#define RIVERS_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define REF_TAGS 3

enum {
    REF_LAUNCH_LEASE_MS = 3000,
    REF_RUN_LEASE_MS = 5000,
    REF_START_TIMEOUT_MS = 4000,
    REF_INTERVAL_MS = 250,
    REF_RETENTION_MS = 60000,
    REF_RETENTION_RUNS = 4,
};

enum ref_state { REF_QUEUED, REF_NOT_STARTED, REF_STARTED, REF_SUCCESS, REF_FAILURE, REF_CANCELED };

struct ref_tag {
    const char *key, *value; /* borrowed */
};

struct ref_run {
    char id[24];
    struct ref_tag tags[REF_TAGS];
    size_t ntags;
    int priority;
    int key; /* idempotency key, 0 none */
    bool requeue;
    int max_attempts; /* 0: not given */
    enum ref_state state;
    bool delayed, launched, cancel_asked;
    int attempt, lost;
    int executor;    /* 0 none */
    int capacity_of; /* dequeuer whose capacity it takes, 0 none */
    int64_t token;   /* 0 none */
    int64_t dequeued_at;
    int64_t at; /* delayed: when it may start; in progress: lease expiry; ended: when; otherwise 0 */
};

struct ref_limit {
    const char *field; /* borrowed */
    const char *text;  /* borrowed, NULL: not set */
};

struct reference {
    struct ref_run *runs; /* by id; pointers into it hold until the next ref_add, ref_delete or ref_upkeep */
    size_t nruns, cap;
    struct ref_limit *limits; /* borrowed */
    size_t nlimits;
    const char *max_concurrent_runs, *max_queued_runs; /* as set, NULL: not set */
    int64_t swept_at, resumed_at;                      /* 0: never */
    uint64_t submitted, ended;
};

void ref_release(struct reference *ref);

const char *ref_state_word(enum ref_state state);
bool ref_in_progress(const struct ref_run *run);
bool ref_is_final(const struct ref_run *run);
bool ref_is_active(const struct ref_run *run);            /* not final */
bool ref_holds(const struct ref_run *run, int64_t token); /* in progress, and this is its token */

struct ref_run *ref_find(struct reference *ref, const char *id);
struct ref_run *ref_find_key(struct reference *ref, int key);
size_t ref_count_queued(const struct reference *ref); /* delayed ones too */
size_t ref_count_capacity(const struct reference *ref, int dequeuer);
bool ref_queue_full(const struct reference *ref);

/* The run that must be admitted next, or NULL. */
struct ref_run *ref_best(struct reference *ref);

void ref_add(struct reference *ref, const struct ref_run *run); /* its id is above all others */
void ref_admit(struct ref_run *run, int64_t now, int64_t token, int capacity_of);
void ref_end(struct reference *ref, struct ref_run *run, enum ref_state state, int64_t now);
void ref_lose(struct reference *ref, struct ref_run *run, int64_t now);
void ref_delete(struct reference *ref, struct ref_run *run);

/* What an admit call does before it admits: leases end, delays end, old runs are deleted. */
void ref_upkeep(struct reference *ref, int64_t now);

/* `<id> <state> <at>` for each run, a line each. */
void ref_print(const struct reference *ref, struct text *out);

#endif
