#include "exec/step_log.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/timer.h"
#include "exec/tail.h"

#define FLUSH_MS  200
#define CALLS_MAX 4        /* chunks under way while the step runs; above it output waits in the tail */
#define KEPT_MS   86400000 /* a chunk waits so long for a server that is away */

struct step_log {
    struct store *store;
    const struct execution *x;
    const char *step;
    struct tail tail;
    struct event *timer;
    struct window *window;
};

/* Counts the chunks under way; lives until the last of them is answered, also when the log is gone. */
struct window {
    struct step_log *log;
    int calls;
};

static void send_chunks(struct step_log *l, int most_calls);

static void on_logged(void *arg, const struct reply *r, const struct err *e)
{
    struct window *w = arg;

    (void)r; /* output that the server refuses is lost; the run goes on */
    (void)e;
    w->calls--;
    if (w->log && w->log->tail.len >= TAIL_CHUNK_BYTES)
        send_chunks(w->log, CALLS_MAX);
    else if (!w->log && w->calls == 0)
        free(w);
}

static void send_chunks(struct step_log *l, int most_calls)
{
    struct tail_chunk chunk;

    while (l->window->calls < most_calls && (chunk = tail_peek(&l->tail, TAIL_CHUNK_BYTES)).len) {
        l->window->calls++;
        call_send(log_call(l->store, l->x, l->step, chunk.bytes, chunk.len, chunk.end), KEPT_MS, on_logged,
                  l->window);
        tail_consume(&l->tail, chunk.end);
    }
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_chunks(arg, CALLS_MAX);
}

struct step_log *step_log_new(struct store *store, const struct execution *x, const char *step)
{
    struct step_log *l = xcalloc(1, sizeof *l);

    l->store = store;
    l->x = x;
    l->step = step;
    l->timer = evtimer_new(redis_base_get(store_redis_get(store)), on_time, l);
    l->window = xcalloc(1, sizeof *l->window);
    l->window->log = l;
    return l;
}

void step_log_free(struct step_log *l)
{
    event_free(l->timer);
    tail_release(&l->tail);
    if (l->window->calls == 0)
        free(l->window);
    else
        l->window->log = NULL;
    free(l);
}

void step_log_add(struct step_log *l, const char *bytes, size_t n)
{
    tail_add(&l->tail, bytes, n);
    if (l->tail.len >= TAIL_CHUNK_BYTES)
        send_chunks(l, CALLS_MAX);
    else if (!evtimer_pending(l->timer, NULL))
        timer_set(l->timer, FLUSH_MS);
}

void step_log_flush(struct step_log *l)
{
    send_chunks(l, INT32_MAX);
}
