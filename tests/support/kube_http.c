#include "support/kube_http.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/timer.h"

#define BODY_MAX  (8 << 20)
#define IDLE_S    86400 /* a watch may be silent for long */
#define PIECES    16    /* of a slow body */
#define CUT_IN_MS 50    /* for the first half to leave */

struct kube_http {
    struct event_base *base;
    const struct kube_tls *tls;
    struct evhttp *http;
    int port;
    kube_call_fn *on_call;
    void *arg;
};

/* What a timer of a call does next. */
struct kube_sending {
    kube_call_fn *fn;
    void *arg;
    char *text;
    size_t at, len;
};

static void call_free(struct kube_call *c)
{
    event_free(c->timer);
    evhttp_clear_headers(&c->query);
    free(c->sending->text);
    free(c->sending);
    free(c->path);
    free(c);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct kube_call *c = arg;

    (void)connection;
    if (c->on_close)
        c->on_close(c->arg);
    call_free(c);
}

/* evhttp goes on with the request by itself. */
static void call_end(struct kube_call *c)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(c->req), NULL, NULL);
    call_free(c);
}

static void on_timer(int fd, short what, void *arg)
{
    struct kube_call *c = arg;

    (void)fd, (void)what;
    c->sending->fn(c->sending->arg, c);
}

void kube_later(struct kube_call *c, int64_t in_ms, kube_call_fn *fn, void *arg)
{
    c->sending->fn = fn;
    c->sending->arg = arg;
    timer_set(c->timer, in_ms);
}

static const char *method_word(enum evhttp_cmd_type type)
{
    switch ((int)type) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    }
    return "HEAD";
}

/* An answer must not wait for the client to acknowledge what TLS sent before. */
static void set_no_delay(struct evhttp_connection *connection)
{
    int yes = 1;

    if (setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), IPPROTO_TCP, TCP_NODELAY,
                   &yes, sizeof yes) < 0)
        perror("tests/support/kube_http: TCP_NODELAY");
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct kube_http *h = arg;
    struct kube_call *c = xcalloc(1, sizeof *c);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *query = evhttp_uri_get_query(uri);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);

    set_no_delay(evhttp_request_get_connection(req));
    c->req = req;
    c->method = method_word(evhttp_request_get_command(req));
    c->path = evhttp_uridecode(evhttp_uri_get_path(uri), 0, NULL);
    evhttp_parse_query_str(query ? query : "", &c->query);
    evbuffer_add(body, "", 1);
    c->body = (const char *)evbuffer_pullup(body, -1);
    c->sending = xcalloc(1, sizeof *c->sending);
    c->timer = evtimer_new(h->base, on_timer, c);
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, c);
    h->on_call(h->arg, c);
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct kube_http *h = arg;
    struct bufferevent *b = bufferevent_openssl_socket_new(base, -1, SSL_new(kube_tls_context_get(h->tls)),
                                                           BUFFEREVENT_SSL_ACCEPTING,
                                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);

    bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
    return b;
}

struct kube_http *kube_http_new(struct event_base *base, const struct kube_tls *tls, kube_call_fn *on_call,
                                void *arg)
{
    struct kube_http *h = xcalloc(1, sizeof *h);
    struct sockaddr_in at = {0};
    socklen_t len = sizeof at;

    *h = (struct kube_http){base, tls, evhttp_new(base), 0, on_call, arg};
    evhttp_set_allowed_methods(h->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD);
    evhttp_set_max_body_size(h->http, BODY_MAX);
    evhttp_set_timeout(h->http, IDLE_S);
    evhttp_set_bevcb(h->http, on_accept, h);
    evhttp_set_gencb(h->http, on_request, h);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(h->http, "127.0.0.1", 0);
    if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len) < 0) {
        perror("tests/support/kube_http: listen");
        exit(1);
    }
    h->port = ntohs(at.sin_port);
    return h;
}

void kube_http_free(struct kube_http *h)
{
    evhttp_free(h->http);
    free(h);
}

int kube_http_port_get(const struct kube_http *h)
{
    return h->port;
}

const char *kube_query(const struct kube_call *c, const char *name)
{
    return evhttp_find_header(&c->query, name);
}

const char *kube_header(const struct kube_call *c, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(c->req), name);
}

SSL *kube_call_ssl(const struct kube_call *c)
{
    return bufferevent_openssl_get_ssl(
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(c->req)));
}

void kube_answer_header(struct kube_call *c, const char *name, const char *value)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(c->req);

    evhttp_remove_header(headers, name);
    evhttp_add_header(headers, name, value);
}

/* on_close frees the call. */
static void drop_connection(void *arg, struct kube_call *c)
{
    (void)arg;
    evhttp_connection_free(evhttp_request_get_connection(c->req));
}

/* Dissolving the association of a connected socket sends a reset at once, whatever TLS would still say. */
void kube_reset(struct kube_call *c)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct evhttp_connection *connection = evhttp_request_get_connection(c->req);

    if (connect(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), &nowhere, sizeof nowhere) <
        0)
        perror("tests/support/kube_http: reset");
    kube_later(c, 0, drop_connection, NULL);
}

static void on_cut(void *arg, struct kube_call *c)
{
    (void)arg;
    kube_reset(c);
}

static void send_chunk(struct kube_call *c, const char *bytes, size_t n)
{
    struct evbuffer *chunk = evbuffer_new();

    evbuffer_add(chunk, bytes, n);
    evhttp_send_reply_chunk(c->req, chunk);
    evbuffer_free(chunk);
}

static void on_piece(void *arg, struct kube_call *c)
{
    struct kube_sending *s = c->sending;
    size_t left = s->len - s->at, n = s->len / PIECES + 1;

    (void)arg;
    if (left == 0) {
        kube_stream_end(c);
        return;
    }
    n = n < left ? n : left;
    send_chunk(c, s->text + s->at, n);
    s->at += n;
    kube_later(c, c->way_ms, on_piece, NULL);
}

static void answer_whole(struct kube_call *c, int code, const char *text)
{
    struct evbuffer *body = evbuffer_new();

    evbuffer_add(body, text, strlen(text));
    evhttp_connection_set_closecb(evhttp_request_get_connection(c->req), NULL, NULL);
    evhttp_send_reply(c->req, code, NULL, body);
    evbuffer_free(body);
    call_free(c);
}

static void answer_cut(struct kube_call *c, int code, const char *text)
{
    char length[32];

    snprintf(length, sizeof length, "%zu", strlen(text));
    kube_answer_header(c, "Content-Length", length);
    evhttp_send_reply_start(c->req, code, NULL);
    send_chunk(c, text, strlen(text) / 2);
    kube_later(c, CUT_IN_MS, on_cut, NULL);
}

static void answer_slow(struct kube_call *c, int code, const char *text)
{
    c->sending->text = xstrdup(text);
    c->sending->len = strlen(text);
    evhttp_send_reply_start(c->req, code, NULL);
    on_piece(NULL, c);
}

static void answer(struct kube_call *c, int code, const char *text)
{
    switch (c->way) {
    case KUBE_PLAIN:
        answer_whole(c, code, text);
        return;
    case KUBE_LOST:
        kube_reset(c);
        return;
    case KUBE_CUT:
        answer_cut(c, code, text);
        return;
    case KUBE_SLOW:
        answer_slow(c, code, text);
        return;
    case KUBE_NEVER:
        return;
    }
}

void kube_answer(struct kube_call *c, int code, cJSON *body)
{
    char *text = cJSON_PrintUnformatted(body);

    kube_answer_header(c, "Content-Type", "application/json");
    kube_answer_header(c, "Cache-Control", "no-cache, private");
    answer(c, code, text);
    free(text);
    cJSON_Delete(body);
}

void kube_answer_text(struct kube_call *c, int code, const char *text)
{
    kube_answer_header(c, "Content-Type", "text/plain; charset=utf-8");
    answer(c, code, text);
}

void kube_stream_begin(struct kube_call *c, void (*on_gone)(void *arg), void *arg)
{
    c->on_close = on_gone;
    c->arg = arg;
    kube_answer_header(c, "Content-Type", "application/json");
    kube_answer_header(c, "Cache-Control", "no-cache, private");
    evhttp_send_reply_start(c->req, 200, NULL);
}

void kube_stream_send(struct kube_call *c, const char *bytes, size_t n)
{
    send_chunk(c, bytes, n);
}

void kube_stream_end(struct kube_call *c)
{
    struct evhttp_request *req = c->req;

    call_end(c);
    evhttp_send_reply_end(req);
}
