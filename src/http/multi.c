#include "http/multi.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "base/timer.h"

/* One socket that libcurl wants to hear of. */
struct watched {
    LIST_ENTRY(watched) link;
    struct event *event;
};

LIST_HEAD(watched_list, watched);

struct multi {
    const struct curl *curl;
    struct event_base *base;
    CURLM *handle;
    struct event *timer; /* the one that libcurl asks for */
    struct watched_list sockets;
    struct multi_events events;
};

/* The ends of transfers are taken one by one: a callback may remove others that have ended as well. */
static void after_turn(struct multi *m)
{
    CURLMsg *message;
    int left;

    m->events.on_turn(m->events.arg);
    while ((message = m->curl->multi_info_read(m->handle, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        m->curl->multi_remove_handle(m->handle, easy);
        m->events.on_done(m->events.arg, easy, result);
    }
}

static void act(struct multi *m, curl_socket_t fd, int events)
{
    int running;

    m->curl->multi_socket_action(m->handle, fd, events, &running);
    after_turn(m);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void watched_free(struct watched *w)
{
    LIST_REMOVE(w, link);
    event_free(w->event);
    free(w);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct multi *m = arg;
    struct watched *w = socket;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            watched_free(w);
        return 0;
    }
    if (!w) {
        w = xcalloc(1, sizeof *w);
        LIST_INSERT_HEAD(&m->sockets, w, link);
        m->curl->multi_assign(m->handle, fd, w);
    } else {
        event_free(w->event);
    }
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    w->event = event_new(m->base, fd, (short)(events | EV_PERSIST), on_socket, m);
    event_add(w->event, NULL);
    return 0;
}

/* Never calls libcurl back, also for "now": what is due comes with the next turn of the loop. */
static int set_timer(CURLM *handle, long in_ms, void *arg)
{
    struct multi *m = arg;

    (void)handle;
    if (in_ms < 0)
        evtimer_del(m->timer);
    else
        timer_set(m->timer, in_ms);
    return 0;
}

struct multi *multi_new(const struct curl *curl, struct event_base *base, long connections_max,
                        const struct multi_events *events)
{
    struct multi *m = xcalloc(1, sizeof *m);

    *m = (struct multi){.curl = curl, .base = base, .handle = curl->multi_init(), .events = *events};
    m->timer = evtimer_new(base, on_timer, m);
    LIST_INIT(&m->sockets);
    curl->multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl->multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
    curl->multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, set_timer);
    curl->multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
    curl->multi_setopt(m->handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    return m;
}

void multi_free(struct multi *m)
{
    struct watched *w;

    if (!m)
        return;
    m->curl->multi_cleanup(m->handle);
    while ((w = LIST_FIRST(&m->sockets)))
        watched_free(w);
    event_free(m->timer);
    free(m);
}

void multi_add(struct multi *m, CURL *easy)
{
    m->curl->multi_add_handle(m->handle, easy);
}

void multi_remove(struct multi *m, CURL *easy)
{
    m->curl->multi_remove_handle(m->handle, easy);
}
