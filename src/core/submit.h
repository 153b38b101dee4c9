/* submit: hands runs to the queue (lua/run/submit.lua). */
#ifndef RIVERS_CORE_SUBMIT_H
#define RIVERS_CORE_SUBMIT_H

#include <stddef.h>

#include "core/spec.h"
#include "core/store.h"

#define SUBMIT_BATCH 25 /* most runs a call: larger ones hold the server for over a millisecond */

enum submit_outcome {
    SUBMIT_NEW,
    SUBMIT_EXISTS, /* its key is the key of an earlier run */
    SUBMIT_FULL,   /* max_queued_runs */
    SUBMIT_NEVER,  /* a step claims more slots than a pool has */
};

/* n >= 1; SUBMIT_BATCH is as many as are good for those who wait behind them. */
struct call *submit_call(struct store *s, const struct spec *specs, size_t n);

/* A run that the caller executes itself, at once: reply {'OK', id, token}. It has start_ms to call start. */
struct call *materialize_call(struct store *s, const struct spec *spec, const char *who, int64_t start_ms);

/* The outcome for the i-th run; its id, "" when full, what is wrong when never (borrowed from r). */
enum submit_outcome submit_result(const struct reply *r, size_t i, const char **id);

/* The fault of a run that was SUBMIT_FULL: it names the limit. */
void submit_full_fault(struct store *s, int64_t most_ms, struct err *e);

#endif
