/* queue_table: the queued runs as rows. */
#ifndef RIVERS_CMD_QUEUE_TABLE_H
#define RIVERS_CMD_QUEUE_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "cmd/context.h"

/* Prints the first `limit` queued runs, or the line `empty` (may be NULL); returns how many there are, or -1.
 */
int64_t queue_table_print(struct context *ctx, int64_t limit, const char *empty, FILE *out, struct err *e);

#endif
