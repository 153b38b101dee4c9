/* screen: shows something again and again as it changes: in place on a terminal, one after the other
 * elsewhere. */
#ifndef RIVERS_CMD_SCREEN_H
#define RIVERS_CMD_SCREEN_H

#include <stdio.h>

#include "cmd/context.h"

typedef int screen_paint_fn(struct context *ctx, const void *arg, FILE *out, struct err *e);

/* Until the user interrupts it or nobody reads any more. */
int screen_watch(struct context *ctx, screen_paint_fn *paint, const void *arg, struct err *e);

#endif
