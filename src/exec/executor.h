/* executor: the process that runs one run: takes it over with its token, works through its steps, records the
 * outcome. */
#ifndef RIVERS_EXEC_EXECUTOR_H
#define RIVERS_EXEC_EXECUTOR_H

#include <stdint.h>

#include "base/err.h"
#include "core/store.h"

/* Returns 0 when nothing is left to do: the outcome is recorded, or the run is not this executor's (any
 * more). Returns 1 when it ended the steps without being able to record an outcome, and -1 with e when it
 * could not even begin. Waits for children, so nothing else in the process may. */
int executor_run(struct store *store, const char *run, int64_t token, struct err *e);

#endif
