#include "kube/client.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "http/http.h"

struct kube_call {
    TAILQ_ENTRY(kube_call) link;
    struct kube *kube;
    struct access_wait wait;
    struct http_call *http; /* NULL: it waits for credentials */
    unsigned version;       /* of the credentials that it went out with */
    bool again;             /* it was answered with 401 before */
    char *method, *path, *body;
    int64_t deadline_ms, begin_ms;
    kube_line_fn *on_line; /* NULL: not a stream */
    kube_reply_fn *on_reply;
    void *arg;
};

TAILQ_HEAD(call_list, kube_call);

struct kube {
    struct event_base *base;
    struct access *access;
    struct http *http;
    unsigned version; /* of the credentials that http has */
    struct call_list calls;
};

/* ---- what answers mean ---- */

static const struct {
    int status;
    enum kube_outcome outcome;
    const char *reason; /* when the server gives none */
} meanings[] = {
    {400, KUBE_REFUSED, "BadRequest"},       {401, KUBE_RETRY, "Unauthorized"},
    {403, KUBE_REFUSED, "Forbidden"},        {404, KUBE_NOT_FOUND, "NotFound"},
    {408, KUBE_UNKNOWN, "Timeout"},          {409, KUBE_CONFLICT, "Conflict"},
    {410, KUBE_EXPIRED, "Expired"},          {422, KUBE_REFUSED, "Invalid"},
    {429, KUBE_RETRY, "TooManyRequests"},    {500, KUBE_UNKNOWN, "InternalError"},
    {503, KUBE_RETRY, "ServiceUnavailable"}, {504, KUBE_UNKNOWN, "Timeout"},
};

enum kube_outcome kube_outcome_of(int status, const char *reason, const char *message)
{
    if (status >= 200 && status < 300)
        return KUBE_OK;
    if (status == 409 && !strcmp(reason, "AlreadyExists"))
        return KUBE_ALREADY_EXISTS;
    if (status == 403 && strstr(message, "exceeded quota"))
        return KUBE_QUOTA;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].status == status)
            return meanings[i].outcome;
    return status < 500 ? KUBE_REFUSED : KUBE_UNKNOWN;
}

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].status == status)
            return meanings[i].reason;
    return "Unknown";
}

static const char *member(const cJSON *object, const char *key, const char *otherwise)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return s && *s ? s : otherwise;
}

/* What a Status object, or a text in its place, says about a failure. */
static void read_failure(struct kube_reply *r)
{
    const cJSON *status = r->object && !strcmp(member(r->object, "kind", ""), "Status") ? r->object : NULL;
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(status, "details");
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(details, "retryAfterSeconds");

    r->reason = member(status, "reason", reason_of(r->status));
    r->message = member(status, "message", r->object ? "" : r->text);
    if (r->retry_after_ms < 0 && cJSON_IsNumber(seconds) && seconds->valuedouble > 0 &&
        seconds->valuedouble < 86400)
        r->retry_after_ms = (int64_t)(seconds->valuedouble * 1000);
}

/* A proxy or a load balancer may answer with pages of HTML: the first line will do. */
static char *message_of(const struct kube_reply *r)
{
    size_t len = strcspn(r->message, "\r\n");

    if (!len)
        return xasprintf("HTTP status %d", r->status);
    return xasprintf("%.*s", (int)(r->object ? strlen(r->message) : len > 500 ? 500 : len), r->message);
}

static bool is_json(const struct http_response *h)
{
    return !strncmp(h->content_type, "application/json", strlen("application/json"));
}

/* ---- the end of a call ---- */

static void call_free(struct kube_call *c)
{
    TAILQ_REMOVE(&c->kube->calls, c, link);
    free(c->method);
    free(c->path);
    free(c->body);
    free(c);
}

static void end(struct kube_call *c, const struct kube_reply *r)
{
    c->on_reply(c->arg, r);
    call_free(c);
}

static void end_without_answer(struct kube_call *c, enum kube_outcome outcome, const struct err *e)
{
    const struct kube_reply r = {
        .outcome = outcome, .reason = "NoAnswer", .message = e->msg, .retry_after_ms = -1, .text = ""};

    end(c, &r);
}

static void end_with_answer(struct kube_call *c, const struct http_response *h)
{
    struct kube_reply r = {.status = h->status,
                           .reason = "",
                           .message = "",
                           .retry_after_ms = h->retry_after_ms,
                           .text = h->body,
                           .text_len = h->body_len};
    struct err e = {0};
    cJSON *tree = is_json(h) && h->body_len ? json_parse(h->body, h->body_len, 0, &e) : NULL;
    char *message = NULL;

    r.object = cJSON_IsObject(tree) ? tree : NULL;
    r.outcome = kube_outcome_of(r.status, "", "");
    if (r.outcome != KUBE_OK) {
        read_failure(&r);
        r.outcome = kube_outcome_of(r.status, r.reason, r.message);
        r.message = message = message_of(&r);
    } else if (e.code != ERR_NONE) {
        err_prefix(&e, "the answer is faulty");
        r.outcome = KUBE_UNKNOWN;
        r.reason = "NoAnswer";
        r.message = e.msg;
    }
    end(c, &r);
    free(message);
    cJSON_Delete(tree);
}

/* ---- its way ---- */

static void on_response(void *arg, const struct http_response *h, const struct err *e)
{
    struct kube_call *c = arg;

    c->http = NULL;
    if (h && h->status == 401) {
        access_reject(c->kube->access, c->version);
        if (!c->again) {
            c->again = true;
            access_ask(c->kube->access, &c->wait);
            return;
        }
    }
    if (!h && e->code == ERR_UNAVAILABLE)
        access_doubt(c->kube->access, c->version);
    if (h)
        end_with_answer(c, h);
    else
        end_without_answer(c, e->code == ERR_UNAVAILABLE ? KUBE_RETRY : KUBE_UNKNOWN, e);
}

static void on_line(void *arg, const char *line, size_t len)
{
    struct kube_call *c = arg;

    c->on_line(c->arg, line, len);
}

/* Puts new credentials to use. */
static int configure(struct kube *k, struct err *e)
{
    struct http_options options = access_options_get(k->access);

    if (k->http && k->version == access_version_get(k->access))
        return 0;
    k->version = access_version_get(k->access);
    if (k->http)
        return http_configure(k->http, &options, e);
    k->http = http_new(k->base, &options, e);
    return k->http ? 0 : -1;
}

static void on_access(void *arg, const struct err *why)
{
    struct kube_call *c = arg;
    struct kube *k = c->kube;
    struct err e;
    const struct http_request request = {.method = c->method,
                                         .path = c->path,
                                         .body = c->body,
                                         .body_len = c->body ? strlen(c->body) : 0,
                                         .deadline_ms = c->deadline_ms,
                                         .begin_ms = c->begin_ms};

    if (why || configure(k, &e)) {
        end_without_answer(c, KUBE_RETRY, why ? why : &e);
        return;
    }
    c->version = k->version;
    c->http = c->on_line ? http_stream(k->http, &request, on_line, on_response, c)
                         : http_send(k->http, &request, on_response, c);
}

static struct kube_call *start(struct kube *k, const struct kube_request *r, kube_line_fn *line,
                               kube_reply_fn *reply, void *arg)
{
    struct kube_call *c = xcalloc(1, sizeof *c);

    *c = (struct kube_call){
        .kube = k,
        .wait = {.on_access = on_access, .arg = c},
        .method = xstrdup(r->method),
        .path = xstrdup(r->path),
        .body = xstrdup(r->body),
        .deadline_ms = r->deadline_ms,
        .begin_ms = r->begin_ms,
        .on_line = line,
        .on_reply = reply,
        .arg = arg,
    };
    TAILQ_INSERT_TAIL(&k->calls, c, link);
    access_ask(k->access, &c->wait);
    return c;
}

struct kube_call *kube_send(struct kube *k, const struct kube_request *request, kube_reply_fn *on_reply,
                            void *arg)
{
    return start(k, request, NULL, on_reply, arg);
}

struct awaited {
    kube_reply_fn *on_reply;
    void *arg;
    bool over;
};

static void on_awaited(void *arg, const struct kube_reply *r)
{
    struct awaited *a = arg;

    a->over = true;
    a->on_reply(a->arg, r);
}

void kube_send_wait(struct kube *k, const struct kube_request *request, kube_reply_fn *on_reply, void *arg)
{
    struct awaited a = {on_reply, arg, false};

    start(k, request, NULL, on_awaited, &a);
    while (!a.over)
        event_base_loop(k->base, EVLOOP_ONCE);
}

struct kube_call *kube_stream(struct kube *k, const struct kube_request *request, kube_line_fn *line,
                              kube_reply_fn *on_end, void *arg)
{
    return start(k, request, line, on_end, arg);
}

void kube_cancel(struct kube_call *c)
{
    if (!c)
        return;
    if (c->http)
        http_cancel(c->http);
    else
        access_forget(c->kube->access, &c->wait);
    call_free(c);
}

/* ---- the client ---- */

struct kube *kube_new(struct reaper *reaper, const struct access_options *options, struct err *e)
{
    struct kube *k = xcalloc(1, sizeof *k);

    k->base = reaper_base_get(reaper);
    TAILQ_INIT(&k->calls);
    k->access = access_new(reaper, options, e);
    if (k->access && configure(k, e) == 0)
        return k;
    kube_free(k);
    return NULL;
}

void kube_free(struct kube *k)
{
    struct kube_call *c;

    if (!k)
        return;
    while ((c = TAILQ_FIRST(&k->calls)))
        kube_cancel(c);
    http_free(k->http);
    access_free(k->access);
    free(k);
}

struct event_base *kube_base_get(const struct kube *k)
{
    return k->base;
}

const char *kube_server_get(const struct kube *k)
{
    return access_server_get(k->access);
}

const char *kube_namespace_get(const struct kube *k)
{
    return access_namespace_get(k->access);
}

char *kube_identity_print(const struct kube *k)
{
    return access_identity_print(k->access);
}
