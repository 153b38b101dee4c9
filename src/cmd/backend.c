/* The command that looks whether runs can be launched: backend check. */
#include <stddef.h>

#include "backend/backend.h"
#include "backend/check.h"
#include "base/reaper.h"
#include "cmd/cluster.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/settings.h"

#define READ_MS 10000

struct backend_check_options {
    struct access_options access;
    bool executor;
};

static const struct option_row backend_check_rows[] = {
    CLUSTER_ROWS(offsetof(struct backend_check_options, access)),
    {"executor", 0, OPTION_SWITCH, NULL, "check what an executor may do, not a dequeuer",
     offsetof(struct backend_check_options, executor), 0, 0},
};

static const struct table_column columns[] = {
    {"WHAT", "what"}, {"SUBJECT", "subject"}, {"STATE", "state"}, {"DETAIL", "detail"}};

static void on_finding(void *arg, const char *what, const char *subject, enum check_state state,
                       const char *detail)
{
    struct table *t = arg;

    table_text(t, what);
    table_text(t, subject);
    table_text(t, check_state_word(state));
    table_text(t, detail);
}

/* A dequeuer keeps its last value then, or the default; without a run_backend it does not start. */
static void on_fault(void *arg, const struct err *e)
{
    check_tell(arg, "settings", NULL, CHECK_WRONG, "%s", e->msg);
}

static int check_all(struct context *ctx, const struct backend_check_options *o, struct check *c,
                     struct err *e)
{
    struct backend_host host = {.access = &o->access};
    const struct backend_type *type;
    struct settings settings = {0};
    struct store *store;
    int status = -1;

    if (context_store(ctx, &store, e) < 0)
        return -1;
    host.base = ctx->session.base;
    host.reaper = reaper_new(ctx->session.base, false, e);
    int loaded = host.reaper ? settings_load(&settings, store, READ_MS, on_fault, c, e) : -1;
    if (loaded == 0 && (type = backend_type_of(settings.run_backend, e))) {
        check_tell(c, "backend", type->name, CHECK_OK, NULL);
        type->check(&host, settings.run_backend, c);
        status = 0;
    } else if (loaded < 0 && c->wrong > 0) {
        status = 0; /* the run_backend cannot be read, which was told */
    }
    settings_release(&settings);
    if (host.reaper)
        reaper_free(host.reaper);
    return status;
}

static int backend_check(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct backend_check_options *o = options;
    struct table *t = context_table(ctx, stdout, columns, sizeof columns / sizeof *columns, NULL);
    struct check c = {.executor = o->executor, .on_finding = on_finding, .arg = t};
    int status = check_all(ctx, o, &c, e);

    (void)args;
    if (status == 0)
        table_print(t);
    table_free(t);
    if (status == 0 && c.wrong > 0)
        return refuse("Runs cannot be launched as it is: %zu of %zu findings are wrong.", c.wrong,
                      c.findings);
    return status;
}

const struct command backend_check_command = {
    .name = "backend check",
    .group = "Run",
    .args = "",
    .summary = "Look whether the run_backend has what it needs to launch runs from here",
    .details =
        "As whoever calls it: to know what the dequeuers may do, call it where they run. Exit status 1: "
        "something is wrong.\n",
    .rows = backend_check_rows,
    .nrows = sizeof backend_check_rows / sizeof *backend_check_rows,
    .defaults = &(const struct backend_check_options){.executor = false},
    .size = sizeof(struct backend_check_options),
    .run = backend_check,
};
