/* The commands about the configuration: config check, config apply, config show, config diff. */
#include "core/config.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/output.h"
#include "core/setup.h"

/* --- config check */

static void on_stray(void *file, const char *job, const char *step, const char *pool)
{
    fprintf(stderr,
            "%s: jobs.%s: pool '%s' of step '%s' is not in pool_limits, and unlimited until it is set\n",
            (const char *)file, job, pool, step);
}

static int config_check(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct config c;

    (void)ctx, (void)options;
    if (config_load(&c, args->words[0], e) < 0)
        return -1;
    config_stray_pools(&c, on_stray, args->words[0]);
    config_release(&c);
    if (!ctx->options.json)
        printf("%s: ok\n", args->words[0]);
    return EXIT_DONE;
}

const struct command config_check_command = {
    .name = "config check",
    .group = "Configure",
    .args = "FILE",
    .summary = "Check a configuration file without a server",
    .details = "Warns of pools that a step names and pool_limits, where it is given, does not.\n",
    .least = 1,
    .most = 1,
    .run = config_check,
};

/* --- config apply, config diff */

static const struct table_column change_columns[] = {
    {"ACTION", "action"}, {"HASH", "hash"}, {"FIELD", "field"}, {"NOW", "now"}, {"FILE", "file"},
};

static void changes_print(struct context *ctx, const struct reply *r, const char *none)
{
    struct table *t =
        context_table(ctx, stdout, change_columns, sizeof change_columns / sizeof *change_columns, none);

    for (size_t i = 0; i < setup_count(r); i++) {
        struct setup_change change = setup_at(r, i);
        table_text(t, change.action);
        table_text(t, change.hash);
        table_text(t, change.field);
        table_clipped(t, change.live);
        table_clipped(t, change.file);
    }
    table_print(t);
    table_free(t);
}

static bool any_kept(const struct reply *r)
{
    for (size_t i = 0; i < setup_count(r); i++)
        if (strcmp(setup_at(r, i).action, "kept") == 0)
            return true;
    return false;
}

struct apply_options {
    bool replace;
};

static const struct option_row apply_rows[] = {
    {"replace", 0, OPTION_SWITCH, NULL, "overwrite also what was set by hand since the last apply",
     offsetof(struct apply_options, replace), 0, 0},
};

static int config_apply(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    const struct apply_options *o = options;
    struct store *store;
    struct reply *r;

    if (context_store(ctx, &store, e) < 0)
        return -1;
    r = setup_apply_file(store, o->replace ? SETUP_REPLACE : SETUP_APPLY, args->words[0], e);
    if (!r)
        return -1;
    changes_print(ctx, r, "Nothing to change.");
    if (any_kept(r) && output_flush())
        fputs("What was set by hand is kept; --replace overwrites it.\n", stderr);
    reply_free(r);
    return EXIT_DONE;
}

const struct command config_apply_command = {
    .name = "config apply",
    .group = "Configure",
    .args = "FILE",
    .summary = "Write a configuration to the server, for the whole fleet",
    .rows = apply_rows,
    .nrows = sizeof apply_rows / sizeof *apply_rows,
    .defaults = &(const struct apply_options){0},
    .size = sizeof(struct apply_options),
    .least = 1,
    .most = 1,
    .run = config_apply,
};

static int config_diff(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct store *store;
    struct reply *r;
    int status;

    (void)options;
    if (context_store(ctx, &store, e) < 0 || !(r = setup_apply_file(store, SETUP_DIFF, args->words[0], e)))
        return -1;
    status = setup_count(r) > 0 ? EXIT_FAILED : EXIT_DONE;
    changes_print(ctx, r, "No difference.");
    reply_free(r);
    return status;
}

const struct command config_diff_command = {
    .name = "config diff",
    .group = "Configure",
    .args = "FILE",
    .summary = "Show what `config apply` would do",
    .details =
        "Exits with 1 when the file and the server differ. \"kept\" is what was set by hand since the "
        "last apply.\n"
        "What was never in an applied file, as a pool or a tag limit that was only set by hand, is not "
        "looked at:\n"
        "`rivers config show` has all of it.\n",
    .least = 1,
    .most = 1,
    .run = config_diff,
};

/* --- config show */

static const struct table_column show_columns[] = {{"HASH", "hash"}, {"FIELD", "field"}, {"VALUE", "value"}};

static void hash_put(struct table *t, const struct reply *r, enum setup_hash hash)
{
    const struct reply *pairs = setup_hash_get(r, hash);

    for (size_t i = 0; i + 1 < reply_count(pairs); i += 2) {
        table_text(t, setup_hash_word(hash));
        table_text(t, reply_str(reply_at(pairs, i)));
        table_clipped(t, reply_str(reply_at(pairs, i + 1)));
    }
}

static void show_print(struct context *ctx, const struct reply *r)
{
    struct table *t = context_table(ctx, stdout, show_columns, sizeof show_columns / sizeof *show_columns,
                                    "No configuration: the defaults hold.");

    for (int hash = 0; hash < SETUP_HASH_COUNT; hash++)
        hash_put(t, r, (enum setup_hash)hash);
    table_print(t);
    table_free(t);
}

static int config_show(struct context *ctx, const void *options, const struct operands *args, struct err *e)
{
    struct store *store;
    struct reply *r;

    (void)options, (void)args;
    if (context_store(ctx, &store, e) < 0 || !(r = call_wait(setup_show_call(store), 0, e)))
        return -1;
    if (ctx->options.json) {
        char *document = setup_document(r);
        puts(document);
        free(document);
    } else {
        show_print(ctx, r);
    }
    reply_free(r);
    return EXIT_DONE;
}

const struct command config_show_command = {
    .name = "config show",
    .group = "Configure",
    .args = "",
    .summary = "Show the configuration in force; with --json as a file for `config apply`",
    .run = config_show,
};
