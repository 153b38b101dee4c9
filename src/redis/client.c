#include "redis/client.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/timer.h"
#include "redis/errors.h"
#include "redis/password.h"
#include "redis/reader.h"
#include "redis/request.h"
#include "redis/sentinels.h"
#include "redis/transport.h"

#define HELLO_DEADLINE_MS 5000
#define BACKOFF_MIN_MS    100
#define BACKOFF_MAX_MS    10000
#define TRY_MAX_MS        10000 /* from connect to ready */
#define TRY_MIN_MS        200

struct redis {
    struct event_base *base;
    struct redis_url url;
    char *name;
    char *shown_url;             /* for messages */
    struct sentinels *sentinels; /* NULL: the URL names no sentinels */
    struct redis_host at;        /* where it is, or was last; owned */
    bool moved;                  /* to `at`, says another node of the cluster */
    size_t turn;                 /* which host of the URL comes next */
    struct transport *transport; /* NULL while DOWN */
    struct reader *reader;       /* lives with the transport */
    bool told[SCRIPT_COUNT];     /* scripts that the server knows */
    bool ready;
    unsigned failures; /* to become ready, in a row: set the back-off */
    unsigned refusals; /* of requests, in a row, by servers that were ready: set it too */
    int64_t backoff_max_ms, try_max_ms;
    struct event *retry;                   /* DOWN: the next try; HELLO: the end of this one */
    char why[sizeof((struct err){0}).msg]; /* why it is not ready */
    struct request_list waiting;           /* for READY */
    struct request_list sent;              /* in the order their replies come */
    uint64_t heard;                        /* counts arrivals of bytes */
    struct reply *current;                 /* the one a callback is being told about */
    void (*on_change)(void *arg, bool ready);
    void *change_arg;
};

/* --- connection: from READY or HELLO back to DOWN */

static void retry_later(struct redis *r)
{
    int64_t cap_ms = BACKOFF_MIN_MS;

    for (unsigned i = r->failures + r->refusals; i > 0 && cap_ms < r->backoff_max_ms; i--)
        cap_ms *= 2;
    if (cap_ms > r->backoff_max_ms)
        cap_ms = r->backoff_max_ms;
    timer_set(r->retry, arc4random_uniform((uint32_t)cap_ms + 1));
    r->failures++;
}

/* What may be sent twice waits again, before everything that is waiting already; the rest is lost. */
static void requeue(struct redis *r, struct request_list *lost)
{
    struct request *q;

    while ((q = TAILQ_LAST(&r->sent, request_list))) {
        TAILQ_REMOVE(&r->sent, q, link);
        q->outstanding = false;
        q->unknown = true;
        q->loaded = false;
        if (q->resend && q->on_reply)
            TAILQ_INSERT_HEAD(&r->waiting, q, link);
        else
            TAILQ_INSERT_HEAD(lost, q, link);
    }
}

/* Moves what was not to wait for another attempt. */
static void give_up(struct redis *r, struct request_list *lost)
{
    struct request *q, *next;

    for (q = TAILQ_FIRST(&r->waiting); q; q = next) {
        next = TAILQ_NEXT(q, link);
        if (!q->impatient)
            continue;
        TAILQ_REMOVE(&r->waiting, q, link);
        TAILQ_INSERT_TAIL(lost, q, link);
    }
}

/* Says whether q may have been applied; how is what happened to the reply of one that left. */
static void no_reply(const struct request *q, const char *how, struct err *e)
{
    const struct redis *r = q->redis;

    if (q->outstanding || q->unknown)
        err_set(e, ERR_UNKNOWN, "no reply from redis at %s%s", r->shown_url, how);
    else
        err_set(e, ERR_UNAVAILABLE, "cannot reach redis at %s: %s", r->shown_url, r->why);
}

static void end_all(struct request_list *list, const char *how)
{
    struct request *q;
    struct err e;

    while ((q = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, q, link);
        no_reply(q, how, &e);
        request_end(q, NULL, &e);
    }
}

static void disconnect(struct redis *r)
{
    transport_free(r->transport);
    r->transport = NULL;
    reader_free(r->reader);
    r->reader = NULL;
    memset(r->told, 0, sizeof r->told);
    r->ready = false;
}

static void connection_lost(struct redis *r, const char *why)
{
    struct request_list lost = TAILQ_HEAD_INITIALIZER(lost);
    bool was_ready = r->ready;
    char how[sizeof r->why + 2];

    snprintf(r->why, sizeof r->why, "%s", why);
    snprintf(how, sizeof how, ": %s", r->why);
    disconnect(r);
    requeue(r, &lost);
    give_up(r, &lost);
    retry_later(r);
    end_all(&lost, how);
    if (was_ready && r->on_change)
        r->on_change(r->change_arg, false);
}

/* --- sending */

/* A server that does not know the script would answer, and execute, what is behind it first: so each connection asks it
 * which scripts it knows, and tells it another one before it names it. NOSCRIPT is left for a SCRIPT FLUSH. */
static void script_tell(struct redis *r, const struct script *script);

static void write_now(struct redis *r, struct request *q)
{
    if (q->script)
        script_tell(r, q->script);
    q->heard = r->heard;
    q->outstanding = true;
    TAILQ_INSERT_TAIL(&r->sent, q, link);
    transport_send(r->transport, q->bytes, q->len);
}

static void write_waiting(struct redis *r)
{
    struct request *q;

    while ((q = TAILQ_FIRST(&r->waiting))) {
        TAILQ_REMOVE(&r->waiting, q, link);
        write_now(r, q);
    }
}

/* Nothing came since the request left, and the oldest outstanding one loses nothing: it was not ready to wait longer either, or
 * is sent again. */
static bool is_dead(const struct redis *r, const struct request *timed_out)
{
    const struct request *oldest = TAILQ_FIRST(&r->sent);

    return timed_out->heard == r->heard && (oldest == timed_out || !oldest->on_reply || oldest->resend);
}

static void on_deadline(int fd, short what, void *arg)
{
    struct request *q = arg;
    struct redis *r = q->redis;
    redis_reply_fn *on_reply = q->on_reply;
    void *reply_arg = q->arg;
    char span[64], how[80];
    struct err e;

    (void)fd, (void)what;
    snprintf(how, sizeof how, " within %s", duration_print_ms(q->deadline_ms, span, sizeof span));
    no_reply(q, how, &e);
    if (!q->outstanding) {
        TAILQ_REMOVE(&r->waiting, q, link);
        request_free(q);
    } else {
        bool dead = is_dead(r, q);
        q->on_reply = NULL; /* its place in the order of replies stays */
        if (dead)
            connection_lost(r, "no answer");
    }
    on_reply(reply_arg, NULL, &e);
}

/* For what must arrive but whose reply says nothing that the next one does not say too. */
static void write_unawaited(struct redis *r, int argc, const char *const *argv, const size_t *lens)
{
    write_now(r, request_new(r, 0, NULL, argc, argv, lens));
}

/* --- hello */

static void become_ready(struct redis *r)
{
    r->ready = true;
    r->failures = 0;
    evtimer_del(r->retry);
    if (r->name)
        write_unawaited(r, 3, (const char *const[]){"CLIENT", "SETNAME", r->name}, NULL);
    write_waiting(r);
    if (r->on_change)
        r->on_change(r->change_arg, true);
}

static void on_hello(void *arg, const struct reply *reply, const struct err *e)
{
    struct redis *r = arg;

    if (!reply && r->transport)
        connection_lost(r, e->msg);
}

/* A server whose disk is full refuses PING with what writes, and answers what reads. */
static void on_ping(void *arg, const struct reply *reply, const struct err *e)
{
    if (reply || e->code != ERR_SERVER || !strstr(e->msg, "MISCONF "))
        on_hello(arg, reply, e);
}

/* A sentinel may not have noticed yet. */
static void on_role(void *arg, const struct reply *reply, const struct err *e)
{
    struct redis *r = arg;
    char why[400];

    snprintf(why, sizeof why, "%.300s:%d is no master", r->at.name, r->at.port);
    if (!reply)
        on_hello(arg, reply, e);
    else if (!reply_is(reply, "master"))
        connection_lost(r, why);
}

static void write_hello(struct redis *r, int argc, const char *const *argv, redis_reply_fn *on_reply)
{
    struct request *q = request_new(r, 0, NULL, argc, argv, NULL);

    request_await(q, HELLO_DEADLINE_MS, on_deadline, on_reply, r);
    write_now(r, q);
}

/* A server that does not say it is told each script. */
static void on_known(void *arg, const struct reply *reply, const struct err *e)
{
    struct redis *r = arg;

    for (size_t i = 0; i < reply_count(reply) && i < SCRIPT_COUNT; i++)
        r->told[i] = reply_int(reply_at(reply, i), 0) == 1;
    if (reply || e->code == ERR_SERVER)
        become_ready(r);
    else
        on_hello(r, reply, e);
}

static void write_scripts_exist(struct redis *r)
{
    const char *argv[2 + SCRIPT_COUNT] = {"SCRIPT", "EXISTS"};

    for (size_t i = 0; i < SCRIPT_COUNT; i++)
        argv[2 + i] = scripts[i].sha1;
    write_hello(r, 2 + SCRIPT_COUNT, argv, on_known);
}

/* A user without a password is one that needs none. */
static void write_auth(struct redis *r, const char *password)
{
    if (r->url.user)
        write_hello(r, 3, (const char *const[]){"AUTH", r->url.user, password ? password : ""}, on_hello);
    else if (password)
        write_hello(r, 2, (const char *const[]){"AUTH", password}, on_hello);
}

/* PING is refused by a server that is loading or has lost its master; what is asked behind it may not be. */
static void on_open(void *arg)
{
    struct redis *r = arg;
    const struct redis_url *u = &r->url;
    struct err e;
    char db[16], *password = u->password_file ? password_read(u->password_file, &e) : xstrdup(u->pass);

    if (u->password_file && !password) {
        connection_lost(r, e.msg);
        return;
    }
    write_auth(r, password);
    free(password);
    snprintf(db, sizeof db, "%d", u->db);
    if (u->db)
        write_hello(r, 2, (const char *const[]){"SELECT", db}, on_hello);
    if (r->sentinels)
        write_hello(r, 1, (const char *const[]){"ROLE"}, on_role);
    write_hello(r, 1, (const char *const[]){"PING"}, on_ping);
    write_scripts_exist(r);
}

/* --- replies */

static void script_tell(struct redis *r, const struct script *script)
{
    const char *const argv[] = {"SCRIPT", "LOAD", (const char *)script->body};
    const size_t lens[] = {strlen(argv[0]), strlen(argv[1]), script->len};

    if (r->told[script - scripts])
        return;
    r->told[script - scripts] = true;
    write_unawaited(r, 3, argv, lens);
}

static void load_and_write_again(struct redis *r, struct request *q)
{
    r->told[q->script - scripts] = false;
    q->loaded = true;
    write_now(r, q);
}

static void at_set(struct redis *r, const char *name, int port)
{
    char *copy = xstrdup(name); /* may be the name that it replaces */

    free(r->at.name);
    r->at = (struct redis_host){copy, port};
}

/* An empty host is the one that says so. Followed at once, unless this goes on. */
static void follow(struct redis *r, const char *error)
{
    char host[ERROR_HOST_MAX];
    int port;

    if (!error_moved(error, host, &port))
        return;
    at_set(r, *host ? host : r->at.name, port);
    r->moved = true;
    if (r->refusals == 1)
        timer_set(r->retry, 0);
}

/* q did not happen: it waits in front for a better connection. */
static void refused(struct redis *r, struct request *q, const char *error)
{
    r->refusals++;
    q->outstanding = false;
    q->loaded = false;
    connection_lost(r, error);
    TAILQ_INSERT_HEAD(&r->waiting, q, link);
    follow(r, error);
}

static void on_error_reply(struct redis *r, struct request *q, const char *error)
{
    struct err e;

    if (q->script && !q->loaded && error_is(error, "NOSCRIPT")) {
        load_and_write_again(r, q);
    } else if (error_is_refusal(error, r->url.topology == REDIS_CLUSTER, q->resend)) {
        refused(r, q, error);
    } else {
        error_explain(error, r->url.user, q->script ? q->script->name : "this command", &e);
        request_end(q, NULL, &e);
    }
}

static void take_reply(struct redis *r, const struct reply *reply)
{
    static const struct err none = {.code = ERR_NONE};
    struct request *q = TAILQ_FIRST(&r->sent);
    const char *error = reply_error(reply);

    if (!q) {
        connection_lost(r, error ? error : "a reply to no request");
        return;
    }
    TAILQ_REMOVE(&r->sent, q, link);
    if (!q->on_reply) {
        request_free(q);
    } else if (error) {
        on_error_reply(r, q, error);
    } else {
        if (r->ready)
            r->refusals = 0;
        request_end(q, reply, &none);
    }
}

static void on_bytes(void *arg, struct evbuffer *in)
{
    struct redis *r = arg;
    struct err e;

    r->heard++;
    reader_feed(r->reader, in);
    while (r->reader) { /* a reply may end the connection */
        if (reader_next(r->reader, &r->current, &e) < 0)
            connection_lost(r, e.msg);
        if (!r->current)
            return;
        take_reply(r, r->current);
        reply_free(r->current);
    }
}

static void on_close(void *arg, const char *why)
{
    connection_lost(arg, why);
}

/* To r->at, or the path of the URL. */
static void connect_now(struct redis *r)
{
    static const struct transport_events events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};
    struct err e;

    timer_set(r->retry, r->try_max_ms);
    r->transport = transport_open(r->base, &r->url, &r->at, &events, r, &e);
    if (!r->transport) {
        connection_lost(r, e.msg);
        return;
    }
    r->reader = reader_new();
}

static void on_master(void *arg, const struct redis_host *master, const struct err *e)
{
    struct redis *r = arg;

    if (!master) {
        connection_lost(r, e->msg);
        return;
    }
    at_set(r, master->name, master->port);
    connect_now(r);
}

static void on_retry(int fd, short what, void *arg)
{
    struct redis *r = arg;

    (void)fd, (void)what;
    if (r->transport) {
        connection_lost(r, "no answer");
        return;
    }
    if (r->sentinels) {
        sentinels_ask(r->sentinels, on_master, r);
        return;
    }
    if (!r->moved && r->url.nhosts) {
        const struct redis_host *host = &r->url.hosts[r->turn++ % r->url.nhosts];
        at_set(r, host->name, host->port);
    }
    r->moved = false;
    connect_now(r);
}

/* --- the interface */

struct redis *redis_new(struct event_base *base, const struct redis_url *url, const char *name)
{
    struct redis *r = xcalloc(1, sizeof *r);

    r->base = base;
    redis_url_copy(&r->url, url);
    r->name = xstrdup(name);
    r->backoff_max_ms = BACKOFF_MAX_MS;
    r->try_max_ms = TRY_MAX_MS;
    r->shown_url = redis_url_print(url);
    if (url->topology == REDIS_SENTINEL)
        r->sentinels = sentinels_new(base, &r->url);
    TAILQ_INIT(&r->waiting);
    TAILQ_INIT(&r->sent);
    snprintf(r->why, sizeof r->why, "still connecting");
    r->retry = evtimer_new(base, on_retry, r);
    timer_set(r->retry, 0);
    return r;
}

void redis_free(struct redis *r)
{
    if (!r)
        return;
    disconnect(r);
    end_all(&r->sent, ": the connection was closed");
    end_all(&r->waiting, ": the connection was closed");
    event_free(r->retry);
    sentinels_free(r->sentinels);
    free(r->at.name);
    redis_url_release(&r->url);
    free(r->name);
    free(r->shown_url);
    free(r);
}

const struct redis_url *redis_url_get(const struct redis *r)
{
    return &r->url;
}

struct event_base *redis_base_get(const struct redis *r)
{
    return r->base;
}

bool redis_is_ready(const struct redis *r)
{
    return r->ready;
}

const char *redis_why_get(const struct redis *r)
{
    return r->ready ? "" : r->why;
}

void redis_on_change(struct redis *r, void (*on_change)(void *arg, bool ready), void *arg)
{
    r->on_change = on_change;
    r->change_arg = arg;
}

void redis_retry_within(struct redis *r, int64_t ms)
{
    if (ms < r->backoff_max_ms)
        r->backoff_max_ms = ms > 0 ? ms : 0;
    if (ms < r->try_max_ms)
        r->try_max_ms = ms > TRY_MIN_MS ? ms : TRY_MIN_MS;
}

static void start(struct request *q, int64_t deadline_ms, redis_reply_fn *on_reply, void *arg)
{
    struct redis *r = q->redis;

    request_await(q, deadline_ms, on_deadline, on_reply, arg);
    if (r->ready)
        write_now(r, q);
    else
        TAILQ_INSERT_TAIL(&r->waiting, q, link);
}

void redis_send(struct redis *r, int flags, int64_t deadline_ms, int argc, const char *const *argv,
                const size_t *lens, redis_reply_fn *on_reply, void *arg)
{
    struct request *q = request_new(r, 0, NULL, argc, argv, lens);

    q->resend = flags & REDIS_RESEND;
    q->impatient = flags & REDIS_IMPATIENT;
    start(q, deadline_ms, on_reply, arg);
}

void redis_script(struct redis *r, int64_t deadline_ms, enum script_id script, const char *key, int argc,
                  const char *const *argv, const size_t *lens, redis_reply_fn *on_reply, void *arg)
{
    const char *const head[] = {"EVALSHA", scripts[script].sha1, "1", key};
    struct request *q = request_new(r, 4, head, argc, argv, lens);

    q->resend = true;
    q->script = &scripts[script];
    start(q, deadline_ms, on_reply, arg);
}

/* --- waiting */

struct wait {
    struct redis *redis;
    struct reply *reply;
    struct err *e;
    bool done;
};

static void on_waited(void *arg, const struct reply *reply, const struct err *e)
{
    struct wait *w = arg;

    w->done = true;
    if (!reply) {
        err_set(w->e, e->code, "%s", e->msg);
        return;
    }
    w->reply = w->redis->current; /* on_bytes frees what is left there */
    w->redis->current = NULL;
}

static struct reply *run_until(struct wait *w)
{
    while (!w->done)
        event_base_loop(w->redis->base, EVLOOP_ONCE);
    return w->reply;
}

struct reply *redis_send_wait(struct redis *r, int64_t deadline_ms, int argc, const char *const *argv,
                              const size_t *lens, struct err *e)
{
    struct wait w = {.redis = r, .e = e};

    redis_send(r, 0, deadline_ms, argc, argv, lens, on_waited, &w);
    return run_until(&w);
}

struct reply *redis_script_wait(struct redis *r, int64_t deadline_ms, enum script_id script, const char *key,
                                int argc, const char *const *argv, const size_t *lens, struct err *e)
{
    struct wait w = {.redis = r, .e = e};

    redis_script(r, deadline_ms, script, key, argc, argv, lens, on_waited, &w);
    return run_until(&w);
}
