/* doctor: what is wrong in a namespace, looked for in slices while it is in use (lua/doctor/). */
#ifndef RIVERS_CORE_DOCTOR_H
#define RIVERS_CORE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store.h"

struct fault {
    const char *what, *subject, *detail; /* borrowed from the reply */
    bool mendable;                       /* otherwise the detail says what an operator must do */
};

/* One slice from the cursor on, "" to begin; mends: what is wrong is put right. */
struct call *doctor_call(struct store *s, bool mends, const char *cursor);

const char *doctor_next(const struct reply *r); /* the next cursor, "" behind the last slice; borrowed */
size_t doctor_count(const struct reply *r);
struct fault doctor_at(const struct reply *r, size_t i);

/* What a dequeuer asks in the background (lua/doctor/watch.lua); doctor_count and doctor_at read the faults of its reply. */
struct call *doctor_watch_call(struct store *s, int64_t interval_ms, int64_t pause_ms);
const char *doctor_watch_epoch(const struct reply *r); /* borrowed */
bool doctor_watch_goes_on(const struct reply *r);      /* the next slice is this dequeuer's */

struct history {
    char epoch[48]; /* "<losses>-<word>", "" while none was lost */
    int64_t drift;  /* how often records and indexes did not agree */
    int64_t losses; /* how often older data came back, see lua/lib/history.lua */
    int64_t at;     /* the last time, on the clock of the server, ms */
};
__attribute__((warn_unused_result)) int doctor_history(struct store *s, struct history *h, struct err *e);

#endif
