#include "support/web_server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

struct connection {
    LIST_ENTRY(connection) link;
    struct exchange exchange; /* first: what the test is given */
    struct web_server *server;
    pthread_t thread;
    SSL *ssl; /* NULL: plain */
    int fd;
    bool closed;
    struct text in; /* read and not yet used */
    char client[64];
};

struct web_server {
    char url[64];
    web_serve_fn *serve;
    void *arg;
    const struct certificate *client_ca;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* of identity and connections */
    const struct certificate *identity;
    LIST_HEAD(, connection) connections; /* all there were: joined at the end */
    _Atomic int accepted, requests, serving;
};

static void die(const char *what)
{
    fprintf(stderr, "tests/support/web_server: ");
    perror(what);
    exit(1);
}

static struct connection *connection_of(struct exchange *x)
{
    return (struct connection *)((char *)x - offsetof(struct connection, exchange));
}

/* ---- bytes ---- */

static void connection_close(struct connection *c)
{
    if (c->closed)
        return;
    c->closed = true;
    if (c->ssl)
        SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_RDWR); /* the descriptor is closed by web_server_free, which may be using it */
}

/* 0 and less: no more. */
static int read_some(struct connection *c, char *bytes, int n)
{
    return c->ssl ? SSL_read(c->ssl, bytes, n) : (int)recv(c->fd, bytes, (size_t)n, 0);
}

/* false: the connection ended before in.len was at least `len`. */
static bool fill(struct connection *c, size_t len)
{
    char bytes[4096];

    while (c->in.len < len) {
        int n = read_some(c, bytes, sizeof bytes);
        if (n <= 0)
            return false;
        text_add_bytes(&c->in, bytes, (size_t)n);
    }
    return true;
}

void exchange_write(struct exchange *x, const void *bytes, size_t n)
{
    struct connection *c = connection_of(x);

    while (n && !c->closed) {
        int sent = c->ssl ? SSL_write(c->ssl, bytes, (int)n) : (int)send(c->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            connection_close(c);
            return;
        }
        bytes = (const char *)bytes + sent;
        n -= (size_t)sent;
    }
}

void exchange_print(struct exchange *x, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n > 0)
        exchange_write(x, s, (size_t)n);
    free(s);
}

void exchange_answer(struct exchange *x, const char *status, const char *headers, const char *body)
{
    exchange_print(x, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
}

void exchange_close(struct exchange *x)
{
    connection_close(connection_of(x));
}

void exchange_reset(struct exchange *x)
{
    struct connection *c = connection_of(x);
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    c->closed = true;
    (void)connect(c->fd, &nowhere, sizeof nowhere); /* sends RST at once */
}

void exchange_wait_over(struct exchange *x)
{
    struct connection *c = connection_of(x);

    fill(c, SIZE_MAX);
    connection_close(c);
}

bool exchange_has(const struct exchange *x, const char *text)
{
    return strstr(x->head, text) != NULL;
}

/* ---- requests ---- */

static size_t body_len(const char *head)
{
    const char *header = strcasestr(head, "\r\nContent-Length:");

    return header ? (size_t)strtoul(header + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* false: there is none any more. */
static bool serve_one(struct connection *c)
{
    const char *end;

    while (!c->in.s || !(end = strstr(c->in.s, "\r\n\r\n")))
        if (!fill(c, c->in.len + 1))
            return false;
    size_t head_len = (size_t)(end - c->in.s) + 4;
    char *head = xmemdup(c->in.s, head_len);
    c->exchange.head = head;
    c->exchange.body_len = body_len(head);
    c->exchange.number = ++c->server->requests;
    bool whole = fill(c, head_len + c->exchange.body_len);
    if (whole) {
        char *body = xmemdup(c->in.s + head_len, c->exchange.body_len);
        struct text rest = {0};
        text_add_bytes(&rest, c->in.s + head_len + c->exchange.body_len,
                       c->in.len - head_len - c->exchange.body_len);
        text_release(&c->in);
        c->in = rest;
        c->exchange.body = body;
        c->server->serving++;
        c->server->serve(c->server->arg, &c->exchange);
        c->server->serving--;
        free(body);
    }
    free(head);
    return whole && !c->closed;
}

/* ---- connections ---- */

static int pass_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned in_len, void *arg)
{
    static const unsigned char http11[] = "\x08http/1.1";

    (void)ssl, (void)arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, http11, sizeof http11 - 1, in,
                                 in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static bool handshake(struct connection *c, const struct certificate *identity)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_use_certificate(ctx, identity->x509);
    SSL_CTX_use_PrivateKey(ctx, identity->key);
    SSL_CTX_set_alpn_select_cb(ctx, pass_alpn, NULL);
    if (c->server->client_ca) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), c->server->client_ca->x509);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    c->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1)
        return false;
    X509 *peer = SSL_get0_peer_certificate(c->ssl);
    if (peer)
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, c->client, sizeof c->client);
    return true;
}

static void *run_connection(void *arg)
{
    struct connection *c = arg;
    struct web_server *s = c->server;

    pthread_mutex_lock(&s->lock);
    const struct certificate *identity = s->identity;
    pthread_mutex_unlock(&s->lock);
    if (!identity || handshake(c, identity))
        while (serve_one(c))
            continue;
    connection_close(c);
    return NULL;
}

static void *run_server(void *arg)
{
    struct web_server *s = arg;
    int fd;

    while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct connection *c = xcalloc(1, sizeof *c);
        c->server = s;
        c->fd = fd;
        c->exchange.connection = ++s->accepted;
        c->exchange.client = c->client;
        pthread_mutex_lock(&s->lock);
        LIST_INSERT_HEAD(&s->connections, c, link);
        pthread_mutex_unlock(&s->lock);
        if (pthread_create(&c->thread, NULL, run_connection, c) != 0)
            die("thread");
    }
    return NULL;
}

struct web_server *web_server_new(const struct certificate *identity, const struct certificate *client_ca,
                                  web_serve_fn *serve, void *arg)
{
    struct web_server *s = xcalloc(1, sizeof *s);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;

    signal(SIGPIPE, SIG_IGN);
    s->identity = identity;
    s->client_ca = client_ca;
    s->serve = serve;
    s->arg = arg;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, len) < 0 || listen(s->fd, 64) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) < 0)
        die("listen");
    snprintf(s->url, sizeof s->url, "%s://127.0.0.1:%d", identity ? "https" : "http", ntohs(at.sin_port));
    if (pthread_create(&s->thread, NULL, run_server, s) != 0)
        die("thread");
    return s;
}

void web_server_free(struct web_server *s)
{
    struct connection *c;

    if (!s)
        return;
    shutdown(s->fd, SHUT_RDWR); /* accept fails */
    pthread_join(s->thread, NULL);
    while ((c = LIST_FIRST(&s->connections))) {
        shutdown(c->fd, SHUT_RDWR);
        pthread_join(c->thread, NULL);
        LIST_REMOVE(c, link);
        SSL_free(c->ssl);
        close(c->fd);
        text_release(&c->in);
        free(c);
    }
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *web_server_url_get(const struct web_server *s)
{
    return s->url;
}

int web_server_connections(const struct web_server *s)
{
    return s->accepted;
}

bool web_server_is_idle(const struct web_server *s)
{
    return s->serving == 0;
}

void web_server_set_identity(struct web_server *s, const struct certificate *identity)
{
    pthread_mutex_lock(&s->lock);
    s->identity = identity;
    pthread_mutex_unlock(&s->lock);
}
