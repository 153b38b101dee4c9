#include "cmd/runs_table.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/output.h"
#include "core/read.h"
#include "core/run_json.h"

#define PAGE 100

static int64_t page_each(const struct reply *r, void (*on_run)(void *arg, const struct run *r), void *arg)
{
    size_t n = runs_count(r);

    for (size_t i = 0; i < n; i++) {
        struct run run;
        runs_at(r, i, &run);
        on_run(arg, &run);
        run_release(&run);
    }
    return (int64_t)n;
}

int runs_each(struct context *ctx, const struct run_filter *filter, int64_t limit,
              void (*on_run)(void *arg, const struct run *r), void *arg, struct err *e)
{
    char cursor[64] = "";
    struct store *store;

    if (context_store(ctx, &store, e) < 0)
        return -1;
    do {
        struct call *c = runs_list_call(store, filter, cursor, limit < PAGE ? limit : PAGE);
        struct reply *r = call_wait(c, READ_OUTAGE_MS, e);
        if (!r)
            return -1;
        limit -= page_each(r, on_run, arg);
        snprintf(cursor, sizeof cursor, "%s", runs_cursor(r));
        reply_free(r);
    } while (*cursor && limit > 0);
    return *cursor != '\0';
}

static const struct table_column columns[] = {
    {"RUN ID", "run"},
    {"JOB", "job"},
    {"STATUS", "state"},
    {"PRI", "priority"},
    {"SUBMITTED AT", "submitted_at"},
    {"STARTED AT", "started_at"},
    {"TOOK", "took"},
    {"TAGS", "tags"},
    {"REASON", "reason"},
};

static void tags_put(struct table *t, const struct run *r)
{
    struct text tags = {0};

    for (size_t i = 0; i < r->ntags; i++)
        text_addf(&tags, "%s%s=%s", i ? "," : "", r->tags[i].key, r->tags[i].value);
    table_text(t, text_get(&tags));
    text_release(&tags);
}

static void row_put(void *arg, const struct run *r)
{
    struct table *t = arg;
    int64_t until = r->ended_at ? r->ended_at : clock_wall_ms();

    table_text(t, r->id);
    table_text(t, r->job);
    table_text(t, run_state_word(r->state));
    table_whole(t, r->priority);
    table_time(t, r->submitted_at);
    table_time(t, r->started_at);
    table_span(t, r->started_at ? until - r->started_at : -1);
    tags_put(t, r);
    table_text(t, r->reason);
}

static void row_json(void *arg, const struct run *r)
{
    json_line(arg, run_json(r));
}

int runs_table_print(struct context *ctx, const struct run_filter *filter, int64_t limit, const char *empty,
                     FILE *out, struct err *e)
{
    struct table *t;
    int more;

    if (ctx->options.json)
        return runs_each(ctx, filter, limit, row_json, out, e);
    t = context_table(ctx, out, columns, sizeof columns / sizeof *columns, empty);
    more = runs_each(ctx, filter, limit, row_put, t, e);
    if (more >= 0)
        table_print(t);
    table_free(t);
    return more;
}
