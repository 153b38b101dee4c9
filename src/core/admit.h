/* admit: what dequeuers ask: the next runs, and what became of launches (lua/run/{admit,attend,lost}.lua).
 */
#ifndef RIVERS_CORE_ADMIT_H
#define RIVERS_CORE_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/store.h"

#define ADMIT_BATCH 25 /* most runs a call: larger ones hold the server for over a millisecond */
#define ADMIT_LAUNCH_LEASE_MS                                                                                \
    15000 /* a run whose launch is not confirmed within this goes back to its lane */

struct admit_options {
    const char *dequeuer;
    int64_t batch;    /* 0: upkeep only */
    int64_t capacity; /* most runs of this dequeuer in progress; -1: unlimited */
    int64_t seen;     /* the highest token that it was given: a server that knows less has lost history */
};

struct admission {
    const char *id; /* borrowed from the reply */
    int64_t token, attempt;
};

struct call *admit_call(struct store *s, const struct admit_options *o, const struct settings *settings);
/* What is left after an admission (r NULL counts as nothing). */
enum admit_outlook {
    ADMIT_DONE, /* wait for the bell */
    ADMIT_MORE, /* call again */
    ADMIT_FULL, /* more could be admitted, but not here: the capacity is used up */
};
enum admit_outlook admit_outlook(const struct reply *r);
size_t admit_count(const struct reply *r);
struct admission admit_at(const struct reply *r, size_t i);

/* Looks after runs that are being launched or have not started: attend_add for each; reply {'OK', word, ...}
 * with one of these for each run. */
enum attend_word { ATTEND_NOT_STARTED, ATTEND_STARTED, ATTEND_STALE };
struct call *attend_call(struct store *s, int64_t start_timeout_ms);
void attend_add(struct call *c, const char *id, int64_t token, bool launched, const char *waiting_for);
enum attend_word attend_at(const struct reply *r, size_t i);

/* The executor of this run ended without an outcome or, not begun, could not be launched; reply {'OK', state}. */
struct call *lost_call(struct store *s, const char *id, int64_t token, bool began, const char *reason);

#endif
