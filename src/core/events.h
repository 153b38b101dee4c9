/* events: reads the stream `events` that tells what happened to runs and steps. */
#ifndef RIVERS_CORE_EVENTS_H
#define RIVERS_CORE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/store.h"

struct events {    /* {0} begins at the oldest event that is kept */
    char last[48]; /* id of the last one read */
};

/* Begins `many` events before the end. */
__attribute__((warn_unused_result)) int events_seek(struct events *ev, struct store *s, int64_t many,
                                                    struct err *e);

/* The next events, at most 100; an empty array at the end. Owned by the caller; NULL: e. */
struct reply *events_read(struct events *ev, struct store *s, struct err *e);

struct event_record { /* borrowed from the reply */
    const char *id, *name, *run;
    int64_t at;                 /* wall clock of the server in ms */
    const struct reply *fields; /* field, value, ...: `event`, `run` and what belongs to the event */
};
struct event_record event_at(const struct reply *r, size_t i);

#endif
