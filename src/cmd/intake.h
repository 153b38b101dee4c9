/* intake: submits any number of runs in batches, a few calls in flight, and tells of each in the order it was
 * added. */
#ifndef RIVERS_CMD_INTAKE_H
#define RIVERS_CMD_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/context.h"
#include "core/spec.h"

struct intake {
    struct context *ctx;
    struct store *store;
    struct batch *filling;           /* NULL: none */
    struct batch *oldest, *youngest; /* those that were sent */
    size_t flying;                   /* of them without an answer */
    bool answered;                   /* once: the server knows the script */
    bool durable;                    /* accepted counts when a replica has it */
    char **ids;                      /* of the runs that were accepted, in order */
    size_t nids;
    bool faulty;      /* something was refused or failed, and that was told */
    bool unconfirmed; /* something was accepted that no replica confirmed, and that was told */
    bool broken;      /* a call failed: there is no point in adding more */
};

/* The caller's storage; the rest of it is zero. */
void intake_init(struct intake *in, struct context *ctx, struct store *store);
void intake_release(struct intake *in);

/* Takes s over. line: for what is told about it, 0 for none; bytes: about as long as it is. May wait for
 * answers. */
void intake_add(struct intake *in, struct spec *s, int64_t line, size_t bytes);

/* Sends what is left, and waits for all answers. */
void intake_finish(struct intake *in);

/* "line 3: <fault>" on stderr. */
void intake_fault(struct intake *in, int64_t line, const struct err *e);

#endif
