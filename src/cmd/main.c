/* The rivers command: finds the command that is named, reads its options, runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/help.h"
#include "cmd/output.h"

static void log_level_set(void)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    const char *named = getenv("RIVERS_LOG");

    for (int i = 0; named && i < (int)(sizeof words / sizeof *words); i++)
        if (strcmp(named, words[i]) == 0)
            log_init((enum log_level)i);
}

static int version_print(void)
{
    puts("rivers " RIVERS_VERSION);
    return EXIT_DONE;
}

/* name: of the command, or as much of it as is known. */
static int usage_error(const char *name, const struct err *e)
{
    complain(e);
    fprintf(stderr, "Try 'rivers %s%s--help'.\n", name, *name ? " " : "");
    return EXIT_USAGE;
}

static int operands_check(const struct command *c, const struct operands *args, struct err *e)
{
    if (args->n < c->least)
        return err_set(e, ERR_USAGE, "'rivers %s' needs %s", c->name, c->args);
    if (args->n > c->most)
        return err_set(e, ERR_USAGE, "'rivers %s': one argument too many: '%s'", c->name,
                       args->words[c->most]);
    return 0;
}

/* Returns the exit status. */
static int command_failed(const struct command *c, const struct err *e)
{
    if (e->code == ERR_USAGE)
        usage_error(c->name, e);
    else
        complain(e);
    return c->failure ? c->failure : err_exit_status(e->code);
}

/* options: a copy of the command's defaults. */
static int command_run(struct context *ctx, const struct command *c, void *options, int argc, char **argv)
{
    struct option_set sets[] = {{c->rows, c->nrows, options}, {global_rows, nglobal_rows, &ctx->options}};
    struct operands args;
    struct err e = {0};
    int status;

    if (options_parse(sets, 2, c->takes_command ? OPTIONS_COMMAND : OPTIONS_ALL, argc, argv, &args, &e) < 0)
        return command_failed(c, &e);
    if (ctx->options.help)
        help_command(stdout, c);
    else if (ctx->options.version)
        version_print();
    if (ctx->options.help || ctx->options.version)
        status = EXIT_DONE;
    else if (operands_check(c, &args, &e) < 0 || (status = c->run(ctx, options, &args, &e)) < 0)
        status = command_failed(c, &e);
    operands_release(&args);
    return status;
}

static int command_call(struct context *ctx, const struct command *c, int argc, char **argv)
{
    void *options = c->defaults ? xmemdup(c->defaults, c->size) : xcalloc(1, c->size + 1);
    struct option_set set = {c->rows, c->nrows, options};
    int status = command_run(ctx, c, options, argc, argv);

    options_release(&set);
    free(options);
    return status;
}

/* The word that the next one was probably meant to be, in buf; "" when there is none. */
static const char *nearest_word(const char *prefix, const char *word, char *buf, size_t size)
{
    unsigned least = NEAREST_NONE;

    *buf = '\0';
    for (size_t i = 0; i < ncommands; i++) {
        const char *below = command_below(commands[i], prefix);
        char *first = below ? xmemdup(below, strcspn(below, " ")) : NULL;
        unsigned d = first ? nearest_distance(word, first) : NEAREST_NONE;
        if (d < least) {
            least = d;
            snprintf(buf, size, "%s", first);
        }
        free(first);
    }
    return buf;
}

static int unknown_command(const char *prefix, const char *word)
{
    const char *blank = *prefix ? " " : "";
    char nearest[64];
    struct err e;

    if (*nearest_word(prefix, word, nearest, sizeof nearest))
        err_set(&e, ERR_USAGE, "unknown command '%s%s%s': did you mean '%s%s%s'?", prefix, blank, word,
                prefix, blank, nearest);
    else
        err_set(&e, ERR_USAGE, "unknown command '%s%s%s'", prefix, blank, word);
    return usage_error(prefix, &e);
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < ncommands; i++)
        if (command_below(commands[i], name))
            return true;
    return false;
}

/* No command behind the prefix: its help was asked for, or is needed. */
static int no_command(const struct context *ctx, const char *prefix)
{
    if (ctx->options.version)
        return version_print();
    help_commands(ctx->options.help ? stdout : stderr, prefix);
    return ctx->options.help ? EXIT_DONE : EXIT_USAGE;
}

static int dispatch(struct context *ctx, const char *prefix, int argc, char **argv);

/* `rivers help COMMAND`: the same as `rivers COMMAND --help`. */
static int help_asked(struct context *ctx, const struct operands *rest)
{
    ctx->options.help = true;
    return dispatch(ctx, "", (int)rest->n, rest->words);
}

/* argv[0] is skipped; global options may stand before each word of the command's name. */
static int dispatch(struct context *ctx, const char *prefix, int argc, char **argv)
{
    struct option_set set = {global_rows, nglobal_rows, &ctx->options};
    struct text name = {0};
    struct operands rest;
    struct err e = {0};
    int status;

    if (options_parse(&set, 1, OPTIONS_FIRST, argc, argv, &rest, &e) < 0)
        return usage_error(prefix, &e);
    if (rest.n == 0) {
        operands_release(&rest);
        return no_command(ctx, prefix);
    }
    text_addf(&name, "%s%s%s", prefix, *prefix ? " " : "", rest.words[0]);
    const struct command *c = command_find(text_get(&name));
    if (c)
        status = command_call(ctx, c, (int)rest.n, rest.words);
    else if (strcmp(text_get(&name), "help") == 0)
        status = help_asked(ctx, &rest);
    else if (is_group(text_get(&name)))
        status = dispatch(ctx, text_get(&name), (int)rest.n, rest.words);
    else
        status = unknown_command(prefix, rest.words[0]);
    text_release(&name);
    operands_release(&rest);
    return status;
}

int main(int argc, char **argv)
{
    struct context ctx = {0};
    int status;

    signal(SIGPIPE, SIG_IGN); /* a server that goes away is an error of a call, not the end */
    log_level_set();
    status = dispatch(&ctx, "", argc, argv);
    context_release(&ctx);
    return output_end(status);
}
