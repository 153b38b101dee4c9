/* The command that starts all there is in one directory: dev. */
#include <stddef.h>

#include "cmd/commands.h"
#include "core/setup.h"
#include "daemon/dequeuer.h"
#include "daemon/embedded.h"

#define DIR_NAME ".rivers"

static int serve(struct context *ctx, const char *config, struct err *e)
{
    struct reply *applied = NULL;
    struct store *store;

    if (context_store(ctx, &store, e) < 0 ||
        (config && !(applied = setup_apply_file(store, SETUP_APPLY, config, e))))
        return -1;
    reply_free(applied);
    struct dequeuer_options d = {.capacity = -1,
                                 .redis_url = ctx->session.url,
                                 .namespace = context_namespace_get(ctx),
                                 .wait_for_runs = true};
    return dequeuer_run(store, &d, e);
}

static int dev(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct embedded em;
    int status;

    (void)options;
    if (ctx->options.redis)
        return err_set(e, ERR_USAGE, "option '--redis': dev starts a server of its own in " DIR_NAME "/");
    if (embedded_start(&em, DIR_NAME, e) < 0)
        return -1;
    ctx->options.redis = em.url;
    status = serve(ctx, args->words[0], e);
    embedded_stop(&em);
    return status;
}

const struct command dev_command = {
    .name = "dev",
    .group = "Run",
    .args = "[CONFIG]",
    .summary = "Start a private Redis in .rivers/ with CONFIG applied, and one dequeuer; Ctrl-C ends both",
    .details = "The queue is kept: the next `rivers dev` here finds it as it was.\n",
    .most = 1,
    .run = dev,
};
