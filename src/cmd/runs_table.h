/* runs_table: runs as rows, and the reading of them page by page. */
#ifndef RIVERS_CMD_RUNS_TABLE_H
#define RIVERS_CMD_RUNS_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/context.h"
#include "core/queue.h"

/* Calls on_run for the first `limit` runs of the filter. Returns 1 when there may be more, 0 when these are
 * all, or -1 with e. */
int runs_each(struct context *ctx, const struct run_filter *filter, int64_t limit,
              void (*on_run)(void *arg, const struct run *r), void *arg, struct err *e);

/* Prints them, or the line `empty` (may be NULL); returns the same. */
int runs_table_print(struct context *ctx, const struct run_filter *filter, int64_t limit, const char *empty,
                     FILE *out, struct err *e);

#endif
