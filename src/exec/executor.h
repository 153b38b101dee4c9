/* executor: the process that runs one run: takes it over with its token, works through its steps, records the
 * outcome. */
#ifndef RIVERS_EXEC_EXECUTOR_H
#define RIVERS_EXEC_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/run.h"
#include "core/store.h"

struct seat;

struct executor_options {
    const char *run;
    int64_t token;
    int64_t lease_ms; /* 0: as the settings say */
    struct seat *seat;
    /* In the foreground of a terminal: what the steps write goes to stdout as well, and SIGINT or SIGTERM cancels the run
     * instead of leaving it to its policy for lost executors. */
    bool foreground;
    enum run_state *outcome; /* set when an outcome was recorded; may be NULL */
};

/* Returns 0 when nothing is left to do: the outcome is recorded, or the run is not this executor's (any
 * more). Returns 1 when it ended the steps without being able to record an outcome, and -1 with e when it
 * could not even begin. Waits for children, so nothing else in the process may. */
int executor_run(struct store *store, const struct executor_options *options, struct err *e);

#endif
