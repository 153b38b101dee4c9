#include "redis/transport.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "redis/tls.h"

#define ADDRESSES_MAX     16
#define CONNECT_TIMEOUT_S 5

struct address {
    struct sockaddr_storage at;
    socklen_t len;
};

struct transport {
    struct event_base *base;
    const struct redis_url *url;
    char *host; /* whom TLS expects */
    const struct transport_events *events;
    void *arg;
    struct address addresses[ADDRESSES_MAX];
    size_t count, next; /* the addresses from `next` on were not tried yet */
    struct bufferevent *stream;
    struct evbuffer *out; /* until flush */
    struct event *flush;  /* behind the callbacks that are due now */
    bool is_open;
};

static const struct tcp_option {
    int level, name, value;
} tcp_options[] = {
    {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 15},
    {IPPROTO_TCP, TCP_KEEPINTVL, 5}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
};

static void add_unix(struct transport *t, const char *path)
{
    struct address *a = &t->addresses[t->count++];
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path); /* redis_url_parse saw that it fits */
    memcpy(&a->at, &sun, sizeof sun);
    a->len = sizeof sun;
}

static int add_host(struct transport *t, const struct redis_host *host, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    char service[16];

    t->host = xstrdup(host->name);
    snprintf(service, sizeof service, "%d", host->port);
    int status = getaddrinfo(host->name, service, &hints, &found);
    if (status)
        return err_set(e, ERR_UNAVAILABLE, "cannot resolve '%s': %s", host->name, gai_strerror(status));
    for (struct addrinfo *i = found; i && t->count < ADDRESSES_MAX; i = i->ai_next) {
        struct address *a = &t->addresses[t->count++];
        memcpy(&a->at, i->ai_addr, i->ai_addrlen);
        a->len = i->ai_addrlen;
    }
    freeaddrinfo(found);
    return 0;
}

/* For the socket that libevent has made. Refused options cost speed, not correctness. */
static void set_options(int fd, sa_family_t family)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (family == AF_UNIX)
        return;
    for (size_t i = 0; i < sizeof tcp_options / sizeof *tcp_options; i++)
        setsockopt(fd, tcp_options[i].level, tcp_options[i].name, &tcp_options[i].value,
                   sizeof tcp_options[i].value);
}

static void on_read(struct bufferevent *stream, void *arg)
{
    struct transport *t = arg;

    t->events->on_bytes(t->arg, bufferevent_get_input(stream));
}

static void on_event(struct bufferevent *stream, short what, void *arg);

/* What carries the bytes is decided here and nowhere else. */
static struct bufferevent *stream_new(const struct transport *t, struct err *e)
{
    const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;

    if (t->url->tls)
        return tls_stream_new(t->base, options, t->url, t->host, e);
    return bufferevent_socket_new(t->base, -1, options);
}

/* Starts to connect. */
static int stream_open(struct transport *t, const struct address *a, struct err *e)
{
    const struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S};

    t->stream = stream_new(t, e);
    if (!t->stream)
        return -1;
    bufferevent_setcb(t->stream, on_read, NULL, on_event, t);
    bufferevent_set_timeouts(t->stream, NULL, &timeout);
    if (bufferevent_socket_connect(t->stream, (const struct sockaddr *)&a->at, (int)a->len) < 0)
        return err_set(e, ERR_UNAVAILABLE, "%s", strerror(errno));
    set_options(bufferevent_getfd(t->stream), a->at.ss_family);
    return 0;
}

static void stream_close(struct transport *t)
{
    if (t->stream)
        bufferevent_free(t->stream);
    t->stream = NULL;
}

/* Starts with the first address that does not fail at once; -1 and e when no address is left. */
static int connect_next(struct transport *t, struct err *e)
{
    while (t->next < t->count) {
        if (stream_open(t, &t->addresses[t->next++], e) == 0)
            return 0;
        stream_close(t);
    }
    return -1;
}

static void why_failed(struct transport *t, short what, struct err *e)
{
    int error = EVUTIL_SOCKET_ERROR();

    if (what & BEV_EVENT_TIMEOUT)
        err_set(e, ERR_UNAVAILABLE, "no connection within %d s", CONNECT_TIMEOUT_S);
    else if (t->url->tls && tls_why(t->stream, e) < 0)
        return;
    else if ((what & BEV_EVENT_EOF) || !error)
        err_set(e, ERR_UNAVAILABLE, "connection closed by the server");
    else
        err_set(e, ERR_UNAVAILABLE, "%s", strerror(error));
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
    struct transport *t = arg;
    struct err e;

    if (what & BEV_EVENT_CONNECTED) {
        t->is_open = true;
        bufferevent_set_timeouts(stream, NULL, NULL);
        bufferevent_enable(stream, EV_READ);
        t->events->on_open(t->arg);
        return;
    }
    why_failed(t, what, &e);
    stream_close(t);
    if (t->is_open || connect_next(t, &e) < 0)
        t->events->on_close(t->arg, e.msg);
}

/* What these callbacks send leaves together, and without waiting for the socket to be told writable first. */
static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;

    (void)fd;
    (void)what;
    if (!t->stream)
        return;
    if (!t->url->tls && evbuffer_get_length(bufferevent_get_output(t->stream)) == 0)
        evbuffer_write(t->out, bufferevent_getfd(t->stream));
    if (evbuffer_get_length(t->out) > 0)
        bufferevent_write_buffer(t->stream, t->out);
}

struct transport *transport_open(struct event_base *base, const struct redis_url *url,
                                 const struct redis_host *host, const struct transport_events *events,
                                 void *arg, struct err *e)
{
    struct transport *t = xcalloc(1, sizeof *t);
    int status = 0;

    t->base = base;
    t->url = url;
    t->events = events;
    t->arg = arg;
    t->out = evbuffer_new();
    t->flush = event_new(base, -1, 0, on_flush, t);
    if (url->path)
        add_unix(t, url->path);
    else
        status = add_host(t, host, e);
    if (status == 0 && connect_next(t, e) == 0)
        return t;
    transport_free(t);
    return NULL;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    stream_close(t);
    evbuffer_free(t->out);
    event_free(t->flush);
    free(t->host);
    free(t);
}

void transport_send(struct transport *t, const void *bytes, size_t len)
{
    evbuffer_add(t->out, bytes, len);
    event_active(t->flush, 0, 0);
}
