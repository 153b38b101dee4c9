#include "support/kube_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define ANSWER_TIMEOUT_MS 60000

struct kube_stream {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    struct text in; /* read and not yet taken */
    bool ended;
};

static char *read_file(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *in = fopen(path, "re");
    char buf[4096];
    size_t n = in ? fread(buf, 1, sizeof buf - 1, in) : 0;

    if (in)
        fclose(in);
    free(path);
    buf[n] = '\0';
    return xstrdup(buf);
}

static SSL_CTX *context_new(const char *dir, bool certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    char *ca = xasprintf("%s/ca.crt", dir), *cert = xasprintf("%s/client.crt", dir),
         *key = xasprintf("%s/client.key", dir);

    SSL_CTX_load_verify_locations(context, ca, NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (certificate) {
        SSL_CTX_use_certificate_file(context, cert, SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
    }
    free(ca);
    free(cert);
    free(key);
    return context;
}

static int connect_to(const char *dir)
{
    char *url = read_file(dir, "url");
    const char *colon = strrchr(url, ':');
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)(colon ? strtol(colon + 1, NULL, 10) : 0));
    free(url);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static void send_request(struct kube_stream *s, const char *dir, const struct kube_request *q)
{
    struct text t = {0};
    char *token = q->token ? xstrdup(q->token) : read_file(dir, "token");
    const char *body = q->body ? q->body : "";

    text_addf(&t, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", q->method, q->path);
    if (*token && !q->certificate)
        text_addf(&t, "Authorization: Bearer %s\r\n", token);
    if (q->body)
        text_addf(&t, "Content-Type: %s\r\n", q->type ? q->type : "application/json");
    text_addf(&t, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    if (SSL_write(s->ssl, t.s, (int)t.len) <= 0)
        s->ended = true;
    text_release(&t);
    free(token);
}

void kube_stream_close(struct kube_stream *s)
{
    SSL_free(s->ssl);
    SSL_CTX_free(s->context);
    close(s->fd);
    text_release(&s->in);
    free(s);
}

struct kube_stream *kube_begin(const char *dir, const struct kube_request *q)
{
    struct kube_stream *s = xcalloc(1, sizeof *s);

    s->context = context_new(dir, q->certificate);
    s->ssl = SSL_new(s->context);
    s->fd = connect_to(dir);
    SSL_set1_host(s->ssl, "localhost");
    SSL_set_fd(s->ssl, s->fd);
    if (s->fd < 0 || SSL_connect(s->ssl) != 1) {
        kube_stream_close(s);
        return NULL;
    }
    send_request(s, dir, q);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    return s;
}

/* False when nothing more comes, or not in time. */
static bool read_more(struct kube_stream *s, int64_t end_at)
{
    int64_t left = end_at - clock_mono_ms();
    char buf[16384];

    if (s->ended || left <= 0)
        return false;
    if (!SSL_has_pending(s->ssl) && poll(&(struct pollfd){s->fd, POLLIN, 0}, 1, (int)left) <= 0)
        return false;
    int n = SSL_read(s->ssl, buf, sizeof buf);
    if (n > 0)
        text_add_bytes(&s->in, buf, (size_t)n);
    s->ended = n <= 0 && SSL_get_error(s->ssl, n) != SSL_ERROR_WANT_READ; /* TLS had something to say */
    return !s->ended;
}

static void take(struct kube_stream *s, size_t n)
{
    struct text rest = {0};

    text_add_bytes(&rest, s->in.s + n, s->in.len - n);
    text_release(&s->in);
    s->in = rest;
}

/* The bytes up to and with `end`; NULL: they did not come. */
static char *read_until(struct kube_stream *s, const char *end, int64_t end_at)
{
    char *found;

    while (!(found = strstr(text_get(&s->in), end)))
        if (!read_more(s, end_at))
            return NULL;
    size_t n = (size_t)(found - s->in.s) + strlen(end);
    char *bytes = xmemdup(s->in.s, n);
    take(s, n);
    return bytes;
}

static char *read_bytes(struct kube_stream *s, size_t n, int64_t end_at)
{
    while (s->in.len < n)
        if (!read_more(s, end_at))
            return NULL;
    char *bytes = xmemdup(text_get(&s->in), n);
    take(s, n);
    return bytes;
}

/* The next chunk; NULL: it did not come; "": it was the last. */
static char *read_chunk(struct kube_stream *s, int64_t end_at)
{
    char *line = read_until(s, "\r\n", end_at);
    char *chunk;

    if (!line)
        return NULL;
    chunk = read_bytes(s, strtoul(line, NULL, 16) + 2, end_at);
    if (chunk)
        chunk[strlen(chunk) - 2] = '\0';
    free(line);
    return chunk;
}

/* False when it broke off. */
static bool read_chunks(struct kube_stream *s, struct text *body, int64_t end_at)
{
    for (char *chunk; (chunk = read_chunk(s, end_at));) {
        bool last = !*chunk;
        text_add(body, chunk);
        free(chunk);
        if (last)
            return true;
    }
    return false;
}

static bool read_body(struct kube_stream *s, const char *head, struct text *body, int64_t end_at)
{
    const char *length = strcasestr(head, "\r\nContent-Length:");

    if (strcasestr(head, "\r\nTransfer-Encoding: chunked"))
        return read_chunks(s, body, end_at);
    size_t n = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    char *bytes = read_bytes(s, n, end_at);
    text_add(body, bytes ? bytes : text_get(&s->in));
    free(bytes);
    return s->in.len == 0 || bytes;
}

struct kube_response kube_ask(const char *dir, const struct kube_request *q)
{
    struct kube_response r = {0};
    struct text body = {0};
    struct kube_stream *s = kube_begin(dir, q);
    int64_t end_at = clock_mono_ms() + ANSWER_TIMEOUT_MS;

    if (!s)
        return r;
    r.head = read_until(s, "\r\n\r\n", end_at);
    if (r.head && read_body(s, r.head, &body, end_at))
        r.status = (int)strtol(r.head + strlen("HTTP/1.1 "), NULL, 10);
    r.text = xstrdup(text_get(&body));
    r.json = r.head && strcasestr(r.head, "application/json") ? cJSON_Parse(r.text) : NULL;
    text_release(&body);
    kube_stream_close(s);
    return r;
}

void kube_response_release(struct kube_response *r)
{
    free(r->head);
    free(r->text);
    cJSON_Delete(r->json);
}

struct kube_stream *kube_stream_open(const char *dir, const struct kube_request *q)
{
    struct kube_stream *s = kube_begin(dir, q);
    char *head = s ? read_until(s, "\r\n\r\n", clock_mono_ms() + ANSWER_TIMEOUT_MS) : NULL;

    if (s && (!head || strncmp(head, "HTTP/1.1 200", 12) != 0)) {
        kube_stream_close(s);
        s = NULL;
    }
    free(head);
    return s;
}

/* The server sends every line as one chunk. */
cJSON *kube_stream_next(struct kube_stream *s, int timeout_ms)
{
    char *chunk = read_chunk(s, clock_mono_ms() + timeout_ms);
    cJSON *line = chunk ? cJSON_Parse(chunk) : NULL;

    free(chunk);
    return line;
}
