/* ending: how an attempt of a step ended: the word that records keep, and whether `retries` allows another one. */
#ifndef RIVERS_EXEC_ENDING_H
#define RIVERS_EXEC_ENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/retries.h"

enum ending_kind {
    ENDING_NONE, /* not yet */
    ENDING_EXIT,
    ENDING_SIGNAL,
    ENDING_OOM,     /* these, of a pod, as retries.on names them */
    ENDING_EVICTED, /* or preempted, or deleted */
    ENDING_NODE_LOST,
    ENDING_DEADLINE,
    ENDING_NOT_RUN, /* its pod could not be made, or did not begin */
    ENDING_TIMEOUT,
    ENDING_LEASE_LOST, /* of its slots */
    ENDING_NO_SLOTS,   /* it never ran */
};

struct ending {
    enum ending_kind kind;
    int code;           /* exit code or signal */
    const char *detail; /* for people; NULL: the word says it all */
};

bool ending_is_success(const struct ending *x);
bool ending_is_retried(const struct ending *x, const struct retries *r); /* as far as its kind goes */

/* "exit:1", "signal:9", "timeout", ...; "-" while it has not ended. Returns buf. */
const char *ending_print(const struct ending *x, char *buf, size_t size);

#endif
