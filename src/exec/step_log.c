#include "exec/step_log.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
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
    bool *refused;
    struct tail tail;
    struct event *timer; /* NULL: freed, but for the chunks under way */
    int calls;           /* chunks under way */
    bool warned;
};

struct chunk {
    struct step_log *log;
    uint64_t end;
};

static void send_chunks(struct step_log *l, int most_calls);

static void on_dropped(void *arg, const struct reply *r, const struct err *e)
{
    (void)arg; /* uncounted, then */
    (void)r;
    (void)e;
}

/* Output that the server refuses is lost; the run goes on. */
static void refused(struct step_log *l, uint64_t end, const struct err *e)
{
    if (!l->warned)
        log_line(LOG_WARN, "output of a step could not be kept", "run", l->x->run, "step", l->step, "why",
                 e->msg, NULL);
    l->warned = true;
    *l->refused = true;
    call_send(drop_call(l->store, l->x, l->step, end), 0, on_dropped, NULL);
}

static void on_logged(void *arg, const struct reply *r, const struct err *e)
{
    struct chunk *c = arg;
    struct step_log *l = c->log;

    if (!r && e->code == ERR_SERVER)
        refused(l, c->end, e);
    free(c);
    l->calls--;
    if (l->timer && l->tail.len >= TAIL_CHUNK_BYTES)
        send_chunks(l, CALLS_MAX);
    else if (l->timer && l->tail.len && !evtimer_pending(l->timer, NULL)) /* all calls were under way then */
        timer_set(l->timer, FLUSH_MS);
    else if (!l->timer && l->calls == 0)
        free(l);
}

static void send_chunks(struct step_log *l, int most_calls)
{
    struct tail_chunk chunk;

    while (l->calls < most_calls && (chunk = tail_peek(&l->tail, TAIL_CHUNK_BYTES)).len) {
        struct chunk *c = xmalloc(sizeof *c);
        *c = (struct chunk){l, chunk.end};
        l->calls++;
        call_send(log_call(l->store, l->x, l->step, chunk.bytes, chunk.len, chunk.end), KEPT_MS, on_logged,
                  c);
        tail_consume(&l->tail, chunk.end);
    }
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_chunks(arg, CALLS_MAX);
}

struct step_log *step_log_new(struct store *store, const struct execution *x, const char *step, bool *refused)
{
    struct step_log *l = xcalloc(1, sizeof *l);

    l->store = store;
    l->x = x;
    l->step = step;
    l->refused = refused;
    l->timer = evtimer_new(redis_base_get(store_redis_get(store)), on_time, l);
    return l;
}

void step_log_free(struct step_log *l)
{
    event_free(l->timer);
    l->timer = NULL;
    tail_release(&l->tail);
    if (l->calls == 0)
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
