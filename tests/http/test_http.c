#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "support/web_server.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LONG_MS  20000 /* a deadline that is not meant to come */
#define SHORT_MS 1000  /* one that is, when the request has been sent */

struct fixture {
    struct event_base *base;
    struct certificate *authority, *identity, *client;
    struct web_server *server;
    struct http *http;
    struct http_options options;
};

/* ---- what the server does, by path ---- */

static void serve_echo(struct exchange *x)
{
    struct text body = {0};

    text_addf(&body, "%s|%s|%s", x->client, x->head, x->body);
    exchange_answer(x, "200 OK", "Content-Type: text/plain\r\n", text_get(&body));
    text_release(&body);
}

static void serve_slow(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    exchange_wait_over(x);
}

static void serve_silence(struct exchange *x)
{
    exchange_wait_over(x);
}

static void serve_reset(struct exchange *x)
{
    exchange_reset(x);
}

static void serve_cut(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    exchange_close(x);
}

static void serve_garbage(struct exchange *x)
{
    exchange_print(x, "\x01\x02SSH-2.0-OpenSSH\r\n\r\n");
    exchange_close(x);
}

static void serve_busy(struct exchange *x)
{
    exchange_answer(x, "429 Too Many Requests", "Content-Type: text/plain\r\nRetry-After: 3\r\n",
                    "Too many requests, please try again later.\n");
}

static void serve_redirect(struct exchange *x)
{
    exchange_answer(x, "302 Found", "Location: /echo\r\n", "");
}

static void serve_long(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    for (int i = 0; i < 500; i++)
        exchange_print(x, "0123456789");
}

/* Three lines and a rest, in chunks that are cut after each byte. */
static void serve_lines(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char *byte = "one\ntwo\n\nrest"; *byte; byte++)
        exchange_print(x, "1\r\n%c\r\n", *byte);
    exchange_print(x, "0\r\n\r\n");
}

static void serve_cut_lines(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\none\ntwo\n\r\n5\r\nhal");
    exchange_close(x);
}

static void serve_endless(struct exchange *x)
{
    exchange_print(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\none\ntwo\n\r\n");
    exchange_wait_over(x);
}

/* An answer that was cut, and of which some bytes were changed, by a rule that the number in the query gives. */
static void serve_mutated(struct exchange *x)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nRetry-After: 10\r\nContent-Length: "
        "8\r\n\r\none\ntwo\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n",
    };
    unsigned seed = (unsigned)strtoul(strchr(x->head, '?') + 1, NULL, 10);
    char *bytes = xstrdup(answers[seed % COUNT(answers)]);
    size_t len = strlen(bytes);

    for (int changes = rand_r(&seed) % 4; changes; changes--)
        bytes[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
    if (rand_r(&seed) % 2)
        len = (size_t)rand_r(&seed) % len;
    exchange_write(x, bytes, len);
    exchange_close(x);
    free(bytes);
}

static const struct {
    const char *path;
    void (*serve)(struct exchange *x);
} routes[] = {
    {"/echo", serve_echo},
    {"/slow", serve_slow},
    {"/silence", serve_silence},
    {"/reset", serve_reset},
    {"/cut", serve_cut},
    {"/garbage", serve_garbage},
    {"/busy", serve_busy},
    {"/redirect", serve_redirect},
    {"/long", serve_long},
    {"/lines", serve_lines},
    {"/cut-lines", serve_cut_lines},
    {"/endless", serve_endless},
    {"/mutated", serve_mutated},
};

static void serve(void *arg, struct exchange *x)
{
    const char *path = strchr(x->head, '/');
    size_t len = strcspn(path, " ?");

    (void)arg;
    for (size_t i = 0; i < COUNT(routes); i++)
        if (strlen(routes[i].path) == len && !strncmp(path, routes[i].path, len)) {
            routes[i].serve(x);
            return;
        }
    exchange_answer(x, "404 Not Found", "", "");
}

/* ---- the client ---- */

/* What a call was told: "200 text/plain -1 <body>", or "UNKNOWN <message>"; the lines before it. */
struct answer {
    int count;
    struct text lines, text;
    struct http_call *call, *victim; /* victim: cancelled by the first line or the answer */
};

static void on_response(void *arg, const struct http_response *r, const struct err *e)
{
    static const char *const classes[] = {
        [ERR_UNAVAILABLE] = "UNAVAILABLE", [ERR_UNKNOWN] = "UNKNOWN", [ERR_INVALID] = "INVALID"};
    struct answer *a = arg;

    assert_int_equal(!r, e->code != ERR_NONE);
    a->count++;
    a->call = NULL;
    text_clear(&a->text);
    if (r)
        text_addf(&a->text, "%d %s %lld %s", r->status, r->content_type, (long long)r->retry_after_ms,
                  r->body);
    else
        text_addf(&a->text, "%s %s", classes[e->code], e->msg);
    http_cancel(a->victim);
    a->victim = NULL;
}

static void on_line(void *arg, const char *line, size_t len)
{
    struct answer *a = arg;

    assert_int_equal(strlen(line), len);
    text_addf(&a->lines, "[%s]", line);
    http_cancel(a->victim);
    if (a->victim == a->call)
        a->call = NULL;
    a->victim = NULL;
}

static void answer_release(struct answer *a)
{
    text_release(&a->lines);
    text_release(&a->text);
}

static void turn(struct fixture *f, int64_t end_at)
{
    assert_true(clock_mono_ms() < end_at);
    event_base_loopexit(f->base, &(struct timeval){.tv_usec = 5000});
    event_base_dispatch(f->base);
}

#define RUN_UNTIL(f, condition)                                                                              \
    for (int64_t end_at = clock_mono_ms() + LONG_MS; !(condition);)                                          \
    turn((f), end_at)

static void fixture_open(struct fixture *f)
{
    struct err e;

    f->http = http_new(f->base, &f->options, &e);
    assert_non_null(f->http);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->base = event_base_new();
    f->authority = certificate_new("authority", NULL, NULL);
    f->identity = certificate_new("server", "IP:127.0.0.1", f->authority);
    f->client = certificate_new("client", NULL, f->authority);
    f->server = web_server_new(f->identity, NULL, serve, NULL);
    f->options =
        (struct http_options){.url = web_server_url_get(f->server), .ca = certificate_bytes(f->authority)};
    fixture_open(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    http_free(f->http);
    web_server_free(f->server);
    certificate_free(f->client);
    certificate_free(f->identity);
    certificate_free(f->authority);
    event_base_free(f->base);
    free(f);
    return 0;
}

/* A server that asks for client certificates of our authority, and a client that has none yet. */
static void ask_for_certificates(struct fixture *f)
{
    http_free(f->http);
    web_server_free(f->server);
    f->server = web_server_new(f->identity, f->authority, serve, NULL);
    f->options.url = web_server_url_get(f->server);
    fixture_open(f);
}

static void reconfigure(struct fixture *f)
{
    struct err e;

    assert_int_equal(http_configure(f->http, &f->options, &e), 0);
}

static void expect_request(struct fixture *f, const struct http_request *request, const char *prefix)
{
    struct answer a = {0};

    a.call = http_send(f->http, request, on_response, &a);
    assert_int_equal(a.count, 0);
    RUN_UNTIL(f, a.count);
    if (strncmp(text_get(&a.text), prefix, strlen(prefix)) != 0)
        assert_string_equal(text_get(&a.text), prefix);
    answer_release(&a);
}

static void expect(struct fixture *f, const char *method, const char *path, const char *prefix)
{
    expect_request(f, &(struct http_request){.method = method, .path = path, .deadline_ms = LONG_MS}, prefix);
}

/* The body of what /echo says. */
static char *echo(struct fixture *f, const struct http_request *request)
{
    struct answer a = {0};

    http_send(f->http, request, on_response, &a);
    RUN_UNTIL(f, a.count);
    char *text = xstrdup(text_get(&a.text));
    answer_release(&a);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        assert_string_equal(text, part);
}

/* ---- requests ---- */

static void test_what_is_sent(void **state)
{
    struct fixture *f = *state;
    const struct http_request requests[] = {
        {.method = "GET", .path = "/echo?a=b%20c"},
        {.method = "POST", .path = "/echo", .body = "{\"a\":1}", .body_len = 7},
        {.method = "DELETE", .path = "/echo", .body = "{}", .body_len = 2},
        {.method = "PATCH",
         .path = "/echo",
         .content_type = "application/merge-patch+json",
         .body = "[]",
         .body_len = 2},
    };
    static const char *const parts[][4] = {
        {"200 text/plain -1 |GET /echo?a=b%20c HTTP/1.1\r\n", "User-Agent: rivers/",
         "Authorization: Bearer abc\r\n", "\r\n\r\n|"},
        {"POST /echo HTTP/1.1\r\n", "Content-Type: application/json\r\n", "Content-Length: 7\r\n",
         "|{\"a\":1}"},
        {"DELETE /echo HTTP/1.1\r\n", "Content-Type: application/json\r\n", "Content-Length: 2\r\n", "|{}"},
        {"PATCH /echo HTTP/1.1\r\n", "Content-Type: application/merge-patch+json\r\n",
         "Content-Length: 2\r\n", "|[]"},
    };

    f->options.token = "abc";
    reconfigure(f);
    for (size_t i = 0; i < COUNT(requests); i++) {
        char *text = echo(f, &requests[i]);
        for (size_t part = 0; part < COUNT(parts[i]); part++)
            assert_has(text, parts[i][part]);
        free(text);
    }
    assert_int_equal(web_server_connections(f->server), 1);
}

static void test_long_bodies(void **state)
{
    struct fixture *f = *state;
    size_t n = 3 << 20;
    char *body = xcalloc(1, n + 1);

    memset(body, 'x', n);
    char *text =
        echo(f, &(struct http_request){
                    .method = "POST", .path = "/echo", .body = body, .body_len = n, .deadline_ms = LONG_MS});
    assert_null(strstr(text, "Expect:"));
    assert_has(text, body);
    free(text);
    free(body);
}

static void test_answers(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path, *prefix;
    } rows[] = {
        {"/busy", "429 text/plain 3000 Too many requests, please try again later.\n"},
        {"/redirect", "302  -1 "},
        {"/nowhere", "404  -1 "},
        {"/reset", "UNKNOWN https://127.0.0.1:"},
        {"/cut", "UNKNOWN https://127.0.0.1:"},
        {"/garbage", "INVALID https://127.0.0.1:"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        expect(f, "POST", rows[i].path, rows[i].prefix);
}

static void test_deadlines(void **state)
{
    struct fixture *f = *state;

    expect_request(f, &(struct http_request){.method = "GET", .path = "/slow", .deadline_ms = SHORT_MS},
                   "UNKNOWN https://127.0.0.1:");
    expect_request(f, &(struct http_request){.method = "GET", .path = "/silence", .deadline_ms = SHORT_MS},
                   "UNKNOWN https://127.0.0.1:");
}

static void test_bodies_are_bounded(void **state)
{
    struct fixture *f = *state;

    expect_request(f, &(struct http_request){.method = "GET", .path = "/long", .bytes_max = 5000},
                   "200  -1 0123456789");
    expect_request(f, &(struct http_request){.method = "GET", .path = "/long", .bytes_max = 4999},
                   "INVALID https://127.0.0.1:");
}

static void test_not_there(void **state)
{
    struct fixture *f = *state;

    http_free(f->http);
    f->options.url = "https://127.0.0.1:1";
    fixture_open(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:1: ");
    f->options.url = "https://name.invalid:1";
    reconfigure(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://name.invalid:1: ");
}

static void test_plain(void **state)
{
    struct fixture *f = *state;
    struct web_server *plain = web_server_new(NULL, NULL, serve, NULL);

    f->options.url = web_server_url_get(plain);
    reconfigure(f);
    expect(f, "GET", "/echo", "200 text/plain -1 |GET /echo HTTP/1.1\r\n");
    web_server_free(plain);
}

static void test_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct answer answers[100] = {{0}};

    for (size_t i = 0; i < COUNT(answers); i++)
        http_send(f->http, &(struct http_request){.method = "GET", .path = "/busy"}, on_response,
                  &answers[i]);
    for (size_t i = 0; i < COUNT(answers); i++) {
        RUN_UNTIL(f, answers[i].count);
        assert_has(text_get(&answers[i].text), "429 text/plain 3000");
        answer_release(&answers[i]);
    }
    assert_true(web_server_connections(f->server) <= 8);
}

/* ---- who is who ---- */

static void test_wrong_host(void **state)
{
    struct fixture *f = *state;
    struct certificate *other = certificate_new("server", "DNS:api.test", f->authority);

    web_server_set_identity(f->server, other);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:");
    f->options.server_name = "api.test";
    reconfigure(f);
    expect(f, "POST", "/echo", "200 text/plain -1 |POST /echo HTTP/1.1\r\nHost: 127.0.0.1:");
    f->options.server_name = "other.test";
    reconfigure(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:");
    f->options.insecure = true;
    reconfigure(f);
    expect(f, "POST", "/echo", "200 ");
    certificate_free(other);
}

static void test_wrong_authority(void **state)
{
    struct fixture *f = *state;
    struct certificate *stranger = certificate_new("stranger", NULL, NULL);

    f->options.ca = certificate_bytes(stranger);
    reconfigure(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:");
    f->options.ca = (struct http_bytes){0};
    reconfigure(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:");
    f->options.ca = (struct http_bytes){"no certificate", 14};
    reconfigure(f);
    expect(f, "POST", "/echo", "UNAVAILABLE https://127.0.0.1:");
    f->options.ca = certificate_bytes(f->authority);
    reconfigure(f);
    expect(f, "POST", "/echo", "200 ");
    certificate_free(stranger);
}

static void test_client_certificates(void **state)
{
    struct fixture *f = *state;
    struct certificate *next = certificate_new("next", NULL, f->authority);

    ask_for_certificates(f);
    expect(f, "POST", "/echo", "UN"); /* with TLS 1.3 the refusal may come after the request */
    f->options.certificate = certificate_bytes(f->client);
    f->options.key = certificate_key_bytes(f->client);
    reconfigure(f);
    expect(f, "POST", "/echo", "200 text/plain -1 client|");
    expect(f, "POST", "/echo", "200 text/plain -1 client|");
    f->options.certificate = certificate_bytes(next);
    f->options.key = certificate_key_bytes(next);
    reconfigure(f);
    expect(f, "POST", "/echo", "200 text/plain -1 next|");
    certificate_free(next);
}

/* A token that changes needs no new connection, a server that got a new certificate no new options. */
static void test_rotation(void **state)
{
    struct fixture *f = *state;
    struct certificate *next = certificate_new("server", "IP:127.0.0.1", f->authority);
    const struct http_request request = {.method = "GET", .path = "/echo"};
    char *text;

    f->options.token = "first";
    reconfigure(f);
    text = echo(f, &request);
    assert_has(text, "Bearer first\r\n");
    free(text);
    f->options.token = "second";
    reconfigure(f);
    text = echo(f, &request);
    assert_has(text, "Bearer second\r\n");
    free(text);
    assert_int_equal(web_server_connections(f->server), 1);
    web_server_set_identity(f->server, next);
    expect(f, "GET", "/cut", "UNKNOWN ");
    expect(f, "GET", "/echo", "200 ");
    assert_int_equal(web_server_connections(f->server), 2);
    certificate_free(next);
}

static void test_proxy(void **state)
{
    struct fixture *f = *state;
    struct web_server *proxy = web_server_new(NULL, NULL, serve, NULL);

    setenv("https_proxy", web_server_url_get(proxy), 1);
    setenv("no_proxy", "*", 1);
    expect(f, "GET", "/echo", "200 ");
    assert_int_equal(web_server_connections(proxy), 0);
    f->options.proxy = web_server_url_get(proxy);
    reconfigure(f);
    expect(f, "GET", "/echo", "UNAVAILABLE https://127.0.0.1:"); /* CONNECT is answered with 404 */
    assert_int_equal(web_server_connections(proxy), 1);
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    web_server_free(proxy);
}

static void test_refused_options(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *url, *token, *why;
    } rows[] = {
        {"ftp://127.0.0.1", NULL,
         "'ftp://127.0.0.1' is not the URL of a server: only https and http are spoken"},
        {"https://", NULL, "'https://' is not the URL of a server: "},
        {"127.0.0.1:6443", NULL, "'127.0.0.1:6443' is not the URL of a server: "},
        {"https://me@127.0.0.1", NULL, "the URL of a server cannot have a user"},
        {"https://127.0.0.1/?a=b", NULL, "the URL of a server cannot have a query"},
        {"https://127.0.0.1", "a\r\nX: y", "the token holds what no token can"},
        {"https://127.0.0.1", "a b", "the token holds what no token can"},
        {"https://127.0.0.1", "\xc3\xa4", "the token holds what no token can"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = {0};
        assert_int_equal(
            http_configure(f->http, &(struct http_options){.url = rows[i].url, .token = rows[i].token}, &e),
            -1);
        assert_has(e.msg, rows[i].why);
    }
    expect(f, "GET", "/echo", "200 "); /* what was set before still counts */
}

static void test_base_path(void **state)
{
    struct fixture *f = *state;
    char *url = xasprintf("%s/k8s/clusters/c-1/", web_server_url_get(f->server));
    char *text;

    f->options.url = url;
    reconfigure(f);
    text = echo(f, &(struct http_request){.method = "GET", .path = "/echo"});
    assert_has(text, "404 ");
    free(text);
    free(url);
}

/* ---- streams ---- */

static void stream(struct fixture *f, struct answer *a, const struct http_request *request)
{
    *a = (struct answer){0};
    a->call = http_stream(f->http, request, on_line, on_response, a);
    assert_int_equal(a->count, 0);
}

static void expect_stream(struct fixture *f, const struct http_request *request, const char *lines,
                          const char *prefix)
{
    struct answer a;

    stream(f, &a, request);
    RUN_UNTIL(f, a.count);
    assert_string_equal(text_get(&a.lines), lines);
    assert_has(text_get(&a.text), prefix);
    answer_release(&a);
}

static void test_streams(void **state)
{
    struct fixture *f = *state;

    expect_stream(f, &(struct http_request){.method = "GET", .path = "/lines"}, "[one][two][][rest]",
                  "200  -1 ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/cut-lines"}, "[one][two]", "UNKNOWN ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/endless", .deadline_ms = SHORT_MS},
                  "[one][two]", "UNKNOWN ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/silence", .begin_ms = SHORT_MS}, "",
                  "UNKNOWN https://127.0.0.1:");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/lines", .begin_ms = LONG_MS},
                  "[one][two][][rest]", "200  -1 ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/busy"}, "",
                  "429 text/plain 3000 Too many");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/nowhere"}, "", "404 ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/long", .bytes_max = 4999}, "",
                  "INVALID ");
    expect_stream(f, &(struct http_request){.method = "GET", .path = "/lines", .bytes_max = 3},
                  "[one][two][]", "INVALID ");
}

static void test_mutated_answers(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 300; i++) {
        struct answer a = {0};
        char path[32];
        snprintf(path, sizeof path, "/mutated?%d", i);
        const struct http_request request = {.method = "GET", .path = path, .deadline_ms = LONG_MS};
        if (i / 2 % 2)
            http_send(f->http, &request, on_response, &a);
        else
            http_stream(f->http, &request, on_line, on_response, &a);
        RUN_UNTIL(f, a.count);
        assert_int_equal(a.count, 1);
        answer_release(&a);
    }
}

/* A stream that stands holds up no request and no other stream. */
static void test_streams_apart(void **state)
{
    struct fixture *f = *state;
    struct answer streams[20];

    for (size_t i = 0; i < COUNT(streams); i++)
        stream(f, &streams[i], &(struct http_request){.method = "GET", .path = "/endless"});
    for (size_t i = 0; i < COUNT(streams); i++)
        RUN_UNTIL(f, streams[i].lines.len == strlen("[one][two]"));
    expect(f, "GET", "/echo", "200 ");
    assert_int_equal(web_server_connections(f->server), COUNT(streams) + 1);
    for (size_t i = 0; i < COUNT(streams); i++) {
        http_cancel(streams[i].call);
        assert_int_equal(streams[i].count, 0);
        answer_release(&streams[i]);
    }
}

/* ---- cancelling ---- */

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0}, b = {0};

    http_cancel(NULL);
    http_cancel(
        http_send(f->http, &(struct http_request){.method = "GET", .path = "/echo"}, on_response, &a));
    b.victim =
        http_send(f->http, &(struct http_request){.method = "GET", .path = "/silence"}, on_response, &a);
    http_send(f->http, &(struct http_request){.method = "GET", .path = "/echo"}, on_response, &b);
    RUN_UNTIL(f, b.count);
    expect(f, "GET", "/echo", "200 ");
    assert_int_equal(a.count, 0);
    answer_release(&b);
}

static void test_cancel_from_a_line(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/endless", "/lines"};

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer itself, other, watcher;
        stream(f, &itself, &(struct http_request){.method = "GET", .path = paths[i]});
        itself.victim = itself.call;
        RUN_UNTIL(f, itself.lines.len);
        stream(f, &other, &(struct http_request){.method = "GET", .path = "/silence"});
        stream(f, &watcher, &(struct http_request){.method = "GET", .path = "/lines"});
        watcher.victim = other.call;
        RUN_UNTIL(f, watcher.count);
        assert_string_equal(text_get(&itself.lines), "[one]");
        assert_string_equal(text_get(&watcher.lines), "[one][two][][rest]");
        assert_int_equal(itself.count + other.count, 0);
        answer_release(&itself);
        answer_release(&watcher);
    }
}

static void test_free_with_calls_under_way(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0}, b;

    http_send(f->http, &(struct http_request){.method = "GET", .path = "/silence"}, on_response, &a);
    stream(f, &b, &(struct http_request){.method = "GET", .path = "/endless"});
    RUN_UNTIL(f, b.lines.len);
    http_free(f->http);
    fixture_open(f);
    expect(f, "GET", "/echo", "200 ");
    assert_int_equal(a.count + b.count, 0);
    answer_release(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_sent),    TEST(test_long_bodies),         TEST(test_answers),
        TEST(test_deadlines),       TEST(test_bodies_are_bounded),  TEST(test_not_there),
        TEST(test_plain),           TEST(test_many_at_once),        TEST(test_wrong_host),
        TEST(test_wrong_authority), TEST(test_client_certificates), TEST(test_rotation),
        TEST(test_proxy),           TEST(test_refused_options),     TEST(test_base_path),
        TEST(test_streams),         TEST(test_mutated_answers),     TEST(test_streams_apart),
        TEST(test_cancel),          TEST(test_cancel_from_a_line),  TEST(test_free_with_calls_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
