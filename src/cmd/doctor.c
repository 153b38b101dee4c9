/* The command that examines a namespace and its server: doctor. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/doctor.h"
#include "core/read.h"
#include "core/server.h"

struct doctor_options {
    bool repair;
};

static const struct option_row doctor_rows[] = {
    {"repair", 0, OPTION_SWITCH, NULL, "put right what is wrong in the namespace",
     offsetof(struct doctor_options, repair), 0, 0},
};

static const struct table_column columns[] = {
    {"WHAT", "what"}, {"SUBJECT", "subject"}, {"DETAIL", "detail"}, {"STATE", "state"}};

static void row(struct table *t, const char *what, const char *subject, const char *detail, const char *state)
{
    table_text(t, what);
    table_text(t, subject);
    table_text(t, detail);
    table_text(t, state);
}

/* --- the server */

struct server_rows {
    struct table *table;
    int wrong;
};

static void on_server_fault(void *arg, const struct server_fault *f)
{
    struct server_rows *rows = arg;
    char *subject = xasprintf("%s=%s", f->setting, f->value);

    row(rows->table, "server", subject, f->why, f->wrong ? "wrong" : "warning");
    rows->wrong += f->wrong;
    free(subject);
}

/* Returns how much is wrong, warnings aside, or -1. What the server refuses to say is left out, but INFO. */
static int server_check(struct table *t, struct store *s, struct err *e)
{
    struct server_rows rows = {.table = t};

    for (int i = 0; i < SERVER_QUESTIONS; i++) {
        const struct server_command *c = &server_commands[i];
        struct reply *r = redis_send_wait(store_redis_get(s), READ_OUTAGE_MS, c->argc, c->argv, NULL, e);
        if (r)
            server_judge((enum server_question)i, r, clock_wall_ms(), on_server_fault, &rows);
        else if (i == SERVER_INFO || e->code != ERR_SERVER)
            return -1;
        reply_free(r);
    }
    return rows.wrong;
}

/* --- the namespace */

/* That history was lost is no fault any more, but may explain what is missing. */
static int history_check(struct table *t, struct store *s, struct err *e)
{
    struct history h;

    if (doctor_history(s, &h, e) < 0)
        return -1;
    if (h.losses > 0) {
        char at[32], *subject = xasprintf("epoch=%s", h.epoch);
        char *detail = xasprintf("older data came back %" PRId64 " times, last at %s: what was accepted just "
                                 "before that may be missing",
                                 h.losses, clock_print(h.at, at, sizeof at));
        row(t, "history", subject, detail, "note");
        free(subject);
        free(detail);
    }
    return 0;
}

/* Returns how many faults are left, or -1. */
static int64_t namespace_check(struct table *t, struct store *s, bool repair, struct err *e)
{
    char *cursor = xstrdup("");
    int64_t faults = 0;

    do {
        struct reply *r = call_wait(doctor_call(s, repair, cursor), READ_OUTAGE_MS, e);
        free(cursor);
        if (!r)
            return -1;
        for (size_t i = 0; i < doctor_count(r); i++) {
            struct fault f = doctor_at(r, i);
            bool repaired = repair && f.mendable;
            row(t, f.what, f.subject, f.detail, repaired ? "repaired" : "wrong");
            faults += !repaired;
        }
        cursor = xstrdup(doctor_next(r));
        reply_free(r);
    } while (*cursor);
    free(cursor);
    return faults;
}

static int doctor(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct doctor_options *o = options;
    struct store *store;
    struct table *t;

    (void)args;
    if (context_store(ctx, &store, e) < 0)
        return -1;
    t = context_table(ctx, stdout, columns, sizeof columns / sizeof *columns, "All is well.");
    int64_t faults = namespace_check(t, store, o->repair, e);
    int wrong = faults < 0 ? -1 : server_check(t, store, e);
    int status = wrong < 0 || history_check(t, store, e) < 0 ? -1 : EXIT_DONE;
    if (status == EXIT_DONE) {
        table_print(t);
        if (wrong > 0 || faults > 0)
            status = EXIT_FAILED;
    }
    table_free(t);
    return status;
}

const struct command doctor_command = {
    .name = "doctor",
    .group = "Watch",
    .args = "",
    .summary = "Look for what is wrong in the namespace and with the settings of its server",
    .details =
        "It works in small pieces beside whatever goes on. Of the server it looks at the version, the role, "
        "maxmemory-policy, the append-only file, snapshots, min-replicas-to-write where there are "
        "replicas, the clock, and appendfsync where CONFIG GET is allowed. Exit status 1: something is wrong "
        "and was "
        "not repaired.\n",
    .rows = doctor_rows,
    .nrows = sizeof doctor_rows / sizeof *doctor_rows,
    .size = sizeof(struct doctor_options),
    .run = doctor,
};
