/* The command that a backend launches for an admitted run: execute. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/number.h"
#include "cmd/commands.h"
#include "exec/executor.h"
#include "exec/guard.h"

static int execute(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const char *text = getenv("RIVERS_TOKEN");
    struct guard *guard;
    struct store *store;
    int64_t token;

    (void)options;
    if (number_parse(text ? text : "", 1, INT64_MAX, &token) < 0)
        return err_set(e, ERR_USAGE, "RIVERS_TOKEN must be the token that the run was admitted with");
    if (!(guard = guard_fork(e)))
        return -1;
    if (context_store_open(ctx, &store, e) < 0) /* not waiting: a run outlives an outage of the server */
        return -1;
    const struct executor_options executor = {.run = args->words[0], .token = token, .guard = guard};
    return executor_run(store, &executor, e);
}

const struct command execute_command = {
    .name = "execute",
    .group = "Run",
    .args = "RUN",
    .summary = "Execute an admitted run; dequeuers launch this, with RIVERS_TOKEN in the environment",
    .least = 1,
    .most = 1,
    .run = execute,
};
