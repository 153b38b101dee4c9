/* The command that executes a run here and now, past the queue: materialize. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/run_options.h"
#include "cmd/wait.h"
#include "core/submit.h"
#include "exec/executor.h"

#define START_MS   30000 /* between the record and the executor, both of this process */
#define FILE_BYTES (SPEC_BYTES_MAX + 1)

struct materialize_options {
    struct run_options run;
    const char *file;
};

static const struct option_row rows[] = {
    {"file", 'f', OPTION_TEXT, "FILE", "a run as JSON", offsetof(struct materialize_options, file), 0, 0},
    {"tag", 't', OPTION_LIST, "KEY=VALUE", "set a tag; may be given several times",
     offsetof(struct materialize_options, run.tags), 0, 0},
    {"env", 'e', OPTION_LIST, "NAME=VALUE", "set an environment variable; may be given several times",
     offsetof(struct materialize_options, run.env), 0, 0},
};

static int run_of_file(struct spec *s, const char *file, struct err *e)
{
    FILE *f = fopen(file, "re");
    char *text;
    size_t len;

    if (!f)
        return err_sys(e, "cannot open '%s'", file);
    text = xmalloc(FILE_BYTES);
    len = fread(text, 1, FILE_BYTES, f);
    int status = ferror(f) ? err_sys(e, "cannot read '%s'", file) : spec_parse(s, text, len, e);
    if (status < 0)
        err_prefix(e, "%s", file);
    fclose(f);
    free(text);
    return status;
}

/* Makes the record; *id is owned by the caller. */
static int record_make(struct store *store, const struct spec *s, char **id, int64_t *token, struct err *e)
{
    char host[128] = "", who[192];

    gethostname(host, sizeof host - 1);
    snprintf(who, sizeof who, "%s-%d", host, (int)getpid());
    struct reply *r = call_wait(materialize_call(store, s, who, START_MS), 0, e);
    if (!r)
        return -1;
    *id = xstrdup(reply_str(reply_at(r, 1)));
    *token = reply_int(reply_at(r, 2), 0);
    reply_free(r);
    return 0;
}

static int execute_here(struct store *store, const struct spec *s, struct err *e)
{
    enum run_state outcome = RUN_FAILURE;
    struct executor_options executor = {.foreground = true, .outcome = &outcome};
    char *id = NULL;
    int status = record_make(store, s, &id, &executor.token, e);

    if (status == 0) {
        executor.run = id;
        status = executor_run(store, &executor, e);
        fprintf(stderr, "Run '%s' ended: %s\n", id,
                status == 0 ? run_state_word(outcome) : "without an outcome");
    }
    free(id);
    return status == 0 ? wait_status(outcome) : status;
}

static int materialize(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct materialize_options *o = options;
    struct store *store;
    struct spec s;

    if ((o->file != NULL) + (args->n > 0) != 1)
        return err_set(e, ERR_USAGE, "'rivers materialize' needs one of: JOB, -f FILE");
    if (context_store(ctx, &store, e) < 0)
        return -1;
    spec_init(&s);
    int status = o->file ? run_of_file(&s, o->file, e) : run_of_job(&s, store, args->words[0], e);
    if (status == 0)
        status = run_options_apply(&s, &o->run, e);
    if (status == 0)
        status = execute_here(store, &s, e);
    spec_release(&s);
    return status;
}

const struct command materialize_command = {
    .name = "materialize",
    .group = "Submit",
    .args = "JOB | -f FILE",
    .summary = "Execute a run here and now, past the queue; its steps still claim their pools",
    .details = "The run counts as in progress for the limits of others. What its steps write is shown and "
               "kept. Ctrl-C\n"
               "cancels it. The exit status is 0 for Success, 1 for Failure, 3 for Canceled.\n",
    .rows = rows,
    .nrows = sizeof rows / sizeof *rows,
    .defaults = &(const struct materialize_options){.run = RUN_OPTIONS_NONE},
    .size = sizeof(struct materialize_options),
    .most = 1,
    .run = materialize,
};
