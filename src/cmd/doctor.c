/* The command that examines a namespace and its server: doctor. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/doctor.h"
#include "core/read.h"

#define OLDEST_MAJOR   7
#define CLOCK_APART_MS 5000

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

/* The value of a field of INFO, in buf; "" when it is not there. */
static const char *info_get(const char *info, const char *field, char *buf, size_t size)
{
    size_t n = strlen(field);

    *buf = '\0';
    for (const char *line = info; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, field, n) == 0 && line[n] == ':')
            snprintf(buf, size, "%.*s", (int)strcspn(line + n + 1, "\r\n"), line + n + 1);
    return buf;
}

/* What a server must be set to, by the fields of INFO; `lost` is what is not promised otherwise. */
struct server_rule {
    const char *field;
    bool (*holds)(const char *value);
    const char *state, *lost;
};

static bool is_recent(const char *value)
{
    return strtol(value, NULL, 10) >= OLDEST_MAJOR;
}

static bool evicts_nothing(const char *value)
{
    return !*value || strcmp(value, "noeviction") == 0;
}

static bool is_on(const char *value)
{
    return strcmp(value, "1") == 0;
}

static bool is_ok(const char *value)
{
    return !*value || strcmp(value, "ok") == 0;
}

static const struct server_rule server_rules[] = {
    {"redis_version", is_recent, "wrong", "older than 7.0"},
    {"maxmemory_policy", evicts_nothing, "wrong",
     "anything may be deleted when memory is short: set noeviction"},
    {"aof_enabled", is_on, "warning", "a crash loses what came after the last snapshot: set appendonly yes"},
    {"aof_last_write_status", is_ok, "wrong", "the append-only file cannot be written"},
    {"rdb_last_bgsave_status", is_ok, "wrong", "the last snapshot failed"},
};

/* Returns how many rules are broken that have to hold. */
static int server_check(struct table *t, struct store *s, struct err *e)
{
    struct reply *r =
        redis_send_wait(store_redis_get(s), READ_OUTAGE_MS, 1, (const char *const[]){"INFO"}, NULL, e);
    int wrong = 0;

    if (!r)
        return -1;
    for (size_t i = 0; i < sizeof server_rules / sizeof *server_rules; i++) {
        const struct server_rule *rule = &server_rules[i];
        char value[64];
        if (rule->holds(info_get(reply_str(r), rule->field, value, sizeof value)))
            continue;
        char *subject = xasprintf("%s=%s", rule->field, value);
        row(t, "server", subject, rule->lost, rule->state);
        wrong += strcmp(rule->state, "wrong") == 0;
        free(subject);
    }
    reply_free(r);
    return wrong;
}

static int clock_check(struct table *t, struct store *s, struct err *e)
{
    struct reply *r =
        redis_send_wait(store_redis_get(s), READ_OUTAGE_MS, 1, (const char *const[]){"TIME"}, NULL, e);

    if (!r)
        return -1;
    int64_t apart = strtoll(reply_str(reply_at(r, 0)), NULL, 10) * 1000 - clock_wall_ms();
    reply_free(r);
    if (apart < -CLOCK_APART_MS || apart > CLOCK_APART_MS)
        row(t, "server", "clock", "more than 5 s apart from the clock of this host", "warning");
    return 0;
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

/* Returns how many faults there were, or -1. */
static int64_t namespace_check(struct table *t, struct store *s, bool repair, struct err *e)
{
    char *cursor = xstrdup("");
    int64_t faults = 0;

    do {
        struct reply *r = call_wait(doctor_call(s, repair, cursor), READ_OUTAGE_MS, e);
        free(cursor);
        if (!r)
            return -1;
        for (size_t i = 0; i < doctor_count(r); i++, faults++) {
            struct fault f = doctor_at(r, i);
            row(t, f.what, f.subject, f.detail, repair ? "repaired" : "wrong");
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
    int status = wrong < 0 || clock_check(t, store, e) < 0 || history_check(t, store, e) < 0 ? -1 : EXIT_DONE;
    if (status == EXIT_DONE) {
        table_print(t);
        if (wrong > 0 || (faults > 0 && !o->repair))
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
    .details = "It works in small pieces beside whatever goes on. Exit status 1: something is wrong and was "
               "not repaired.\n",
    .rows = doctor_rows,
    .nrows = sizeof doctor_rows / sizeof *doctor_rows,
    .size = sizeof(struct doctor_options),
    .run = doctor,
};
