/* The command that shows the whole of a namespace at a glance: top. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/queue_table.h"
#include "cmd/runs_table.h"
#include "cmd/screen.h"
#include "core/doctor.h"
#include "core/queue.h"
#include "core/read.h"
#include "core/setup.h"

#define HEAD_ROWS 10 /* of the queue, and of the runs in progress */

struct use { /* of a gate */
    char *gate;
    int64_t current, limit;
};

struct uses {
    const struct reply *limits; /* field, value, ...: the tag limits */
    struct use *all;
    size_t n;
    int64_t in_progress;
};

static void uses_release(struct uses *u)
{
    for (size_t i = 0; i < u->n; i++)
        free(u->all[i].gate);
    free(u->all);
}

/* Counts one run; takes gate over. */
static void use_count(struct uses *u, char *gate, int64_t limit)
{
    size_t i = 0;

    while (i < u->n && strcmp(u->all[i].gate, gate) != 0)
        i++;
    if (i == u->n) {
        u->all = xrealloc(u->all, ++u->n * sizeof *u->all);
        u->all[i] = (struct use){gate, 0, limit};
    } else {
        free(gate);
    }
    u->all[i].current++;
}

/* The limit in force that is set as "<key><rest>"; INT64_MAX: none. */
static int64_t limit_of(const struct uses *u, const char *key, const char *rest)
{
    char *field = xasprintf("%s%s", key, rest);
    const struct reply *limit = reply_field(u->limits, 0, field);

    free(field);
    return limit ? queue_tag_limit_read(reply_str(limit)) : INT64_MAX;
}

static void tag_count(struct uses *u, const struct tag *tag)
{
    char *gate = xasprintf("%s=%s", tag->key, tag->value);
    int64_t of_key = limit_of(u, tag->key, ""), of_value = limit_of(u, gate, ""),
            of_each = limit_of(u, tag->key, "=*");

    if (of_key < INT64_MAX)
        use_count(u, xstrdup(tag->key), of_key);
    if (of_value < INT64_MAX || of_each < INT64_MAX)
        use_count(u, xstrdup(gate), of_value < of_each ? of_value : of_each);
    free(gate);
}

static void on_run(void *arg, const struct run *r)
{
    struct uses *u = arg;

    u->in_progress++;
    for (size_t i = 0; i < r->ntags; i++)
        tag_count(u, &r->tags[i]);
}

static int uses_read(struct uses *u, struct context *ctx, struct err *e)
{
    struct run_filter not_started = {.state = run_state_word(RUN_NOT_STARTED)};
    struct run_filter started = {.state = run_state_word(RUN_STARTED)};

    if (runs_each(ctx, &not_started, INT64_MAX, on_run, u, e) < 0)
        return -1;
    return runs_each(ctx, &started, INT64_MAX, on_run, u, e);
}

static void limit_put(struct table *t, int64_t limit)
{
    table_whole(t, limit == INT64_MAX ? -1 : limit);
}

static const struct table_column use_columns[] = {
    {"GATE", "gate"}, {"IN USE", "current"}, {"LIMIT", "limit"}};

static void uses_print(const struct context *ctx, const struct uses *u, const struct reply *global, FILE *out)
{
    struct table *t = context_table(ctx, out, use_columns, sizeof use_columns / sizeof *use_columns, NULL);

    table_text(t, "global run limit");
    table_whole(t, u->in_progress);
    limit_put(t, queue_run_limit_read(global ? reply_str(global) : "10"));
    for (size_t i = 0; i < u->n; i++) {
        table_text(t, u->all[i].gate);
        table_whole(t, u->all[i].current);
        limit_put(t, u->all[i].limit);
    }
    table_print(t);
    table_free(t);
}

static void heading(const struct context *ctx, const char *words, FILE *out)
{
    if (!ctx->options.json)
        fprintf(out, "\n%s\n", words);
}

static const struct table_column history_columns[] = {
    {"HISTORY LOST", "history_lost"}, {"EPOCH", "epoch"}, {"DRIFT FOUND", "drift"}};

/* What is expected to be zero is shown when it is not. */
static int history_print(struct context *ctx, struct store *store, FILE *out, struct err *e)
{
    struct history h;

    if (doctor_history(store, &h, e) < 0)
        return -1;
    if (h.losses == 0 && h.drift == 0)
        return 0;
    struct table *t =
        context_table(ctx, out, history_columns, sizeof history_columns / sizeof *history_columns, NULL);
    table_whole(t, h.losses);
    table_text(t, *h.epoch ? h.epoch : "-");
    table_whole(t, h.drift);
    heading(ctx, "See rivers doctor", out);
    table_print(t);
    table_free(t);
    return 0;
}

static int lists_print(struct context *ctx, FILE *out, struct err *e)
{
    struct run_filter started = {.state = run_state_word(RUN_STARTED)};

    heading(ctx, "Started", out);
    if (runs_table_print(ctx, &started, HEAD_ROWS, "No runs.", out, e) < 0)
        return -1;
    heading(ctx, "Queue", out);
    return queue_table_print(ctx, HEAD_ROWS, "No queued runs.", out, e) < 0 ? -1 : EXIT_DONE;
}

static int paint(struct context *ctx, const void *arg, FILE *out, struct err *e)
{
    struct store *store;
    struct reply *r;
    int status;

    (void)arg;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(setup_show_call(store), READ_OUTAGE_MS, e)))
        return -1;
    struct uses u = {.limits = setup_hash_get(r, SETUP_TAG_LIMITS)};
    status = uses_read(&u, ctx, e);
    if (status >= 0) {
        uses_print(ctx, &u, reply_field(setup_hash_get(r, SETUP_CONFIG), 0, "max_concurrent_runs"), out);
        status = history_print(ctx, store, out, e) < 0 ? -1 : lists_print(ctx, out, e);
    }
    uses_release(&u);
    reply_free(r);
    return status;
}

static int top(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    (void)options, (void)args;
    return isatty(STDOUT_FILENO) ? screen_watch(ctx, paint, NULL, e) : paint(ctx, NULL, stdout, e);
}

const struct command top_command = {
    .name = "top",
    .group = "Watch",
    .args = "",
    .summary = "Show the use of the limits (-1: unlimited), the runs in progress and the head of the queue, "
               "again every second",
    .run = top,
};
