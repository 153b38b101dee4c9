/* command: what the command line offers, one row a command: dispatch, help and usage errors come from the
 * same row. */
#ifndef RIVERS_CMD_COMMAND_H
#define RIVERS_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/options.h"
#include "cmd/context.h"

#define OPERANDS_MANY SIZE_MAX

struct command {
    const char *name;    /* "queue list" */
    const char *group;   /* the heading above it in `rivers --help` */
    const char *args;    /* "RUN [STEP]"; "" for none */
    const char *summary; /* one line without a full stop */
    const char *details; /* more lines for its own help, or NULL */
    const struct option_row *rows;
    size_t nrows;
    const void *defaults; /* what the rows fill, as it is without options: `size` bytes */
    size_t size;
    size_t least, most; /* operands */
    bool takes_command; /* what follows "--" is a command line, not operands */
    int failure; /* exit status for every error of its own; 0: 2 for a wrong command line, otherwise 1 */

    /* Returns the exit status, or -1 with e filled. options is a copy of defaults with what was given. */
    int (*run)(struct context *ctx, const void *options, const struct operands *args, struct err *e);
};

#endif
