/* The command that a backend launches for an admitted run, or once for many: execute. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "cmd/commands.h"
#include "exec/executor.h"
#include "exec/guard.h"

static int the_only_order(struct guard_order *order, const char *run, struct err *e)
{
    const char *token = getenv("RIVERS_TOKEN");

    snprintf(order->run, sizeof order->run, "%s", run);
    if (number_parse(token ? token : "", 1, INT64_MAX, &order->token) < 0)
        return err_set(e, ERR_USAGE, "RIVERS_TOKEN must be the token that the run was admitted with");
    return 0;
}

/* Our stdin, on which executors get /dev/null. */
static int orders_take(struct err *e)
{
    int orders = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1),
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (orders < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0)
        return err_sys(e, "cannot take orders");
    close(null);
    return orders;
}

static int execute(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    bool ordered = strcmp(args->words[0], GUARD_ORDERS) == 0;
    struct guard_order order = {0};
    struct store *store;
    int orders = -1;

    (void)options;
    if (ordered && (orders = orders_take(e)) < 0)
        return -1;
    if (!ordered && the_only_order(&order, args->words[0], e) < 0)
        return -1;
    struct seat *seat = guard_fork(orders, &order, e);
    if (!seat)
        return -1;
    strncpy(args->words[0], order.run, strlen(args->words[0])); /* for the list of processes */
    if (context_store_open(ctx, &store, e) < 0) /* not waiting: a run outlives an outage of the server */
        return -1;
    int status = executor_run(
        store, &(struct executor_options){order.run, order.token, order.lease_ms, .seat = seat}, e);
    if (status >= 0)
        _exit(status); /* its memory goes with the process, at a lower price */
    return status;
}

const struct command execute_command = {
    .name = "execute",
    .group = "Run",
    .args = "RUN",
    .summary = "Execute an admitted run; dequeuers launch this, with RIVERS_TOKEN in the environment",
    .details = "'" GUARD_ORDERS "' in place of RUN: a dequeuer orders runs on the socket that is stdin.\n",
    .least = 1,
    .most = 1,
    .run = execute,
};
