/* The command that hands runs to the queue: submit. */
#include "core/submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/intake.h"
#include "cmd/output.h"
#include "cmd/run_options.h"
#include "cmd/wait.h"
#include "core/durable.h"
#include "core/run_json.h"
#include "core/setup.h"

struct submit_options {
    struct run_options run; /* what each run that is submitted has beside what its document says */
    const char *file;
    bool wait, durable;
};

static const struct option_row submit_rows[] = {
    {"file", 'f', OPTION_TEXT, "FILE", "a run as JSON, or one on each line; -: lines of standard input",
     offsetof(struct submit_options, file), 0, 0},
    {"tag", 't', OPTION_LIST, "KEY=VALUE", "set a tag; may be given several times",
     offsetof(struct submit_options, run.tags), 0, 0},
    {"priority", 'p', OPTION_WHOLE, "N", "higher ones are admitted first (default 0)",
     offsetof(struct submit_options, run.priority), INT32_MIN, INT32_MAX},
    {"env", 'e', OPTION_LIST, "NAME=VALUE", "set an environment variable; may be given several times",
     offsetof(struct submit_options, run.env), 0, 0},
    {"job", 'j', OPTION_TEXT, "NAME", "the name of the job that the run belongs to",
     offsetof(struct submit_options, run.job), 0, 0},
    {"key", 'k', OPTION_TEXT, "KEY", "submit once: the same key again returns the same run while it is kept",
     offsetof(struct submit_options, run.key), 0, 0},
    {"delay", 'd', OPTION_DURATION, "DURATION", "do not admit it before, for example 10m",
     offsetof(struct submit_options, run.delay_ms), 0, 0},
    {"wait", 'w', OPTION_SWITCH, NULL,
     "wait for its end: exit 0 Success, 1 Failure, 3 Canceled, 5 deleted before it was seen",
     offsetof(struct submit_options, wait), 0, 0},
    {"durable", 0, OPTION_SWITCH, NULL,
     "accepted means that a replica has it: exit 4 when none confirms that",
     offsetof(struct submit_options, durable), 0, 0},
};

static int submit_one(struct intake *in, const struct submit_options *o, const struct operands *args,
                      struct err *e)
{
    struct spec s;
    int status;

    spec_init(&s);
    status =
        args->command ? run_of_command(&s, args->command, e) : run_of_job(&s, in->store, args->words[0], e);
    if (status == 0 && (status = run_options_apply(&s, &o->run, e)) == 0)
        intake_add(in, &s, 0, 0);
    else
        spec_release(&s);
    return status;
}

/* --- runs of a file */

static int document_add(struct intake *in, const struct submit_options *o, const char *text, size_t len,
                        int64_t line, struct err *e)
{
    struct spec s;

    if (spec_parse(&s, text, len, e) < 0)
        return -1;
    if (run_options_apply(&s, &o->run, e) < 0) {
        spec_release(&s);
        return -1;
    }
    intake_add(in, &s, line, len);
    return 0;
}

/* Whether brackets are still open at its end: then it is the first line of a document that has several. */
static bool is_beginning(const char *line)
{
    int open = 0;
    bool quoted = false;

    for (; *line; line++) {
        if (quoted && *line == '\\' && line[1])
            line++;
        else if (*line == '"')
            quoted = !quoted;
        else if (!quoted)
            open += (*line == '{' || *line == '[') - (*line == '}' || *line == ']');
    }
    return open > 0;
}

static bool is_blank(const char *line, size_t len)
{
    return strspn(line, " \t\r\n") == len;
}

static void line_add(struct intake *in, const struct submit_options *o, const char *line, size_t len,
                     int64_t number)
{
    static const char at[] = "line 1, ";
    struct err e = {0};

    if (is_blank(line, len) || document_add(in, o, line, len, number, &e) == 0)
        return;
    /* The place within the line is enough. */
    if (strncmp(e.msg, at, strlen(at)) == 0)
        memmove(e.msg, e.msg + strlen(at), strlen(e.msg + strlen(at)) + 1);
    intake_fault(in, number, &e);
}

/* The rest of the file belongs to the document; more than any may have is not read. */
static int rest_add(struct intake *in, const struct submit_options *o, FILE *f, const char *begun, size_t len,
                    struct err *e)
{
    struct text all = {0};
    char bytes[8192];
    size_t n;

    text_add_bytes(&all, begun, len);
    while (all.len <= SPEC_BYTES_MAX && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
        text_add_bytes(&all, bytes, n);
    int status = document_add(in, o, all.s, all.len, 0, e);
    text_release(&all);
    return status < 0 ? err_prefix(e, "%s", o->file) : 0;
}

static int lines_add(struct intake *in, const struct submit_options *o, FILE *f, struct err *e)
{
    bool several = f == stdin; /* known to be lines; a file may be one document */
    int64_t number = 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int status = 0;

    while (status == 0 && !in->broken && (n = getline(&line, &size, f)) >= 0) {
        size_t len = (size_t)n; /* not strlen: it may hold NUL bytes, which are refused */
        number++;
        if (!several && is_beginning(line))
            status = rest_add(in, o, f, line, len, e);
        else
            line_add(in, o, line, len, number);
        several = several || !is_blank(line, len);
    }
    if (status == 0 && ferror(f))
        status = err_sys(e, "cannot read %s", o->file);
    if (in->broken && !feof(f))
        refuse("lines behind %" PRId64 " were not read", number);
    free(line);
    return status;
}

static int submit_file(struct intake *in, const struct submit_options *o, struct err *e)
{
    FILE *f = strcmp(o->file, "-") == 0 ? stdin : fopen(o->file, "re");
    int status;

    if (!f)
        return err_sys(e, "cannot open %s", o->file);
    status = lines_add(in, o, f, e);
    if (f != stdin)
        fclose(f);
    return status;
}

/* --- */

static int options_check(const struct submit_options *o, const struct operands *args, struct err *e)
{
    int status = run_options_check(&o->run, e);

    if (status < 0)
        e->code = ERR_USAGE;
    else if ((o->file != NULL) + (args->command != NULL) + (args->n > 0) != 1)
        status = err_set(e, ERR_USAGE, "'rivers submit' needs one of: JOB, -f FILE, -- COMMAND...");
    else if (args->command && !*args->command)
        status = err_set(e, ERR_USAGE, "a command is missing behind '--'");
    else if (args->n > 1)
        status = err_set(e, ERR_USAGE, "one argument too many: '%s'; a command stands behind '--'",
                         args->words[1]);
    else if (o->file && o->run.key)
        status = err_set(e, ERR_USAGE, "option '--key' is for one run; in a file each has its own \"key\"");
    return status;
}

static int on_end(const struct context *ctx, const char *id, const struct run *r)
{
    if (ctx->options.json)
        json_line(stdout, run_json(r));
    else if (r->state != RUN_SUCCESS || isatty(STDERR_FILENO))
        fprintf(stderr, "Run '%s' ended: %s%s%s\n", id, run_state_word(r->state), *r->reason ? ": " : "",
                r->reason);
    return wait_status(r->state);
}

static int submit(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct submit_options *o = options;
    struct store *store;
    struct intake in;
    int status, waited = EXIT_DONE;

    if (options_check(o, args, e) < 0 || context_store(ctx, &store, e) < 0 ||
        (o->durable && durable_check(store, e) < 0))
        return -1;
    intake_init(&in, ctx, store);
    in.durable = o->durable;
    status = o->file ? submit_file(&in, o, e) : submit_one(&in, o, args, e);
    intake_finish(&in);
    if (o->wait && !in.unconfirmed && output_flush())
        waited = wait_for_runs(ctx, in.ids, in.nids, on_end, e);
    if (status == 0)
        status = in.unconfirmed ? EXIT_UNCONFIRMED : in.faulty && waited >= 0 ? EXIT_FAILED : waited;
    intake_release(&in);
    return status;
}

const struct command submit_command = {
    .name = "submit",
    .group = "Submit",
    .args = "JOB | -f FILE | -- COMMAND...",
    .summary = "Submit runs and print their ids: a job of the configuration, JSON, or a command line",
    .details =
        "A run as JSON: {\"job\": \"nightly\", \"tags\": {\"team\": \"growth\"}, \"priority\": 5,\n"
        "  \"env\": {\"DAY\": \"2026-11-23\"}, \"key\": \"nightly-2026-11-23\", \"delay\": \"10m\",\n"
        "  \"steps\": [{\"name\": \"extract\", \"command\": [\"sh\", \"-c\", \"...\"]}]}\n"
        "Options change every run that is submitted. A line that is refused is told with its number; the\n"
        "others are submitted, and the exit status is 1.\n"
        "With --durable nothing is submitted where redis has no replica. What was accepted but is not known "
        "to\n"
        "have reached one within 5 s is printed all the same, told, and the exit status is 4: submitted "
        "again\n"
        "with the same key it is the same run, and confirmed.\n",
    .rows = submit_rows,
    .nrows = sizeof submit_rows / sizeof *submit_rows,
    .defaults = &(const struct submit_options){.run = RUN_OPTIONS_NONE},
    .size = sizeof(struct submit_options),
    .most = OPERANDS_MANY,
    .takes_command = true,
    .run = submit,
};
