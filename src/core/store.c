#include "core/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/text.h"

struct store {
    struct redis *redis;
    char *namespace;
    char *prefix;
    uint64_t client; /* random: names this process in requests */
    uint64_t seq;
};

struct call {
    struct store *store;
    enum script_id script;
    struct text bytes; /* the arguments, one after the other, each with a NUL behind it */
    size_t *lens;
    size_t argc, cap;
    redis_reply_fn *on_reply; /* of call_send */
    void *arg;
};

int store_namespace_check(const char *namespace, struct err *e)
{
    size_t n = strlen(namespace);

    if (n < 1 || n > 63)
        return err_set(e, ERR_INVALID, "namespace '%.80s': must have 1 to 63 characters", namespace);
    if (strspn(namespace, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
        return err_set(e, ERR_INVALID, "namespace '%s': only letters, digits, '_', '.' and '-' are allowed",
                       namespace);
    return 0;
}

struct store *store_new(struct redis *redis, const char *namespace)
{
    struct store *s = xcalloc(1, sizeof *s);

    s->redis = redis;
    s->namespace = xstrdup(namespace);
    s->prefix = xasprintf("rivers:{%s}:", namespace);
    if (getrandom(&s->client, sizeof s->client, 0) != (ssize_t)sizeof s->client)
        abort();
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    free(s->namespace);
    free(s->prefix);
    free(s);
}

struct redis *store_redis_get(const struct store *s)
{
    return s->redis;
}

const char *store_namespace_get(const struct store *s)
{
    return s->namespace;
}

char *store_key(const struct store *s, char *buf, size_t size, const char *name, const char *rest)
{
    snprintf(buf, size, "%s%s%s", s->prefix, name, rest);
    return buf;
}

struct call *call_new(struct store *s, enum script_id script)
{
    struct call *c = xcalloc(1, sizeof *c);

    c->store = s;
    c->script = script;
    call_str(c, ""); /* the time: the server's */
    return c;
}

static void call_free(struct call *c)
{
    text_release(&c->bytes);
    free(c->lens);
    free(c);
}

void call_bytes(struct call *c, const void *arg, size_t len)
{
    if (c->argc == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->lens = xrealloc(c->lens, c->cap * sizeof *c->lens);
    }
    c->lens[c->argc++] = len;
    text_add_bytes(&c->bytes, arg, len);
    text_add_bytes(&c->bytes, "", 1);
}

void call_str(struct call *c, const char *arg)
{
    call_bytes(c, arg ? arg : "", arg ? strlen(arg) : 0);
}

void call_int(struct call *c, int64_t arg)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRId64, arg);
    call_str(c, digits);
}

void call_request(struct call *c)
{
    char request[48];

    snprintf(request, sizeof request, "%016" PRIx64 ":%" PRIu64, c->store->client, ++c->store->seq);
    call_str(c, request);
}

/* Owned by the caller; points into c->bytes. */
static const char **argv_new(const struct call *c)
{
    const char **argv = xmalloc(c->argc * sizeof *argv);
    const char *at = c->bytes.s;

    for (size_t i = 0; i < c->argc; i++) {
        argv[i] = at;
        at += c->lens[i] + 1;
    }
    return argv;
}

static int layout_check(const struct store *s, const struct reply *r, struct err *e)
{
    if (!r || !reply_is(r, "LAYOUT"))
        return 0;
    return err_set(e, ERR_REFUSED,
                   "namespace '%s' has data layout %s and this rivers " RIVERS_VERSION " knows layout 2",
                   s->namespace, reply_str(reply_at(r, 1)));
}

static void on_call_reply(void *arg, const struct reply *r, const struct err *e)
{
    struct call *c = arg;
    struct err refused = {0};

    if (layout_check(c->store, r, &refused) < 0)
        c->on_reply(c->arg, NULL, &refused);
    else
        c->on_reply(c->arg, r, e);
    call_free(c);
}

void call_send(struct call *c, int64_t deadline_ms, redis_reply_fn *on_reply, void *arg)
{
    const char **argv = argv_new(c);

    c->on_reply = on_reply;
    c->arg = arg;
    redis_script(c->store->redis, deadline_ms, c->script, c->store->prefix, (int)c->argc, argv, c->lens,
                 on_call_reply, c);
    free(argv);
}

struct reply *call_wait(struct call *c, int64_t deadline_ms, struct err *e)
{
    const char **argv = argv_new(c);
    struct reply *r = redis_script_wait(c->store->redis, deadline_ms, c->script, c->store->prefix,
                                        (int)c->argc, argv, c->lens, e);

    if (layout_check(c->store, r, e) < 0) {
        reply_free(r);
        r = NULL;
    }
    free(argv);
    call_free(c);
    return r;
}
