/* wait: waits for runs to end, also through an outage of the server. */
#ifndef RIVERS_CMD_WAIT_H
#define RIVERS_CMD_WAIT_H

#include <stddef.h>

#include "cmd/context.h"
#include "core/run.h"

/* A run has ended; r is borrowed. Returns the exit status that it stands for. */
typedef int wait_end_fn(const struct context *ctx, const char *id, const struct run *r);

/* on_end is told of each run once, in the order of their ends. Tells on a terminal what they wait for
 * meanwhile, and that a run is not known (any more). Returns the gravest status of all runs (EXIT_FAILED, EXIT_GONE,
 * EXIT_CANCELED, EXIT_DONE), or -1 with e. */
__attribute__((warn_unused_result)) int wait_for_runs(struct context *ctx, char *const *ids, size_t n,
                                                      wait_end_fn *on_end, struct err *e);

/* 0 for Success, 1 for Failure, 3 for Canceled. */
int wait_status(enum run_state state);

#endif
