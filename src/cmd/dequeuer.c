/* The command that admits and launches runs: dequeuer. */
#include "daemon/dequeuer.h"

#include <stddef.h>

#include "cmd/cluster.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/setup.h"

struct dequeuer_command_options {
    const char *config, *id, *health_file;
    int64_t capacity;
    struct access_options access;
};

static const struct option_row dequeuer_rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "apply it first, where the namespace has no configuration yet",
     offsetof(struct dequeuer_command_options, config), 0, 0},
    {"id", 'i', OPTION_TEXT, "ID", "its name in records and events (default: <host>-<pid>)",
     offsetof(struct dequeuer_command_options, id), 0, 0},
    {"capacity", 'n', OPTION_WHOLE, "N",
     "most runs of this id in progress (default: no limit but the queue's)",
     offsetof(struct dequeuer_command_options, capacity), 0, INT32_MAX},
    {"health-file", 0, OPTION_TEXT, "FILE", "say there every 5 s whether runs are admitted, for probes",
     offsetof(struct dequeuer_command_options, health_file), 0, 0},
    CLUSTER_ROWS(offsetof(struct dequeuer_command_options, access)),
};

static int dequeuer(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct dequeuer_command_options *o = options;
    struct reply *applied = NULL;
    struct store *store;

    (void)args;
    if (context_store(ctx, &store, e) < 0 ||
        (o->config && !(applied = setup_apply_file(store, SETUP_INIT, o->config, e))))
        return -1;
    reply_free(applied);
    struct dequeuer_options d = {.id = o->id,
                                 .capacity = o->capacity,
                                 .redis_url = ctx->session.url,
                                 .namespace = context_namespace_get(ctx),
                                 .access = o->access,
                                 .health_file = o->health_file};
    return dequeuer_run(store, &d, e);
}

const struct command dequeuer_command = {
    .name = "dequeuer",
    .group = "Run",
    .args = "",
    .summary = "Admit and launch runs; any number of dequeuers share a namespace",
    .details = "SIGTERM: admits no more and leaves; started runs go on. A second SIGTERM leaves at once.\n",
    .rows = dequeuer_rows,
    .nrows = sizeof dequeuer_rows / sizeof *dequeuer_rows,
    .defaults = &(const struct dequeuer_command_options){.capacity = -1},
    .size = sizeof(struct dequeuer_command_options),
    .run = dequeuer,
};
