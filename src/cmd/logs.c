/* The command that shows what the steps of a run wrote: runs logs. */
#include "core/logs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/queue.h"
#include "core/read.h"
#include "core/run.h"
#include "core/spec.h"

#define FOLLOW_MS 200

struct logs_options {
    bool follow;
};

static const struct option_row logs_rows[] = {
    {"follow", 'f', OPTION_SWITCH, NULL,
     "print what comes until the run has ended; exit 5: it was deleted meanwhile",
     offsetof(struct logs_options, follow), 0, 0},
};

struct logs {
    struct context *ctx;
    struct store *store;
    const char *run;
    struct spec spec;
    struct log_reader *readers; /* the steps to show, in the order of the spec */
    size_t n;
    const char *header; /* the step that the output is at; NULL: none is announced */
};

/* --- which steps */

static int unknown_step(const struct logs *l, const char *step, struct err *e)
{
    unsigned least = NEAREST_NONE;
    const char *best = NULL;

    for (size_t i = 0; i < l->spec.nsteps; i++) {
        unsigned d = nearest_distance(step, l->spec.steps[i].name);
        if (d < least) {
            least = d;
            best = l->spec.steps[i].name;
        }
    }
    if (best)
        return err_set(e, ERR_NOT_FOUND, "run '%s' has no step '%s': did you mean '%s'?", l->run, step, best);
    return err_set(e, ERR_NOT_FOUND, "run '%s' has no step '%s'", l->run, step);
}

static int readers_make(struct logs *l, const char *step, struct err *e)
{
    l->readers = xcalloc(l->spec.nsteps + 1, sizeof *l->readers);
    for (size_t i = 0; i < l->spec.nsteps; i++)
        if (!step || strcmp(l->spec.steps[i].name, step) == 0)
            l->readers[l->n++] = (struct log_reader){.run = l->run, .step = l->spec.steps[i].name};
    return l->n == 0 ? unknown_step(l, step, e) : 0;
}

/* --- what they wrote */

static void bytes_put(struct logs *l, const struct log_reader *reader, const struct text *bytes)
{
    if (l->header && strcmp(l->header, reader->step) != 0) {
        printf("==> %s <==\n", reader->step);
        l->header = reader->step;
    }
    fwrite(text_get(bytes), 1, bytes->len, stdout);
}

/* All that the step has written by now. */
static int reader_drain(struct logs *l, struct log_reader *reader, struct err *e)
{
    struct text bytes = {0};
    int status;

    while ((status = log_read(reader, l->store, &bytes, e)) == 0 && bytes.len > 0 && !ferror(stdout)) {
        bytes_put(l, reader, &bytes);
        text_clear(&bytes);
    }
    text_release(&bytes);
    return status;
}

enum { GOES_ON, ENDED, GONE };

/* -1: e. */
static int run_look(const struct logs *l, struct err *e)
{
    enum run_state state;
    int found = run_state_ask(l->store, l->run, READ_OUTAGE_MS, &state, e);

    if (found <= 0)
        return found < 0 ? -1 : GONE;
    return run_state_is_final(state) ? ENDED : GOES_ON;
}

static int logs_print(struct logs *l, bool follow, struct err *e)
{
    for (;;) {
        int over = follow ? run_look(l, e) : ENDED; /* asked first: nothing is written after it */
        if (over < 0)
            return -1;
        for (size_t i = 0; i < l->n; i++)
            if (reader_drain(l, &l->readers[i], e) < 0)
                return -1;
        if (!output_flush() || over == ENDED)
            return EXIT_DONE;
        if (over == GONE)
            return refuse_gone_run(l->run);
        context_sleep(l->ctx, FOLLOW_MS);
    }
}

static int logs_of(struct logs *l, const struct reply *stored, const char *step, bool follow, struct err *e)
{
    int status;

    if (spec_parse(&l->spec, reply_str(stored), reply_len(stored), e) < 0)
        return err_prefix(e, "the spec of run '%s' cannot be read", l->run);
    status = readers_make(l, step, e);
    if (status == 0)
        status = logs_print(l, follow, e);
    free(l->readers);
    spec_release(&l->spec);
    return status;
}

static int runs_logs(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct logs_options *o = options;
    struct logs l = {.ctx = ctx, .run = args->words[0]};
    struct reply *r;
    int status;

    if (context_store(ctx, &l.store, e) < 0 || !(r = call_wait(run_show_call(l.store, l.run), 0, e)))
        return -1;
    if (args->n == 1 && isatty(STDOUT_FILENO))
        l.header = "";
    status = reply_is(r, "OK") ? logs_of(&l, reply_at(r, 2), args->words[1], o->follow, e)
                               : refuse_unknown_run(l.run);
    reply_free(r);
    return status;
}

const struct command runs_logs_command = {
    .name = "runs logs",
    .group = "Runs",
    .args = "RUN [STEP]",
    .summary = "Print what the steps of a run wrote",
    .rows = logs_rows,
    .nrows = sizeof logs_rows / sizeof *logs_rows,
    .defaults = &(const struct logs_options){0},
    .size = sizeof(struct logs_options),
    .least = 1,
    .most = 2,
    .run = runs_logs,
};
