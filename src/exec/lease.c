#include "exec/lease.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/bell.h"
#include "core/terms.h"
#include "exec/seats.h"

#define BELL_AFTER_MS                                                                                        \
    100 /* a run that is over before needs no connection for it; what rang meanwhile is heard then */

static const char too_late[] = "its lease could not be renewed in time";

struct lease {
    struct store *store;
    struct execution x;
    struct lease_events events;
    struct bell *bell; /* NULL: not listening yet */
    struct seat *seat;
    struct event *renew, *fence, *listen;
    int64_t length_ms;
    int64_t held_from; /* on our own clock: when it was asked for by which it is held */
    int64_t fence_at;
    int64_t grace_told; /* with on_cancel; -1: not canceled */
    bool ask_again, lost;
    struct renewal *renewal; /* the one under way */
};

/* A renewal under way outlives the lease that asked, until its reply is there. */
struct renewal {
    struct lease *lease; /* NULL: freed meanwhile */
    int64_t asked_at;
};

static void lose(struct lease *l, const char *why, int64_t grace_ms)
{
    if (l->lost)
        return;
    l->lost = true;
    evtimer_del(l->renew);
    evtimer_del(l->fence);
    evtimer_del(l->listen);
    seat_give_up(l->seat);
    l->events.on_lost(l->events.arg, why, grace_ms);
}

bool lease_holds(const struct lease *l)
{
    return !l->lost && clock_mono_ms() < l->fence_at;
}

/* What comes behind the fence changes nothing: somebody may know already that it does not hold. */
static void held_from(struct lease *l, int64_t asked_at)
{
    if (asked_at <= l->held_from || (l->held_from && !lease_holds(l)))
        return;
    l->held_from = asked_at;
    l->fence_at = asked_at + l->length_ms - terms_margin_ms(l->length_ms);
    timer_set(l->fence, l->fence_at - clock_mono_ms());
    seat_hold(l->seat, asked_at);
}

static void ask(struct lease *l);

static void on_answer(struct lease *l, const struct reply *r, int64_t asked_at)
{
    const struct reply *answer = reply_at(r, 1);

    if (!reply_is(answer, "OK") && !reply_is(answer, "CANCEL")) {
        lose(l, "its token is stale: the run was given up or given on", 0);
        return;
    }
    held_from(l, asked_at);
    int64_t grace_ms = reply_is(answer, "CANCEL") ? reply_int(reply_at(answer, 1), 0) : -1;
    if (grace_ms >= 0 && grace_ms != l->grace_told) {
        l->grace_told = grace_ms;
        l->events.on_cancel(l->events.arg, grace_ms);
    }
}

static void on_renewed(void *arg, const struct reply *r, const struct err *e)
{
    struct renewal *n = arg;
    struct lease *l = n->lease;
    int64_t asked_at = n->asked_at;

    (void)e; /* without an answer the next try follows; the fence judges when it is too late */
    free(n);
    if (!l)
        return;
    l->renewal = NULL;
    if (l->lost)
        return;
    if (r)
        on_answer(l, r, asked_at);
    if (l->ask_again) {
        l->ask_again = false;
        ask(l);
    }
}

static void ask(struct lease *l)
{
    if (l->lost)
        return;
    timer_set(l->renew, terms_renew_ms(l->length_ms));
    if (l->renewal) {
        l->ask_again = true;
        return;
    }
    l->renewal = xcalloc(1, sizeof *l->renewal);
    *l->renewal = (struct renewal){l, clock_mono_ms()};
    struct call *c = renew_call(l->store, l->length_ms);
    renew_add(c, &l->x);
    call_send(c, terms_answer_ms(l->length_ms), on_renewed, l->renewal);
}

/* Asked for by the dequeuer, it may be renewed already. Timers do not count while the host is suspended, our clock does: the
 * fence may be behind us. */
static void on_renew_time(evutil_socket_t fd, short what, void *arg)
{
    struct lease *l = arg;

    (void)fd;
    (void)what;
    held_from(l, seat_look(l->seat));
    int64_t left_ms = l->held_from + terms_renew_ms(l->length_ms) - clock_mono_ms();
    if (!lease_holds(l))
        lose(l, too_late, terms_grace_ms(l->length_ms));
    else if (left_ms > 0)
        timer_set(l->renew, left_ms);
    else
        ask(l);
}

static void on_fence_time(evutil_socket_t fd, short what, void *arg)
{
    struct lease *l = arg;

    (void)fd;
    (void)what;
    lose(l, too_late, terms_grace_ms(l->length_ms));
}

static void on_bell(void *arg)
{
    struct lease *l = arg;

    ask(l);
    l->events.on_bell(l->events.arg);
    if (!l->lost)
        bell_listen(l->bell);
}

static void on_listen_time(evutil_socket_t fd, short what, void *arg)
{
    struct lease *l = arg;
    char *name = xasprintf("wake:%s", l->x.run);

    (void)fd;
    (void)what;
    l->bell = bell_new(l->store, name, on_bell, l);
    free(name);
    bell_listen(l->bell);
}

struct lease *lease_new(struct store *store, const struct execution *x, int64_t lease_ms, int64_t asked_at,
                        struct seat *seat, const struct lease_events *events)
{
    struct lease *l = xcalloc(1, sizeof *l);
    struct event_base *base = redis_base_get(store_redis_get(store));

    l->store = store;
    l->x = *x;
    l->events = *events;
    l->seat = seat;
    l->length_ms = lease_ms;
    l->grace_told = -1;
    l->renew = evtimer_new(base, on_renew_time, l);
    l->fence = evtimer_new(base, on_fence_time, l);
    l->listen = evtimer_new(base, on_listen_time, l);
    seat_fill(seat, x, lease_ms);
    held_from(l, asked_at);
    timer_set(l->renew, terms_renew_ms(lease_ms));
    redis_retry_within(store_redis_get(store), terms_retry_ms(lease_ms));
    timer_set(l->listen, BELL_AFTER_MS);
    return l;
}

void lease_free(struct lease *l)
{
    if (!l)
        return;
    if (l->renewal)
        l->renewal->lease = NULL;
    seat_leave(l->seat);
    bell_free(l->bell);
    event_free(l->renew);
    event_free(l->fence);
    event_free(l->listen);
    free(l);
}
