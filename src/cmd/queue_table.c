#include "cmd/queue_table.h"

#include <string.h>

#include "base/clock.h"
#include "core/queue.h"
#include "core/read.h"

static const struct table_column columns[] = {
    {"POS", "position"}, {"RUN ID", "run"},          {"JOB", "job"},
    {"PRI", "priority"}, {"QUEUED AT", "queued_at"}, {"BLOCK REASON", "reason"},
};

/* halt: the reason of a run that nothing of its own blocks. */
static void row_put(struct table *t, int64_t position, const struct queue_row *row, const char *halt)
{
    char reason[64] = "not before ";

    table_whole(t, position);
    table_text(t, row->id);
    table_text(t, row->job);
    table_whole(t, row->priority);
    table_time(t, row->queued_at);
    if (row->not_before)
        clock_print(row->not_before, reason + strlen(reason), sizeof reason - strlen(reason));
    table_text(t, row->not_before ? reason : *row->reason ? row->reason : halt);
}

/* Rows from position `at` on; returns how many, or -1. */
static int64_t page_put(struct table *t, struct store *s, int64_t at, int64_t many, const char *halt,
                        int64_t *total, struct err *e)
{
    struct reply *r = call_wait(queue_list_call(s, at, many), READ_OUTAGE_MS, e);
    int64_t n = 0;

    if (!r)
        return -1;
    *total = queue_total(r);
    for (; n < (int64_t)queue_count(r); n++) {
        struct queue_row row = queue_at(r, (size_t)n);
        row_put(t, at + n + 1, &row, halt);
    }
    reply_free(r);
    return n;
}

int64_t queue_table_print(struct context *ctx, int64_t limit, const char *empty, FILE *out, struct err *e)
{
    int64_t at = 0, n, total = 0;
    struct queue_halt halt;
    struct text words = {0};
    struct store *store;
    struct table *t;

    if (context_store(ctx, &store, e) < 0 || queue_halt_ask(store, READ_OUTAGE_MS, &halt, e) < 0)
        return -1;
    queue_halt_print(&halt, &words);
    t = context_table(ctx, out, columns, sizeof columns / sizeof *columns, empty);
    do {
        int64_t left = limit - at;
        n = page_put(t, store, at, left < QUEUE_PAGE ? left : QUEUE_PAGE, text_get(&words), &total, e);
        at += n;
    } while (n == QUEUE_PAGE && at < limit);
    if (n >= 0)
        table_print(t);
    table_free(t);
    text_release(&words);
    return n < 0 ? -1 : total;
}
