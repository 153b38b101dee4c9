#include "support/proxy.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define NEVER (-1)

struct link {
    LIST_ENTRY(link) entry;
    struct proxy *proxy;
    struct bufferevent *client, *server;
    struct event *later; /* brings what was delayed */
};

struct proxy {
    char url[64];
    struct sockaddr_un server;
    pthread_t thread;
    struct event_base *base;
    struct evconnlistener *listener;
    int order_fd; /* an order has come */
    struct event *order;
    _Atomic int stop;
    LIST_HEAD(, link) links;
    _Atomic int lose, delay_ms, accepted;
    _Atomic int cut_after; /* bytes, or NEVER */
};

static void die(const char *what)
{
    fprintf(stderr, "tests/support/proxy: ");
    perror(what);
    exit(1);
}

static void link_free(struct link *l)
{
    LIST_REMOVE(l, entry);
    event_free(l->later);
    bufferevent_free(l->client);
    bufferevent_free(l->server);
    free(l);
}

static void on_request(struct bufferevent *client, void *arg)
{
    struct link *l = arg;

    bufferevent_write_buffer(l->server, bufferevent_get_input(client));
}

/* Passes on what the cut leaves; false when the link is to be closed behind it. */
static bool pass_reply(struct link *l)
{
    struct proxy *p = l->proxy;
    struct evbuffer *in = bufferevent_get_input(l->server);
    int len = (int)evbuffer_get_length(in), left = p->cut_after;

    if (left == NEVER || left >= len) {
        p->cut_after = left == NEVER ? NEVER : left - len;
        bufferevent_write_buffer(l->client, in);
        return true;
    }
    p->cut_after = NEVER;
    if (send(bufferevent_getfd(l->client), evbuffer_pullup(in, left), (size_t)left, MSG_NOSIGNAL) != left)
        die("send");
    return false;
}

static void on_reply(struct bufferevent *server, void *arg)
{
    struct link *l = arg;
    struct proxy *p = l->proxy;
    struct timeval in = {.tv_sec = p->delay_ms / 1000, .tv_usec = p->delay_ms % 1000 * 1000};

    if (p->lose)
        evbuffer_drain(bufferevent_get_input(server), evbuffer_get_length(bufferevent_get_input(server)));
    else if (p->delay_ms)
        evtimer_add(l->later, &in);
    else if (!pass_reply(l))
        link_free(l);
}

static void on_later(int fd, short what, void *arg)
{
    struct link *l = arg;

    (void)fd, (void)what;
    if (!pass_reply(l))
        link_free(l);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    if (!(what & BEV_EVENT_CONNECTED))
        link_free(arg);
}

static struct bufferevent *stream_new(struct link *l, int fd, bufferevent_data_cb on_read)
{
    struct bufferevent *stream = bufferevent_socket_new(l->proxy->base, fd, BEV_OPT_CLOSE_ON_FREE);

    bufferevent_setcb(stream, on_read, NULL, on_event, l);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
    return stream;
}

static void on_accept(struct evconnlistener *listener, int fd, struct sockaddr *from, int len, void *arg)
{
    struct proxy *p = arg;
    struct link *l = xcalloc(1, sizeof *l);
    int upstream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)listener, (void)from, (void)len;
    p->accepted++;
    if (upstream < 0 || connect(upstream, (struct sockaddr *)&p->server, sizeof p->server) < 0) {
        close(upstream);
        close(fd);
        free(l);
        return;
    }
    evutil_make_socket_nonblocking(upstream);
    l->proxy = p;
    l->later = evtimer_new(p->base, on_later, l);
    l->client = stream_new(l, fd, on_request);
    l->server = stream_new(l, upstream, on_reply);
    LIST_INSERT_HEAD(&p->links, l, entry);
}

static void listen_on_loopback(struct proxy *p)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;

    p->listener =
        evconnlistener_new_bind(p->base, on_accept, p, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
                                (struct sockaddr *)&at, sizeof at);
    if (!p->listener || getsockname(evconnlistener_get_fd(p->listener), (struct sockaddr *)&at, &len) < 0)
        die("listen");
    snprintf(p->url, sizeof p->url, "redis://127.0.0.1:%d", ntohs(at.sin_port));
}

static void drop(struct proxy *p)
{
    struct link *l;

    while ((l = LIST_FIRST(&p->links)))
        link_free(l);
}

static void on_order(int fd, short what, void *arg)
{
    struct proxy *p = arg;
    eventfd_t orders;

    (void)what;
    eventfd_read(fd, &orders);
    p->lose = 0;
    drop(p);
    if (p->stop)
        event_base_loopbreak(p->base);
}

static void order(struct proxy *p)
{
    if (eventfd_write(p->order_fd, 1) < 0)
        die("order");
}

static void *run(void *arg)
{
    struct proxy *p = arg;

    event_base_dispatch(p->base);
    return NULL;
}

struct proxy *proxy_new(const struct redis_server *server)
{
    struct proxy *p = xcalloc(1, sizeof *p);

    LIST_INIT(&p->links);
    p->cut_after = NEVER;
    p->server.sun_family = AF_UNIX;
    snprintf(p->server.sun_path, sizeof p->server.sun_path, "%s/redis.sock", server->dir);
    p->base = event_base_new();
    p->order_fd = eventfd(0, EFD_CLOEXEC);
    p->order = event_new(p->base, p->order_fd, EV_READ | EV_PERSIST, on_order, p);
    event_add(p->order, NULL);
    listen_on_loopback(p);
    if (pthread_create(&p->thread, NULL, run, p) != 0)
        die("thread");
    return p;
}

void proxy_free(struct proxy *p)
{
    p->stop = 1;
    order(p);
    pthread_join(p->thread, NULL);
    evconnlistener_free(p->listener);
    event_free(p->order);
    close(p->order_fd);
    event_base_free(p->base);
    free(p);
}

const char *proxy_url_get(const struct proxy *p)
{
    return p->url;
}

void proxy_lose_replies(struct proxy *p, int yes)
{
    p->lose = yes;
}

void proxy_delay_replies(struct proxy *p, int ms)
{
    p->delay_ms = ms;
}

void proxy_cut_reply(struct proxy *p, int n)
{
    p->cut_after = n;
}

void proxy_drop(struct proxy *p)
{
    order(p);
}

int proxy_accepted(const struct proxy *p)
{
    return p->accepted;
}
