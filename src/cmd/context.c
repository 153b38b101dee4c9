#include "cmd/context.h"

#include <event2/event.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define CONNECT_MS 5000 /* for a server that does not answer */
#define REFUSED_MS 1000 /* for one that was tried and cannot be reached: it may be about to start */

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
    store_free(ctx->store);
    redis_free(ctx->redis);
    if (ctx->base)
        event_base_free(ctx->base);
    free(ctx->url);
}

const char *context_namespace_get(const struct context *ctx)
{
    const char *named = ctx->options.namespace ? ctx->options.namespace : getenv("RIVERS_NAMESPACE");

    return named && *named ? named : "default";
}

void context_url_set(struct context *ctx, const char *url)
{
    free(ctx->url);
    ctx->url = xstrdup(url);
}

/* Owned by the caller. */
static char *socket_url(const char *path)
{
    struct text url = {0};

    text_add(&url, "unix://");
    for (; *path; path++)
        text_addf(&url, strchr("%?", *path) ? "%%%02X" : "%c", *path);
    return url.s;
}

/* The socket that `rivers dev` made in this or a parent directory; NULL: none. Owned by the caller. */
static char *dev_url(void)
{
    static const char name[] = "/.rivers/redis.sock";
    char path[PATH_MAX + sizeof name];

    if (!getcwd(path, PATH_MAX))
        return NULL;
    for (char *end = path + strlen(path); end; end = memrchr(path, '/', (size_t)(end - path))) {
        memcpy(end, name, sizeof name);
        if (access(path, F_OK) == 0)
            return socket_url(path);
    }
    return NULL;
}

/* What the list of processes shows of a URL in argv from now on. */
static void login_hide(const char *word)
{
    char *login = strstr(word, "://"),
         *host = login ? memrchr(login, '@', strcspn(login + 3, "/") + 3) : NULL;

    if (host)
        memset(login + 3, '*', (size_t)(host - login - 3));
}

static int url_find(struct context *ctx, struct err *e)
{
    const char *named = ctx->options.redis ? ctx->options.redis : getenv("RIVERS_REDIS_URL");

    if (!ctx->url)
        ctx->url = named && *named ? xstrdup(named) : dev_url();
    if (ctx->options.redis)
        login_hide(ctx->options.redis);
    if (!ctx->url)
        return err_set(
            e, ERR_NOT_FOUND,
            "no Redis given: use --redis URL or RIVERS_REDIS_URL, or start one here with 'rivers dev'");
    return 0;
}

/* What the URL itself says goes before an option or the environment. */
static int password_file_find(const struct context *ctx, struct redis_url *url, struct err *e)
{
    const char *option = ctx->options.password_file;
    const char *named = option ? option : getenv("RIVERS_REDIS_PASSWORD_FILE");

    if (!named || !*named || url->pass || url->password_file)
        return 0;
    url->password_file = realpath(named, NULL);
    return url->password_file ? 0 : err_sys(e, "password file '%s'", named);
}

static int url_complete(struct context *ctx, struct redis_url *url, struct err *e)
{
    if (url_find(ctx, e) < 0 || redis_url_parse(url, ctx->url, e) < 0)
        return -1;
    if (password_file_find(ctx, url, e) < 0) {
        redis_url_release(url);
        return -1;
    }
    free(ctx->url);
    ctx->url = redis_url_print_whole(url);
    return 0;
}

int context_store_open(struct context *ctx, struct store **store, struct err *e)
{
    struct redis_url url;

    if (!ctx->store) {
        if (store_namespace_check(context_namespace_get(ctx), e) < 0 || url_complete(ctx, &url, e) < 0)
            return -1;
        ctx->base = event_base_new();
        ctx->redis = redis_new(ctx->base, &url, "rivers");
        ctx->store = store_new(ctx->redis, context_namespace_get(ctx));
        redis_url_release(&url);
    }
    *store = ctx->store;
    return 0;
}

static int unreachable(const struct context *ctx, struct err *e)
{
    char *shown = redis_url_print(redis_url_get(ctx->redis));

    err_set(e, ERR_UNAVAILABLE, "cannot reach redis at %s: %s", shown, redis_why_get(ctx->redis));
    free(shown);
    return -1;
}

int context_store(struct context *ctx, struct store **store, struct err *e)
{
    int64_t begun = clock_mono_ms();
    char at_first[64];

    if (context_store_open(ctx, store, e) < 0)
        return -1;
    snprintf(at_first, sizeof at_first, "%s", redis_why_get(ctx->redis));
    while (!redis_is_ready(ctx->redis)) {
        bool failed = strncmp(at_first, redis_why_get(ctx->redis), sizeof at_first - 1) != 0;
        if (clock_mono_ms() - begun > (failed ? REFUSED_MS : CONNECT_MS))
            return unreachable(ctx, e);
        context_sleep(ctx, 1);
    }
    return 0;
}

void context_sleep(struct context *ctx, int64_t ms)
{
    struct timeval span = {ms / 1000, ms % 1000 * 1000};

    event_base_loopexit(ctx->base, &span);
    event_base_loop(ctx->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

struct table *context_table(const struct context *ctx, FILE *out, const struct table_column *columns,
                            size_t n, const char *empty)
{
    enum table_style style = isatty(STDOUT_FILENO) ? TABLE_TERMINAL : TABLE_PLAIN;

    return table_new(out, ctx->options.json ? TABLE_JSON : style, columns, n, empty);
}
