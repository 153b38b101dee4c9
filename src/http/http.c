#include "http/http.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/timer.h"
#include "http/curl.h"
#include "http/lines.h"
#include "http/multi.h"
#include "http/origin.h"
#include "http/retry_after.h"

#define CONNECTIONS_MAX 8L  /* for requests; HTTP/2 needs one */
#define STREAMS_MAX     64L /* each a connection */
#define DEADLINE_MS     30000
#define BYTES_MAX       ((size_t)16 << 20)
#define STATUS_OK       200L

struct http_call {
    TAILQ_ENTRY(http_call) link; /* http->calls */
    TAILQ_ENTRY(http_call) fed_link;
    bool fed; /* a stream that got bytes in this turn: in http->fed */
    struct http *http;
    struct origin *origin;
    struct multi *multi; /* that carries it */
    CURL *easy;
    struct event *late; /* NULL: any time will do for its answer to begin */
    struct curl_slist *headers;
    char *request_body;
    size_t bytes_max;
    bool too_long;
    struct text body;
    struct lines lines;
    http_line_fn *on_line; /* NULL: not a stream */
    http_response_fn *on_response;
    void *arg;
    char why[CURL_ERROR_SIZE];
};

TAILQ_HEAD(call_list, http_call);

struct http {
    struct event_base *base;
    struct curl curl;
    struct origin *origin;
    struct multi *requests, *streams;
    struct call_list calls, fed;
    const struct http_call *telling; /* one of whose lines is being delivered */
    bool cancelled;                  /* and that was cancelled meanwhile */
};

/* ---- the end of a call ---- */

static void call_free(struct http_call *c)
{
    const struct curl *curl = &c->http->curl;

    if (c->http->telling == c)
        c->http->cancelled = true;
    if (c->fed)
        TAILQ_REMOVE(&c->http->fed, c, fed_link);
    TAILQ_REMOVE(&c->http->calls, c, link);
    if (c->late)
        event_free(c->late);
    curl->easy_cleanup(c->easy);
    curl->slist_free_all(c->headers);
    origin_unref(c->origin);
    text_release(&c->body);
    lines_release(&c->lines);
    free(c->request_body);
    free(c);
}

/* The connection stood: the server may have got the request whole. */
static bool was_sent(const struct http_call *c)
{
    curl_off_t ready_after = 0;

    c->http->curl.easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_after);
    return ready_after > 0;
}

static void why_failed(const struct http_call *c, CURLcode result, struct err *e)
{
    const char *url = origin_url_get(c->origin);

    if (c->too_long)
        err_set(e, ERR_INVALID, "%s: the answer has %s of more than %zu bytes", url,
                c->on_line ? "a line" : "a body", c->bytes_max);
    else if (result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_WEIRD_SERVER_REPLY)
        err_set(e, ERR_INVALID, "%s: the answer is not HTTP", url);
    else
        err_set(e, was_sent(c) ? ERR_UNKNOWN : ERR_UNAVAILABLE, "%s: %s", url,
                *c->why ? c->why : c->http->curl.easy_strerror(result));
}

static long status_of(const struct http_call *c)
{
    long status = 0;

    c->http->curl.easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static struct http_response response_of(const struct http_call *c)
{
    const struct curl *curl = &c->http->curl;
    struct http_response response = {.status = (int)status_of(c), .body_len = c->body.len};
    struct curl_header *retry = NULL;
    const char *type = NULL;

    curl->easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
    curl->easy_header(c->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry);
    response.retry_after_ms = retry_after_ms(retry ? retry->value : NULL, clock_wall_ms());
    response.content_type = type ? type : "";
    response.body = text_get(&c->body);
    return response;
}

/* ---- what arrives ---- */

/* false: the call is not there any more. */
static bool tell_line(struct http_call *c, const char *line, size_t len)
{
    struct http *h = c->http;

    h->telling = c;
    h->cancelled = false;
    c->on_line(c->arg, line, len);
    h->telling = NULL;
    return !h->cancelled;
}

static void tell_lines(struct http_call *c)
{
    size_t len;

    for (const char *line; (line = lines_next(&c->lines, &len));)
        if (!tell_line(c, line, len))
            return;
}

/* Lines are not delivered where libcurl hands the bytes over: there a callback could not cancel its call. */
static void on_turn(void *arg)
{
    struct http *h = arg;
    struct http_call *c;

    while ((c = TAILQ_FIRST(&h->fed))) {
        TAILQ_REMOVE(&h->fed, c, fed_link);
        c->fed = false;
        tell_lines(c);
    }
}

static size_t feed_lines(struct http_call *c, const char *bytes, size_t n)
{
    c->too_long = lines_feed(&c->lines, bytes, n) < 0;
    if (!c->fed)
        TAILQ_INSERT_TAIL(&c->http->fed, c, fed_link);
    c->fed = true;
    return c->too_long ? 0 : n;
}

/* Less than n ends the transfer. */
static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
    struct http_call *c = arg;

    n *= size;
    if (c->on_line && status_of(c) == STATUS_OK)
        return feed_lines(c, bytes, n);
    c->too_long = n > c->bytes_max - c->body.len;
    if (c->too_long)
        return 0;
    text_add_bytes(&c->body, bytes, n);
    return n;
}

static void on_done(void *arg, CURL *easy, CURLcode result)
{
    struct http *h = arg;
    struct http_call *c = NULL;
    struct err e = {0};
    size_t len;

    h->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &c);
    const char *rest = result == CURLE_OK ? lines_rest(&c->lines, &len) : NULL;
    if (rest && !tell_line(c, rest, len))
        return;
    if (result != CURLE_OK) {
        why_failed(c, result, &e);
        c->on_response(c->arg, NULL, &e);
    } else {
        struct http_response response = response_of(c);
        c->on_response(c->arg, &response, &e);
    }
    call_free(c);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct http_call *c = arg;
    struct err e;

    (void)fd, (void)what;
    if (status_of(c))
        return;
    multi_remove(c->multi, c->easy);
    err_set(&e, was_sent(c) ? ERR_UNKNOWN : ERR_UNAVAILABLE, "%s: no answer in time",
            origin_url_get(c->origin));
    c->on_response(c->arg, NULL, &e);
    call_free(c);
}

/* ---- starting ---- */

static void set_request(struct http_call *c, const struct http_request *r)
{
    const struct curl *curl = &c->http->curl;

    curl->easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, r->method);
    if (r->body) {
        c->request_body = xmemdup(r->body, r->body_len);
        curl->easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->request_body);
        curl->easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    }
    c->headers = origin_headers_new(c->origin, !r->body          ? NULL
                                               : r->content_type ? r->content_type
                                                                 : "application/json");
    curl->easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    curl->easy_setopt(c->easy, CURLOPT_TIMEOUT_MS,
                      (long)(r->deadline_ms || c->on_line ? r->deadline_ms : DEADLINE_MS));
}

/* A kept connection may be dead without anyone knowing, and streams on one connection wait for each other. */
static void set_connection(struct http_call *c)
{
    const struct curl *curl = &c->http->curl;

    if (c->on_line) {
        curl->easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl->easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
        curl->easy_setopt(c->easy, CURLOPT_FORBID_REUSE, 1L);
    } else {
        curl->easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl->easy_setopt(c->easy, CURLOPT_PIPEWAIT,
                          1L); /* wait whether the first connection can carry all */
    }
}

static struct http_call *start(struct http *h, const struct http_request *r, http_line_fn *on_line,
                               http_response_fn *on_response, void *arg)
{
    struct http_call *c = xcalloc(1, sizeof *c);
    size_t bytes_max = r->bytes_max ? r->bytes_max : BYTES_MAX;

    *c = (struct http_call){
        .http = h,
        .origin = origin_ref(h->origin),
        .multi = on_line ? h->streams : h->requests,
        .easy = h->curl.easy_init(),
        .bytes_max = bytes_max,
        .lines = {.max = bytes_max},
        .on_line = on_line,
        .on_response = on_response,
        .arg = arg,
    };
    TAILQ_INSERT_TAIL(&h->calls, c, link);
    h->curl.easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    h->curl.easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why);
    h->curl.easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    h->curl.easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    origin_apply(c->origin, c->easy, r->path);
    set_request(c, r);
    set_connection(c);
    if (r->begin_ms) {
        c->late = evtimer_new(h->base, on_late, c);
        timer_set(c->late, r->begin_ms);
    }
    multi_add(c->multi, c->easy);
    return c;
}

struct http_call *http_send(struct http *h, const struct http_request *request, http_response_fn *on_response,
                            void *arg)
{
    return start(h, request, NULL, on_response, arg);
}

struct http_call *http_stream(struct http *h, const struct http_request *request, http_line_fn *on_line,
                              http_response_fn *on_end, void *arg)
{
    return start(h, request, on_line, on_end, arg);
}

void http_cancel(struct http_call *c)
{
    if (!c)
        return;
    multi_remove(c->multi, c->easy);
    call_free(c);
}

/* ---- the origin and its connections ---- */

struct http *http_new(struct event_base *base, const struct http_options *options, struct err *e)
{
    struct http *h = xcalloc(1, sizeof *h);
    const struct multi_events events = {.on_turn = on_turn, .on_done = on_done, .arg = h};

    h->base = base;
    TAILQ_INIT(&h->calls);
    TAILQ_INIT(&h->fed);
    if (curl_load(&h->curl, e) || http_configure(h, options, e)) {
        http_free(h);
        return NULL;
    }
    h->requests = multi_new(&h->curl, base, CONNECTIONS_MAX, &events);
    h->streams = multi_new(&h->curl, base, STREAMS_MAX, &events);
    return h;
}

int http_configure(struct http *h, const struct http_options *options, struct err *e)
{
    struct origin *o = origin_new(&h->curl, options, e);

    if (!o)
        return -1;
    origin_unref(h->origin);
    h->origin = o;
    return 0;
}

void http_free(struct http *h)
{
    struct http_call *c;

    if (!h)
        return;
    while ((c = TAILQ_FIRST(&h->calls)))
        http_cancel(c);
    multi_free(h->requests);
    multi_free(h->streams);
    origin_unref(h->origin);
    curl_unload(&h->curl);
    free(h);
}
