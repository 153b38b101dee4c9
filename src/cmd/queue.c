/* The commands that look at the queue: queue list, queue why. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/queue_table.h"
#include "cmd/screen.h"
#include "core/queue.h"

/* --- queue list */

struct list_options {
    int64_t limit; /* 0: all */
    bool watch;
};

static const struct option_row list_rows[] = {
    {"limit", 'n', OPTION_WHOLE, "N", "at most N runs; 0: all (default 100)",
     offsetof(struct list_options, limit), 0, INT32_MAX},
    {"watch", 'w', OPTION_SWITCH, NULL, "show it again every second", offsetof(struct list_options, watch), 0,
     0},
};

static int list_paint(struct context *ctx, const void *arg, FILE *out, struct err *e)
{
    const struct list_options *o = arg;
    int64_t limit = o->limit ? o->limit : INT64_MAX, total;

    total = queue_table_print(ctx, limit, "No queued runs.", out, e);
    if (total < 0)
        return -1;
    if (total > limit && out == stdout && isatty(STDERR_FILENO))
        fprintf(stderr, "%" PRId64 " of %" PRId64 " queued runs; --limit 0 shows all.\n", limit, total);
    return EXIT_DONE;
}

static int queue_list(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct list_options *o = options;

    (void)args;
    return o->watch ? screen_watch(ctx, list_paint, o, e) : list_paint(ctx, o, stdout, e);
}

const struct command queue_list_command = {
    .name = "queue list",
    .group = "Queue",
    .args = "",
    .summary = "List the queued runs in the order of admission, with what blocks them",
    .rows = list_rows,
    .nrows = sizeof list_rows / sizeof *list_rows,
    .defaults = &(const struct list_options){.limit = 100},
    .size = sizeof(struct list_options),
    .run = queue_list,
};

/* --- queue why */

static bool can_never_run(const struct queue_gate *g)
{
    return g->limit == 0;
}

static void holders_print(const struct reply *r, size_t i, const struct queue_gate *g)
{
    for (size_t j = 0; j < g->nholders; j++)
        printf("%s%s", j ? ", " : "    held by ", queue_holder_at(r, i, j));
    if (g->current > (int64_t)g->nholders)
        printf(" and %" PRId64 " more", g->current - (int64_t)g->nholders);
    if (g->nholders)
        putchar('\n');
}

static void gate_print(const struct reply *r, size_t i)
{
    struct queue_gate g = queue_gate_at(r, i);
    struct text words = {0};

    queue_gate_print(&g, &words);
    printf("  %s\n", text_get(&words));
    if (!queue_limit_is_readable(&g))
        printf("    can never run: the limit '%s' cannot be read and counts as 0\n", g.text);
    else if (can_never_run(&g))
        printf("    can never run: the limit is 0\n");
    holders_print(r, i, &g);
    text_release(&words);
}

/* Of a run that no limit blocks. How many runs its dequeuers may have is theirs to know. */
static void halt_print(const struct queue_why *why, const struct queue_halt *halt)
{
    struct text words = {0};

    queue_halt_print(halt, &words);
    if (words.len)
        printf("no limit blocks it, but %s\n", words.s);
    else if (why->position == 1 || why->lane_position == 1)
        puts("nothing blocks it: next to be admitted, by a dequeuer that has capacity left");
    else
        puts("nothing blocks it: admitted after the runs before it");
    text_release(&words);
}

static void why_print(const char *id, const struct reply *r, const struct queue_halt *halt)
{
    struct queue_why why = queue_why_read(r);

    printf("Run '%s' is queued: position %" PRId64 " of %" PRId64, id, why.position, why.total);
    printf("; %" PRId64 " of %" PRId64 " in its lane (%s)\n", why.lane_position, why.lane_total,
           *why.lane ? why.lane : "no tag limits");
    if (why.ngates)
        puts("blocked by");
    else
        halt_print(&why, halt);
    for (size_t i = 0; i < why.ngates; i++)
        gate_print(r, i);
}

static cJSON *gate_json(const struct reply *r, size_t i)
{
    struct queue_gate g = queue_gate_at(r, i);
    cJSON *o = cJSON_CreateObject(), *holders;

    cJSON_AddStringToObject(o, "gate", *g.name ? g.name : "global");
    cJSON_AddNumberToObject(o, "current", (double)g.current);
    cJSON_AddNumberToObject(o, "limit", (double)g.limit);
    cJSON_AddStringToObject(o, "set_to", g.text);
    cJSON_AddBoolToObject(o, "can_never_run", can_never_run(&g));
    holders = cJSON_AddArrayToObject(o, "held_by");
    for (size_t j = 0; j < g.nholders; j++)
        cJSON_AddItemToArray(holders, cJSON_CreateString(queue_holder_at(r, i, j)));
    return o;
}

static cJSON *halt_json(const struct queue_halt *halt)
{
    cJSON *o = halt->why == QUEUE_GOES_ON ? cJSON_CreateNull() : cJSON_CreateObject();

    if (halt->why == QUEUE_HELD)
        cJSON_AddNumberToObject(o, "held_until", (double)halt->at);
    else if (halt->why == QUEUE_UNATTENDED)
        cJSON_AddItemToObject(o, "no_dequeuer_since",
                              halt->at ? cJSON_CreateNumber((double)halt->at) : cJSON_CreateNull());
    return o;
}

static void why_print_json(const char *id, const struct reply *r, const struct queue_halt *halt)
{
    struct queue_why why = queue_why_read(r);
    cJSON *o = cJSON_CreateObject(), *gates;

    cJSON_AddStringToObject(o, "run", id);
    cJSON_AddNumberToObject(o, "position", (double)why.position);
    cJSON_AddNumberToObject(o, "total", (double)why.total);
    cJSON_AddStringToObject(o, "lane", why.lane);
    cJSON_AddNumberToObject(o, "lane_position", (double)why.lane_position);
    cJSON_AddNumberToObject(o, "lane_total", (double)why.lane_total);
    gates = cJSON_AddArrayToObject(o, "blocked_by");
    for (size_t i = 0; i < why.ngates; i++)
        cJSON_AddItemToArray(gates, gate_json(r, i));
    cJSON_AddItemToObject(o, "halted", halt_json(halt));
    json_line(stdout, o);
}

static void delayed_print(const struct context *ctx, const char *id, int64_t not_before)
{
    int64_t left = not_before - clock_wall_ms();
    char stamp[32], span[64];
    cJSON *o;

    if (!ctx->options.json) {
        left = left > 0 ? (left + 999) / 1000 * 1000 : 0;
        printf("Run '%s' is delayed: not before %s (in %s)\n", id,
               clock_print(not_before, stamp, sizeof stamp), duration_print_ms(left, span, sizeof span));
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", id);
    cJSON_AddNumberToObject(o, "not_before", (double)not_before);
    json_line(stdout, o);
}

static void launched_print(const struct context *ctx, const char *id, const char *waiting_for)
{
    cJSON *o;

    if (!ctx->options.json) {
        printf("Run '%s' is launched, its executor waits for: %s\n", id, waiting_for);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", id);
    cJSON_AddStringToObject(o, "waiting_for", waiting_for);
    json_line(stdout, o);
}

static int queue_why(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const char *id = args->words[0];
    struct queue_halt halt;
    struct store *store;
    struct reply *r;
    int status = EXIT_DONE;

    (void)options;
    if (context_store(ctx, &store, e) < 0 || queue_halt_ask(store, 0, &halt, e) < 0 ||
        !(r = call_wait(queue_why_call(store, id), 0, e)))
        return -1;
    if (reply_is(r, "NOT_FOUND"))
        status = refuse_unknown_run(id);
    else if (reply_is(r, "NOT_QUEUED"))
        status = refuse("Run '%s' is not queued (status: %s).", id, reply_str(reply_at(r, 1)));
    else if (reply_is(r, "LAUNCHED"))
        launched_print(ctx, id, reply_str(reply_at(r, 1)));
    else if (reply_is(r, "DELAYED"))
        delayed_print(ctx, id, reply_int(reply_at(r, 1), 0));
    else if (ctx->options.json)
        why_print_json(id, r, &halt);
    else
        why_print(id, r, &halt);
    reply_free(r);
    return status;
}

const struct command queue_why_command = {
    .name = "queue why",
    .group = "Queue",
    .args = "RUN",
    .summary = "Say why a run is still queued: its position, and every limit that blocks it with the runs "
               "that hold it, or what halts the whole queue",
    .least = 1,
    .most = 1,
    .run = queue_why,
};
