#include "core/session.h"

#include <event2/event.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define REFUSED_MS       1000 /* for a server that was tried and cannot be reached: it may be about to start */
#define LOOP_DESCRIPTORS 3    /* that an event_base has of its own */

/* What was said, or what the environment says; NULL: neither. */
static const char *said(const char *option, const char *variable)
{
    const char *named = option ? option : getenv(variable);

    return named && *named ? named : NULL;
}

const char *session_namespace_get(const struct session_options *o)
{
    const char *named = said(o->namespace, "RIVERS_NAMESPACE");

    return named ? named : "default";
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

/* What the URL itself says goes before an option or the environment. */
static int password_file_find(struct redis_url *url, const char *option, struct err *e)
{
    const char *named = said(option, "RIVERS_REDIS_PASSWORD_FILE");

    if (!named || url->pass || url->password_file)
        return 0;
    url->password_file = realpath(named, NULL);
    return url->password_file ? 0 : err_sys(e, "password file '%s'", named);
}

static int url_find(struct redis_url *url, const struct session_options *o, struct err *e)
{
    const char *named = said(o->redis, "RIVERS_REDIS_URL");
    char *text = named ? xstrdup(named) : dev_url();
    int status = -1;

    if (!text)
        err_set(e, ERR_NOT_FOUND,
                "no Redis given: use --redis URL or RIVERS_REDIS_URL, or start one here with 'rivers dev'");
    else
        status = redis_url_parse(url, text, e);
    free(text);
    if (status == 0 && (status = password_file_find(url, o->password_file, e)) < 0)
        redis_url_release(url);
    return status;
}

/* libevent ends the process when it lacks descriptors for a loop. */
static int loop_check(struct err *e)
{
    int fds[LOOP_DESCRIPTORS], n = 0, status = 0;

    while (n < LOOP_DESCRIPTORS && (fds[n] = eventfd(0, EFD_CLOEXEC)) >= 0)
        n++;
    if (n < LOOP_DESCRIPTORS)
        status = err_sys(e, "cannot wait for events");
    while (n > 0)
        close(fds[--n]);
    return status;
}

int session_open(struct session *s, const struct session_options *o, struct err *e)
{
    const char *namespace = session_namespace_get(o);
    struct redis_url url;

    if (store_namespace_check(namespace, e) < 0 || loop_check(e) < 0 || url_find(&url, o, e) < 0)
        return -1;
    s->base = event_base_new();
    s->url = redis_url_print_whole(&url);
    s->redis = redis_new(s->base, &url, "rivers");
    s->store = store_new(s->redis, namespace);
    redis_url_release(&url);
    return 0;
}

void session_close(struct session *s)
{
    store_free(s->store);
    redis_free(s->redis);
    if (s->base)
        event_base_free(s->base);
    free(s->url);
    *s = (struct session){0};
}

static int unreachable(const struct session *s, struct err *e)
{
    char *shown = redis_url_print(redis_url_get(s->redis));

    err_set(e, ERR_UNAVAILABLE, "cannot reach redis at %s: %s", shown, redis_why_get(s->redis));
    free(shown);
    return -1;
}

int session_await(struct session *s, int64_t most_ms, struct err *e)
{
    int64_t begun = clock_mono_ms();
    char at_first[64];

    snprintf(at_first, sizeof at_first, "%s", redis_why_get(s->redis));
    while (!redis_is_ready(s->redis)) {
        bool failed = strncmp(at_first, redis_why_get(s->redis), sizeof at_first - 1) != 0;
        if (clock_mono_ms() - begun > (failed && most_ms > REFUSED_MS ? REFUSED_MS : most_ms))
            return unreachable(s, e);
        session_sleep(s, 1);
    }
    return 0;
}

void session_sleep(struct session *s, int64_t ms)
{
    struct timeval span = {ms / 1000, ms % 1000 * 1000};

    event_base_loopexit(s->base, &span);
    event_base_loop(s->base, EVLOOP_NO_EXIT_ON_EMPTY);
}
