/* The commands about pools: pools list, pools info, pools set, pools delete. */
#include "core/pool.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/number.h"
#include "cmd/commands.h"
#include "cmd/output.h"

#define NOT_GIVEN    (-1)
#define LEASE_MIN_MS 1000

static int refuse_unknown_pool(const char *pool)
{
    return refuse("pool '%s' not configured", pool);
}

/* What an operator wrote instead of a number is shown as it is. */
static void limit_put(struct table *t, const char *limit)
{
    int64_t n;

    if (number_parse(limit, INT64_MIN, INT64_MAX, &n) == 0)
        table_whole(t, n);
    else
        table_text(t, limit);
}

static cJSON *limit_json(const char *limit)
{
    int64_t n;

    if (number_parse(limit, INT64_MIN, INT64_MAX, &n) == 0)
        return cJSON_CreateNumber((double)n);
    return cJSON_CreateString(limit);
}

static cJSON *setting_json(const char *pool, const struct pool_setting *s)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "pool", pool);
    cJSON_AddItemToObject(o, "limit", limit_json(s->limit));
    cJSON_AddNumberToObject(o, "lease", (double)s->lease_ms);
    cJSON_AddNumberToObject(o, "max_bypass", (double)s->bypass_ms);
    return o;
}

/* --- pools list */

static const struct table_column list_columns[] = {
    {"POOL", "pool"}, {"LIMIT", "limit"}, {"CLAIMED", "claimed"}, {"PENDING", "pending"}, {"LEASE", "lease"},
};

static void list_print(struct context *ctx, const struct reply *r)
{
    struct table *t =
        context_table(ctx, stdout, list_columns, sizeof list_columns / sizeof *list_columns, "No pools.");

    for (size_t i = 0; i < pool_count(r); i++) {
        struct pool_row row = pool_at(r, i);
        table_text(t, row.name);
        limit_put(t, row.limit);
        table_whole(t, row.claimed);
        table_whole(t, row.pending);
        table_span(t, row.lease_ms);
    }
    table_print(t);
    table_free(t);
}

static int pools_list(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct store *store;
    struct reply *r;

    (void)options, (void)args;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(pool_list_call(store), 0, e)))
        return -1;
    list_print(ctx, r);
    reply_free(r);
    return EXIT_DONE;
}

const struct command pools_list_command = {
    .name = "pools list",
    .group = "Pools",
    .args = "",
    .summary = "List the pools: limit (-1: unlimited), slots claimed, claims waiting, lease",
    .run = pools_list,
};

/* --- pools info */

static const struct table_column holder_columns[] = {
    {"RUN ID", "run"},
    {"STEP", "step"},
    {"SLOTS", "slots"},
    {"CLAIMED AT", "since"},
    {"LEASE UNTIL", "lease_until"},
    {"TOKEN", "token"},
};

static const struct table_column waiter_columns[] = {
    {"POS", "position"}, {"RUN ID", "run"},          {"STEP", "step"},     {"SLOTS", "slots"},
    {"PRI", "priority"}, {"WAITING SINCE", "since"}, {"REASON", "reason"},
};

static void claimant_put(struct table *t, const struct pool_claimant *who)
{
    table_text(t, who->run);
    table_text(t, who->step);
    table_whole(t, who->slots);
}

static void more_print(size_t shown, int64_t total)
{
    if (total > (int64_t)shown)
        printf("... and %" PRId64 " more\n", total - (int64_t)shown);
}

static void holders_print(struct context *ctx, const struct reply *r, const struct pool_info *info)
{
    struct table *t = context_table(ctx, stdout, holder_columns,
                                    sizeof holder_columns / sizeof *holder_columns, "Nobody holds slots.");

    for (size_t i = 0; i < info->nholders; i++) {
        struct pool_holder h = pool_holder_at(r, i);
        claimant_put(t, &h.who);
        table_time(t, h.who.since);
        table_time(t, h.lease_until);
        table_whole(t, h.token);
    }
    table_print(t);
    table_free(t);
    more_print(info->nholders, info->holders);
}

static void waiters_print(struct context *ctx, const struct reply *r, const struct pool_info *info)
{
    struct table *t = context_table(ctx, stdout, waiter_columns,
                                    sizeof waiter_columns / sizeof *waiter_columns, "Nobody waits.");

    for (size_t i = 0; i < info->nwaiters; i++) {
        struct pool_waiter w = pool_waiter_at(r, i);
        table_whole(t, (int64_t)i + 1);
        claimant_put(t, &w.who);
        table_whole(t, w.priority);
        table_time(t, w.who.since);
        table_text(t, w.reason);
    }
    table_print(t);
    table_free(t);
    more_print(info->nwaiters, info->waiters);
}

static void info_print(struct context *ctx, const char *pool, const struct reply *r)
{
    struct pool_info info = pool_info_read(r);
    char lease[64], bypass[64];

    printf("Pool '%s': limit %s, claimed %" PRId64 ", pending %" PRId64 ", lease %s, max bypass %s\n\n", pool,
           info.setting.limit, info.claimed, info.waiters,
           duration_print_ms(info.setting.lease_ms, lease, sizeof lease),
           duration_print_ms(info.setting.bypass_ms, bypass, sizeof bypass));
    holders_print(ctx, r, &info);
    putchar('\n');
    waiters_print(ctx, r, &info);
}

static cJSON *claimant_json(const struct pool_claimant *who)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "run", who->run);
    cJSON_AddStringToObject(o, "step", who->step);
    cJSON_AddNumberToObject(o, "slots", (double)who->slots);
    cJSON_AddNumberToObject(o, "since", (double)who->since);
    return o;
}

static cJSON *holders_json(const struct reply *r, size_t n)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++) {
        struct pool_holder h = pool_holder_at(r, i);
        cJSON *o = claimant_json(&h.who);
        cJSON_AddNumberToObject(o, "lease_until", (double)h.lease_until);
        cJSON_AddNumberToObject(o, "token", (double)h.token);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

static cJSON *waiters_json(const struct reply *r, size_t n)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++) {
        struct pool_waiter w = pool_waiter_at(r, i);
        cJSON *o = claimant_json(&w.who);
        cJSON_AddNumberToObject(o, "position", (double)(i + 1));
        cJSON_AddNumberToObject(o, "priority", (double)w.priority);
        json_add_text(o, "reason", w.reason);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

static void info_print_json(const char *pool, const struct reply *r)
{
    struct pool_info info = pool_info_read(r);
    cJSON *o = setting_json(pool, &info.setting);

    cJSON_AddNumberToObject(o, "claimed", (double)info.claimed);
    cJSON_AddNumberToObject(o, "pending", (double)info.waiters);
    cJSON_AddItemToObject(o, "holders", holders_json(r, info.nholders));
    cJSON_AddItemToObject(o, "waiting", waiters_json(r, info.nwaiters));
    json_line(stdout, o);
}

static int pools_info(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const char *pool = args->words[0];
    int status = EXIT_DONE;
    struct store *store;
    struct reply *r;

    (void)options;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(pool_info_call(store, pool), 0, e)))
        return -1;
    if (!reply_is(r, "OK"))
        status = refuse_unknown_pool(pool);
    else if (ctx->options.json)
        info_print_json(pool, r);
    else
        info_print(ctx, pool, r);
    reply_free(r);
    return status;
}

const struct command pools_info_command = {
    .name = "pools info",
    .group = "Pools",
    .args = "NAME",
    .summary = "Show a pool with all who hold slots of it, and the line of those who wait for some",
    .least = 1,
    .most = 1,
    .run = pools_info,
};

/* --- pools set */

struct set_options {
    int64_t lease_ms, bypass_ms; /* or NOT_GIVEN */
};

static const struct option_row set_rows[] = {
    {"lease-duration", 'l', OPTION_DURATION, "DURATION",
     "slots are given on when their holder was not heard of for so long (at least 1s)",
     offsetof(struct set_options, lease_ms), 0, 0},
    {"max-bypass", 'b', OPTION_DURATION, "DURATION",
     "how long small claims may pass a big one that waits (10s for a new pool)",
     offsetof(struct set_options, bypass_ms), 0, 0},
};

static int set_check(const struct set_options *o, const struct operands *args, int64_t *limit, struct err *e)
{
    if (pool_name_check(args->words[0], e) < 0) {
        e->code = ERR_USAGE;
        return -1;
    }
    if (number_parse(args->words[1], -1, POOL_SLOTS_MAX, limit) < 0)
        return err_set(e, ERR_USAGE, "limit '%s': must be a whole number from -1 (unlimited) to %d",
                       args->words[1], POOL_SLOTS_MAX);
    if (o->lease_ms != NOT_GIVEN && o->lease_ms < LEASE_MIN_MS)
        return err_set(e, ERR_USAGE, "option '--lease-duration': must be at least 1s");
    return 0;
}

static void set_print(const char *pool, const struct pool_setting *s)
{
    char span[64];

    printf("Pool '%s' set to limit=%s, lease_duration=%s\n", pool, s->limit,
           duration_print_ms(s->lease_ms, span, sizeof span));
}

static int pools_set(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct set_options *o = options;
    const char *pool = args->words[0];
    struct store *store;
    struct reply *r;
    int64_t limit;

    if (set_check(o, args, &limit, e) < 0 || context_store(ctx, &store, e) < 0 ||
        !(r = call_wait(pool_set_call(store, pool, limit, o->lease_ms, o->bypass_ms), 0, e)))
        return -1;
    struct pool_setting setting = pool_setting_read(r);
    if (ctx->options.json)
        json_line(stdout, setting_json(pool, &setting));
    else
        set_print(pool, &setting);
    reply_free(r);
    return EXIT_DONE;
}

const struct command pools_set_command = {
    .name = "pools set",
    .group = "Pools",
    .args = "NAME LIMIT",
    .summary =
        "Create a pool or change it, at once: its limit (-1: unlimited, 0: nobody gets slots), its lease",
    .details = "Nobody is evicted by a lower limit. Without its option a pool keeps its lease; a new one has "
               "5m.\n",
    .rows = set_rows,
    .nrows = sizeof set_rows / sizeof *set_rows,
    .defaults = &(const struct set_options){NOT_GIVEN, NOT_GIVEN},
    .size = sizeof(struct set_options),
    .least = 2,
    .most = 2,
    .run = pools_set,
};

/* --- pools delete */

static void delete_print(const struct context *ctx, const char *pool)
{
    if (!ctx->options.json) {
        printf("Pool '%s' deleted.\n", pool);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "pool", pool);
    cJSON_AddStringToObject(o, "outcome", "deleted");
    json_line(stdout, o);
}

static int pools_delete(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const char *pool = args->words[0];
    int status = EXIT_DONE;
    struct store *store;
    struct reply *r;

    (void)options;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(pool_delete_call(store, pool), 0, e)))
        return -1;
    if (reply_is(r, "HELD"))
        status = refuse("pool '%s' is in use: slots claimed: %s, claims waiting: %s", pool,
                        reply_str(reply_at(r, 1)), reply_str(reply_at(r, 2)));
    else if (!reply_is(r, "OK"))
        status = refuse_unknown_pool(pool);
    else
        delete_print(ctx, pool);
    reply_free(r);
    return status;
}

const struct command pools_delete_command = {
    .name = "pools delete",
    .group = "Pools",
    .args = "NAME",
    .summary = "Delete a pool that nobody holds slots of or waits for",
    .least = 1,
    .most = 1,
    .run = pools_delete,
};
