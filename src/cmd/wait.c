#include "cmd/wait.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pace.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/queue.h"
#include "core/read.h"
#include "core/run_json.h"

struct waiting {
    struct context *ctx;
    struct store *store;
    const char **ids; /* of those that have not ended */
    size_t n, total;
    wait_end_fn *on_end;
    bool progress;     /* stderr is a terminal */
    struct text shown; /* there */
    int status;        /* the gravest so far */
};

int wait_status(enum run_state state)
{
    return state == RUN_SUCCESS ? EXIT_DONE : state == RUN_CANCELED ? EXIT_CANCELED : EXIT_FAILED;
}

static int graver(int a, int b)
{
    static const int gravity[] = {[EXIT_DONE] = 0, [EXIT_CANCELED] = 1, [EXIT_GONE] = 2, [EXIT_FAILED] = 3};

    return gravity[a] > gravity[b] ? a : b;
}

/* --- what is shown meanwhile */

static void progress_put(struct waiting *w, const char *line)
{
    if (strcmp(text_get(&w->shown), line) == 0)
        return;
    text_clear(&w->shown);
    text_add(&w->shown, line);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

/* Why the run waits; the server knows it better than a record. */
static void queued_put(struct waiting *w, const char *id)
{
    struct reply *r = call_wait(queue_why_call(w->store, id), READ_OUTAGE_MS, NULL);
    struct text line = {0}, halted = {0};
    struct queue_halt halt;

    if (reply_is(r, "OK")) {
        struct queue_why why = queue_why_read(r);
        text_addf(&line, "%s: Queued, position %" PRId64 " of %" PRId64, id, why.position, why.total);
        for (size_t i = 0; i < why.ngates; i++) {
            struct queue_gate g = queue_gate_at(r, i);
            text_add(&line, i ? "; " : ": ");
            queue_gate_print(&g, &line);
        }
        if (why.ngates == 0 && queue_halt_ask(w->store, READ_OUTAGE_MS, &halt, NULL) == 0)
            queue_halt_print(&halt, &halted);
        text_addf(&line, "%s%s", halted.len ? ": " : "", text_get(&halted));
        progress_put(w, line.s);
    } else if (reply_is(r, "DELAYED")) {
        text_addf(&line, "%s: Queued, delayed", id);
        progress_put(w, line.s);
    }
    text_release(&line);
    text_release(&halted);
    reply_free(r);
}

static void progress(struct waiting *w, const char *state)
{
    char line[128];

    if (!w->progress || w->n == 0)
        return;
    if (w->total > 1)
        snprintf(line, sizeof line, "%zu of %zu runs ended", w->total - w->n, w->total);
    else
        snprintf(line, sizeof line, "%s: %s", w->ids[0], state);
    if (w->total == 1 && strcmp(state, run_state_word(RUN_QUEUED)) == 0)
        queued_put(w, w->ids[0]);
    else
        progress_put(w, line);
}

/* --- */

static int run_ended(struct waiting *w, const char *id, struct err *e)
{
    struct reply *r = call_wait(run_show_call(w->store, id), READ_OUTAGE_MS, e);
    bool found = reply_is(r, "OK");
    struct run run = {0};

    if (!r)
        return -1;
    if (found)
        run_read(&run, id, reply_at(r, 1), 0);
    if (w->progress)
        progress_put(w, "");
    w->status = graver(w->status, found ? w->on_end(w->ctx, id, &run) : refuse_gone_run(id));
    run_release(&run);
    reply_free(r);
    return 0;
}

/* 1: it has ended and was told of; 0: not yet. */
static int look(struct waiting *w, const char *id, struct err *e)
{
    enum run_state state;
    int found = run_state_ask(w->store, id, READ_OUTAGE_MS, &state, e);

    if (found < 0)
        return -1;
    if (found && !run_state_is_final(state)) {
        progress(w, run_state_word(state));
        return 0;
    }
    return run_ended(w, id, e) < 0 ? -1 : 1;
}

/* Looks at each run once; returns how many have ended. */
static int look_at_all(struct waiting *w, struct err *e)
{
    size_t left = 0, before = w->n;

    for (size_t i = 0; i < before; i++) {
        int ended = look(w, w->ids[i], e);
        if (ended < 0)
            return -1;
        if (!ended)
            w->ids[left++] = w->ids[i];
    }
    w->n = left;
    return (int)(before - left);
}

int wait_for_runs(struct context *ctx, char *const *ids, size_t n, wait_end_fn *on_end, struct err *e)
{
    struct waiting w = {.ctx = ctx, .n = n, .total = n, .on_end = on_end};
    int64_t pace_ms = PACE_FIRST_MS;
    int ended = 0;

    if (context_store(ctx, &w.store, e) < 0)
        return -1;
    w.progress = isatty(STDERR_FILENO) && !ctx->options.json;
    w.ids = xmalloc((n + 1) * sizeof *w.ids);
    for (size_t i = 0; i < n; i++)
        w.ids[i] = ids[i];
    while ((ended = look_at_all(&w, e)) >= 0 && w.n > 0) {
        output_flush();
        pace_ms = ended ? PACE_FIRST_MS : pace_next_ms(pace_ms);
        context_sleep(ctx, pace_ms);
    }
    text_release(&w.shown);
    free(w.ids);
    return ended < 0 ? -1 : w.status;
}

static int on_end(const struct context *ctx, const char *id, const struct run *r)
{
    if (ctx->options.json)
        json_line(stdout, run_json(r));
    else
        printf("%s %s%s%s\n", id, run_state_word(r->state), *r->reason ? ": " : "", r->reason);
    return wait_status(r->state);
}

static int runs_wait(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    (void)options;
    return wait_for_runs(ctx, args->words, args->n, on_end, e);
}

const struct command runs_wait_command = {
    .name = "runs wait",
    .group = "Runs",
    .args = "RUN...",
    .summary = "Wait until runs have ended",
    .details = "Prints each with its final state. Exits with 0 when all are Success, 1 when one is Failure; "
               "else 5 when\n"
               "one is not known, or was deleted before its end was seen (retention, retention_runs), 3 when "
               "one is Canceled.\n",
    .least = 1,
    .most = OPERANDS_MANY,
    .run = runs_wait,
};
