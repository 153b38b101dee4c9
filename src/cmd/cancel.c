/* The commands that end and remove runs: queue cancel, runs cancel, runs delete. */
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/wait.h"
#include "core/queue.h"

#define GRACE_MS 10000

struct cancel_options {
    int64_t grace_ms;
    bool wait, queued_only;
};

static const struct option_row cancel_rows[] = {
    {"grace", 'g', OPTION_DURATION, "DURATION", "between SIGTERM and SIGKILL (default 10s)",
     offsetof(struct cancel_options, grace_ms), 0, 0},
    {"wait", 'w', OPTION_SWITCH, NULL, "wait until they have ended", offsetof(struct cancel_options, wait), 0,
     0},
};

/* What a script may answer about a run, and how that is told: "Run '<id>' <said>", where '%' stands for the
 * state in the answer. */
struct answer {
    const char *word;
    const char *outcome; /* for --json; NULL: it was refused */
    const char *said;
};

static const struct answer cancel_answers[] = {
    {"CANCELED", "canceled", "canceled."},
    {"CANCELING", "canceling", "is being canceled."},
    {"FINAL", NULL, "has already ended (status: %)."},
    {"NOT_QUEUED", NULL, "is not queued (status: %)."},
    {"NOT_FOUND", NULL, "not found."},
    {0},
};

static const struct answer delete_answers[] = {
    {"OK", "deleted", "deleted."},
    {"ACTIVE", NULL, "is %: cancel it and let it finish before deleting"},
    {"NOT_FOUND", NULL, "not found."},
    {0},
};

static void outcome_json(const char *id, const char *outcome)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "run", id);
    cJSON_AddStringToObject(o, "outcome", outcome);
    json_line(stdout, o);
}

/* word: of the answer r. Returns the exit status. */
static int answer_tell(const struct context *ctx, const struct answer *a, const char *id, const char *word,
                       const struct reply *r)
{
    while (a->word && strcmp(a->word, word) != 0)
        a++;
    if (!a->word)
        return refuse("Run '%s': unexpected answer %s", id, word);
    if (!a->outcome) {
        int head = (int)strcspn(a->said, "%");
        const char *tail = a->said + head;
        return refuse("Run '%s' %.*s%s%s", id, head, a->said, *tail ? reply_str(reply_at(r, 1)) : "",
                      *tail ? tail + 1 : "");
    }
    if (ctx->options.json)
        outcome_json(id, a->outcome);
    else
        printf("Run '%s' %s\n", id, a->said);
    return EXIT_DONE;
}

/* --- cancel */

static int on_end(const struct context *ctx, const char *id, const struct run *r)
{
    if (r->state != RUN_CANCELED)
        return refuse("Run '%s' ended before it was canceled (status: %s).", id, run_state_word(r->state));
    if (ctx->options.json)
        outcome_json(id, "canceled");
    else
        printf("Run '%s' canceled.\n", id);
    return EXIT_DONE;
}

/* Those whose end is still to come are put into `ending` when they are to be waited for. */
static int cancel_each(struct context *ctx, const struct operands *args, const struct cancel_options *o,
                       struct operands *ending, struct err *e)
{
    int status = EXIT_DONE;
    struct store *store;

    if (context_store(ctx, &store, e) < 0)
        return -1;
    for (size_t i = 0; i < args->n; i++) {
        struct reply *r =
            call_wait(run_cancel_call(store, args->words[i], o->grace_ms, o->queued_only), 0, e);
        if (!r)
            return -1;
        if (o->wait && reply_is(r, "CANCELING"))
            ending->words[ending->n++] = args->words[i];
        else if (answer_tell(ctx, cancel_answers, args->words[i], run_cancel_word(r), r) != EXIT_DONE)
            status = EXIT_FAILED;
        reply_free(r);
    }
    return status;
}

static int cancel(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct operands ending = {.words = xcalloc(args->n + 1, sizeof *ending.words)};
    int status = cancel_each(ctx, args, options, &ending, e), waited = EXIT_DONE;

    if (status >= 0 && ending.n > 0)
        waited = wait_for_runs(ctx, ending.words, ending.n, on_end, e);
    operands_release(&ending);
    return status < 0 || waited == EXIT_DONE ? status : waited;
}

const struct command runs_cancel_command = {
    .name = "runs cancel",
    .group = "Runs",
    .args = "RUN...",
    .summary = "Cancel runs: queued ones at once, started ones by ending their processes",
    .rows = cancel_rows,
    .nrows = sizeof cancel_rows / sizeof *cancel_rows,
    .defaults = &(const struct cancel_options){.grace_ms = GRACE_MS},
    .size = sizeof(struct cancel_options),
    .least = 1,
    .most = OPERANDS_MANY,
    .run = cancel,
};

const struct command queue_cancel_command = {
    .name = "queue cancel",
    .group = "Queue",
    .args = "RUN...",
    .summary = "Take runs out of the queue; one that was admitted is refused",
    .defaults = &(const struct cancel_options){.grace_ms = GRACE_MS, .queued_only = true},
    .size = sizeof(struct cancel_options),
    .least = 1,
    .most = OPERANDS_MANY,
    .run = cancel,
};

/* --- delete */

static int delete (struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    int status = EXIT_DONE;
    struct store *store;

    (void)options;
    if (context_store(ctx, &store, e) < 0)
        return -1;
    for (size_t i = 0; i < args->n; i++) {
        struct reply *r = call_wait(run_delete_call(store, args->words[i]), 0, e);
        if (!r)
            return -1;
        if (answer_tell(ctx, delete_answers, args->words[i], reply_word(r), r) != EXIT_DONE)
            status = EXIT_FAILED;
        reply_free(r);
    }
    return status;
}

const struct command runs_delete_command = {
    .name = "runs delete",
    .group = "Runs",
    .args = "RUN...",
    .summary = "Delete finished runs with their logs",
    .least = 1,
    .most = OPERANDS_MANY,
    .run = delete,
};
