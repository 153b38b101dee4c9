/* The command that shows what happened: events. */
#include "core/events.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/output.h"

#define FOLLOW_MS 200

struct events_options {
    bool follow;
    const char *run;
    int64_t last; /* -1: all that are kept */
};

static const struct option_row events_rows[] = {
    {"follow", 'f', OPTION_SWITCH, NULL, "print what comes until interrupted",
     offsetof(struct events_options, follow), 0, 0},
    {"run", 'r', OPTION_TEXT, "RUN", "only events of this run", offsetof(struct events_options, run), 0, 0},
    {"last", 'n', OPTION_WHOLE, "N", "begin N events before the end (default: the oldest that is kept)",
     offsetof(struct events_options, last), 0, INT32_MAX},
};

static bool is_detail(const char *field)
{
    return strcmp(field, "event") != 0 && strcmp(field, "run") != 0;
}

static void event_print(const struct event_record *ev)
{
    char stamp[32];

    printf("%s  %-16s  %s", clock_print(ev->at, stamp, sizeof stamp), ev->name, ev->run);
    for (size_t i = 0; i + 1 < reply_count(ev->fields); i += 2) {
        const char *field = reply_str(reply_at(ev->fields, i)),
                   *value = reply_str(reply_at(ev->fields, i + 1));
        if (is_detail(field) && *value)
            printf("  %s=%s", field, value);
    }
    putchar('\n');
}

static void event_json(const struct event_record *ev)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "id", ev->id);
    cJSON_AddNumberToObject(o, "at", (double)ev->at);
    for (size_t i = 0; i + 1 < reply_count(ev->fields); i += 2)
        cJSON_AddStringToObject(o, reply_str(reply_at(ev->fields, i)),
                                reply_str(reply_at(ev->fields, i + 1)));
    json_line(stdout, o);
}

/* The next page; returns how many events it had, or -1. */
static int page_print(const struct context *ctx, struct store *store, struct events *at, const char *run,
                      struct err *e)
{
    struct reply *r = events_read(at, store, e);
    int n = (int)reply_count(r);

    if (!r)
        return -1;
    for (int i = 0; i < n; i++) {
        struct event_record ev = event_at(r, (size_t)i);
        if (run && strcmp(run, ev.run) != 0)
            continue;
        if (ctx->options.json)
            event_json(&ev);
        else
            event_print(&ev);
    }
    reply_free(r);
    return n;
}

static int events(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct events_options *o = options;
    struct events at = {0};
    struct store *store;
    int n;

    (void)args;
    if (context_store(ctx, &store, e) < 0 || (o->last >= 0 && events_seek(&at, store, o->last, e) < 0))
        return -1;
    while ((n = page_print(ctx, store, &at, o->run, e)) >= 0 && output_flush() && (n > 0 || o->follow))
        if (n == 0)
            context_sleep(ctx, FOLLOW_MS);
    return n < 0 ? -1 : EXIT_DONE;
}

const struct command events_command = {
    .name = "events",
    .group = "Watch",
    .args = "",
    .summary = "Print what happened to runs and steps",
    .rows = events_rows,
    .nrows = sizeof events_rows / sizeof *events_rows,
    .defaults = &(const struct events_options){.last = -1},
    .size = sizeof(struct events_options),
    .run = events,
};
