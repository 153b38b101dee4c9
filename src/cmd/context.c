#include "cmd/context.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 5000 /* for a server that does not answer */

const struct option_row global_rows[] = {
    {"redis", 0, OPTION_TEXT, "URL",
     "redis://[user:pass@]host[:port][/db], unix:///path, see docs/redis.md (RIVERS_REDIS_URL)",
     offsetof(struct global_options, redis), 0, 0},
    {"redis-password-file", 0, OPTION_TEXT, "FILE",
     "its first line is the password (RIVERS_REDIS_PASSWORD_FILE)",
     offsetof(struct global_options, password_file), 0, 0},
    {"namespace", 0, OPTION_TEXT, "NAME", "one independent queue of that server (RIVERS_NAMESPACE; default)",
     offsetof(struct global_options, namespace), 0, 0},
    {"json", 0, OPTION_SWITCH, NULL, "print one JSON object a row", offsetof(struct global_options, json), 0,
     0},
    {"help", 'h', OPTION_SWITCH, NULL, "print this help", offsetof(struct global_options, help), 0, 0},
    {"version", 0, OPTION_SWITCH, NULL, "print the version", offsetof(struct global_options, version), 0, 0},
};
const size_t nglobal_rows = sizeof global_rows / sizeof *global_rows;

void context_release(struct context *ctx)
{
    session_close(&ctx->session);
}

static struct session_options session_options_of(const struct context *ctx)
{
    const struct global_options *o = &ctx->options;

    return (struct session_options){o->redis, o->password_file, o->namespace};
}

const char *context_namespace_get(const struct context *ctx)
{
    const struct session_options o = session_options_of(ctx);

    return session_namespace_get(&o);
}

/* What the list of processes shows of a URL in argv from now on. */
static void login_hide(const char *word)
{
    char *login = strstr(word, "://"),
         *host = login ? memrchr(login, '@', strcspn(login + 3, "/") + 3) : NULL;

    if (host)
        memset(login + 3, '*', (size_t)(host - login - 3));
}

int context_store_open(struct context *ctx, struct store **store, struct err *e)
{
    const struct session_options o = session_options_of(ctx);
    int status = ctx->session.store ? 0 : session_open(&ctx->session, &o, e);

    if (o.redis)
        login_hide(o.redis);
    *store = ctx->session.store;
    return status;
}

int context_store(struct context *ctx, struct store **store, struct err *e)
{
    if (context_store_open(ctx, store, e) < 0)
        return -1;
    return session_await(&ctx->session, CONNECT_MS, e);
}

void context_sleep(struct context *ctx, int64_t ms)
{
    session_sleep(&ctx->session, ms);
}

struct table *context_table(const struct context *ctx, FILE *out, const struct table_column *columns,
                            size_t n, const char *empty)
{
    enum table_style style = isatty(STDOUT_FILENO) ? TABLE_TERMINAL : TABLE_PLAIN;

    return table_new(out, ctx->options.json ? TABLE_JSON : style, columns, n, empty);
}
