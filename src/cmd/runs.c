/* The commands that look at runs: runs list, runs show. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/runs_table.h"
#include "cmd/screen.h"
#include "core/queue.h"
#include "core/run_json.h"

/* --- runs list */

struct list_options {
    const char *state, *job;
    struct option_list tags;
    int64_t limit; /* 0: all */
    bool watch;
};

static const struct option_row list_rows[] = {
    {"state", 's', OPTION_TEXT, "STATE",
     "only Queued, NotStarted, Started, Success, Failure or Canceled ones",
     offsetof(struct list_options, state), 0, 0},
    {"job", 'j', OPTION_TEXT, "NAME", "only runs of this job", offsetof(struct list_options, job), 0, 0},
    {"tag", 't', OPTION_LIST, "KEY=VALUE", "only runs with this tag; several: with all of them",
     offsetof(struct list_options, tags), 0, 0},
    {"limit", 'n', OPTION_WHOLE, "N", "at most N runs; 0: all (default 100)",
     offsetof(struct list_options, limit), 0, INT32_MAX},
    {"watch", 'w', OPTION_SWITCH, NULL, "show it again every second", offsetof(struct list_options, watch), 0,
     0},
};

struct list { /* the options, read */
    struct run_filter filter;
    struct tag *tags;
    int64_t limit;
};

static int list_read(struct list *l, const struct list_options *o, struct err *e)
{
    enum run_state state;

    *l =
        (struct list){.filter = {.state = o->state, .job = o->job}, .limit = o->limit ? o->limit : INT64_MAX};
    if (o->state && run_state_parse(o->state, &state) < 0)
        return err_set(
            e, ERR_USAGE,
            "option '--state': '%s' is not Queued, NotStarted, Started, Success, Failure or Canceled",
            o->state);
    l->filter.tags = l->tags = xcalloc(o->tags.n + 1, sizeof *l->tags);
    for (; l->filter.ntags < o->tags.n; l->filter.ntags++)
        if (tag_parse(&l->tags[l->filter.ntags], o->tags.items[l->filter.ntags], e) < 0) {
            e->code = ERR_USAGE;
            return -1;
        }
    return 0;
}

static void list_release(struct list *l)
{
    for (size_t i = 0; i < l->filter.ntags; i++)
        tag_release(&l->tags[i]);
    free(l->tags);
}

static int list_paint(struct context *ctx, const void *arg, FILE *out, struct err *e)
{
    const struct list *l = arg;
    int more = runs_table_print(ctx, &l->filter, l->limit, "No runs.", out, e);

    if (more < 0)
        return -1;
    if (more && out == stdout && isatty(STDERR_FILENO))
        fprintf(stderr, "There may be more; --limit 0 shows all.\n");
    return EXIT_DONE;
}

static int runs_list(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct list_options *o = options;
    struct list l;
    int status = list_read(&l, o, e);

    (void)args;
    if (status == 0 && o->watch)
        status = screen_watch(ctx, list_paint, &l, e);
    else if (status == 0)
        status = list_paint(ctx, &l, stdout, e);
    list_release(&l);
    return status;
}

const struct command runs_list_command = {
    .name = "runs list",
    .group = "Runs",
    .args = "",
    .summary = "List runs: those in progress, then the queued, then the finished ones, latest first",
    .rows = list_rows,
    .nrows = sizeof list_rows / sizeof *list_rows,
    .defaults = &(const struct list_options){.limit = 100},
    .size = sizeof(struct list_options),
    .run = runs_list,
};

/* --- runs show */

static const struct table_column pair_columns[] = {{NULL, NULL}, {NULL, NULL}};

static void pair_text(struct table *t, const char *name, const char *value)
{
    if (!*value)
        return;
    table_text(t, name);
    table_text(t, value);
}

static void pair_whole(struct table *t, const char *name, int64_t n)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRId64, n);
    pair_text(t, name, digits);
}

static void pair_time(struct table *t, const char *name, int64_t at)
{
    char stamp[32];

    pair_text(t, name, at ? clock_print(at, stamp, sizeof stamp) : "");
}

static void pairs_of_what(struct table *t, const struct run *r)
{
    struct text state = {0};

    text_addf(&state, "%s%s%s", run_state_word(r->state), *r->reason ? ": " : "", r->reason);
    pair_text(t, "Run", r->id);
    pair_text(t, "Job", *r->job ? r->job : "-");
    pair_text(t, "Status", text_get(&state));
    pair_text(t, "Waiting for", r->waiting_for);
    pair_whole(t, "Priority", r->priority);
    for (size_t i = 0; i < r->ntags; i++) {
        text_clear(&state);
        text_addf(&state, "%s=%s", r->tags[i].key, r->tags[i].value);
        pair_text(t, i ? " " : "Tags", text_get(&state));
    }
    pair_text(t, "Key", r->key);
    pair_text(t, "Gates", r->gates);
    text_release(&state);
}

static void pairs_of_way(struct table *t, const struct run *r, int64_t lease_until)
{
    pair_time(t, "Submitted", r->submitted_at);
    pair_time(t, "Not before", r->not_before);
    pair_time(t, "Dequeued", r->dequeued_at);
    pair_time(t, "Launched", r->launched_at);
    pair_time(t, "Started", r->started_at);
    pair_time(t, "Cancel asked", r->cancel_at);
    pair_time(t, "Ended", r->ended_at);
    if (r->token) {
        pair_whole(t, "Attempt", r->attempt);
        pair_whole(t, "Token", r->token);
    }
    pair_text(t, "Dequeuer", r->dequeuer);
    pair_text(t, "Executor", r->executor);
    pair_time(t, "Lease until", lease_until);
}

static const struct table_column step_columns[] = {
    {"STEP", "name"}, {"STATUS", "state"}, {"ATTEMPT", "attempt"}, {"STARTED AT", "started_at"},
    {"TOOK", "took"}, {"HOW", "how"},
};

/* how: as recorded, or why it waits. */
static void step_put(struct table *t, const struct step_record *s, const char *how, int64_t now)
{
    int64_t until = s->ended_at ? s->ended_at : now;

    table_text(t, s->name);
    table_text(t, s->state);
    table_whole(t, s->attempt);
    table_time(t, s->started_at);
    table_span(t, s->started_at ? until - s->started_at : -1);
    table_text(t, how);
}

/* Why the step waits for slots; NULL when it does not. */
static const char *wait_of(const struct reply *waits, const char *step)
{
    for (size_t i = 0; i + 1 < reply_count(waits); i += 2)
        if (reply_is(reply_at(waits, i), step))
            return reply_str(reply_at(waits, i + 1));
    return NULL;
}

/* In the order of the spec, also those that have not begun. */
static void steps_put(struct table *t, const struct run *r, const struct spec *spec,
                      const struct reply *reply)
{
    for (size_t i = 0; i < spec->nsteps; i++) {
        struct step_record s = {.name = spec->steps[i].name, .state = "-", .how = "-"};
        const char *why = wait_of(reply_at(reply, 5), s.name);
        for (size_t j = 0; j < r->nsteps; j++)
            if (strcmp(r->steps[j].name, s.name) == 0)
                s = r->steps[j];
        if (why)
            snprintf(s.state, sizeof s.state, "Waiting");
        step_put(t, &s, why ? why : s.how, reply_int(reply_at(reply, 4), 0));
    }
}

static void show_print(struct context *ctx, const struct run *r, const struct spec *spec,
                       const struct reply *reply)
{
    struct table *pairs = context_table(ctx, stdout, pair_columns, 2, NULL);
    struct table *steps =
        context_table(ctx, stdout, step_columns, sizeof step_columns / sizeof *step_columns, NULL);

    pairs_of_what(pairs, r);
    pairs_of_way(pairs, r, reply_int(reply_at(reply, 3), 0));
    steps_put(steps, r, spec, reply);
    table_print(pairs);
    putchar('\n');
    table_print(steps);
    table_free(pairs);
    table_free(steps);
}

static int show_found(struct context *ctx, const char *id, const struct reply *reply, struct err *e)
{
    struct spec spec;
    struct run run;

    if (run_show_spec(&spec, id, reply, e) < 0)
        return -1;
    run_read(&run, id, reply_at(reply, 1), 0);
    if (ctx->options.json)
        json_line(stdout, run_show_json(&run, reply));
    else
        show_print(ctx, &run, &spec, reply);
    run_release(&run);
    spec_release(&spec);
    return EXIT_DONE;
}

static int runs_show(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const char *id = args->words[0];
    struct store *store;
    struct reply *r;
    int status;

    (void)options;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(run_show_call(store, id), 0, e)))
        return -1;
    status = reply_is(r, "OK") ? show_found(ctx, id, r, e) : refuse_unknown_run(id);
    reply_free(r);
    return status;
}

const struct command runs_show_command = {
    .name = "runs show",
    .group = "Runs",
    .args = "RUN",
    .summary = "Show all about a run: record, times, steps, token, executor",
    .least = 1,
    .most = 1,
    .run = runs_show,
};
