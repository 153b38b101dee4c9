#include "backend/renewals.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/execution.h"
#include "core/terms.h"

struct renewals {
    struct store *store;
    const struct settings *settings;
    struct seats *seats; /* NULL: left, and lives on for the calls that are under way */
    struct event *timer;
    int64_t every_ms; /* to the next round */
    size_t calls;     /* under way */
};

/* One call, of leases of one length. */
struct batch {
    struct renewals *renewals;
    struct call *call;
    int64_t lease_ms, asked_at;
    size_t n;
    struct {
        size_t seat;
        int64_t token;
    } asked[RENEW_BATCH];
};

/* What was canceled or is stale is left for its executor to hear. */
static void on_renewed(void *arg, const struct reply *r, const struct err *e)
{
    struct batch *batch = arg;
    struct renewals *rn = batch->renewals;

    (void)e; /* executors ask for themselves */
    for (size_t i = 0; rn->seats && i < batch->n; i++)
        if (reply_is(reply_at(r, 1 + i), "OK"))
            seat_renewed(seats_at(rn->seats, batch->asked[i].seat), batch->asked[i].token, batch->asked_at);
    free(batch);
    if (--rn->calls == 0 && !rn->seats)
        free(rn);
}

static void batch_send(struct batch *batch)
{
    if (!batch)
        return;
    batch->renewals->calls++;
    call_send(batch->call, terms_answer_ms(batch->lease_ms), on_renewed, batch);
}

static struct batch *batch_new(struct renewals *rn, int64_t lease_ms, int64_t asked_at)
{
    struct batch *batch = xcalloc(1, sizeof *batch);

    batch->renewals = rn;
    batch->call = renew_call(rn->store, lease_ms);
    batch->lease_ms = lease_ms;
    batch->asked_at = asked_at;
    return batch;
}

static void batch_add(struct batch *batch, size_t seat, const struct seat_lease *l)
{
    renew_add(batch->call, &(struct execution){l->run, l->token, l->executor});
    batch->asked[batch->n].seat = seat;
    batch->asked[batch->n++].token = l->token;
}

/* The next round would be too late. */
static bool is_due(const struct renewals *rn, const struct seat_lease *l, int64_t now)
{
    return now < l->seen_at + terms_alive_ms(l->lease_ms) &&
           now + rn->every_ms > l->renewed_at + terms_ahead_ms(l->lease_ms);
}

static void on_round(evutil_socket_t fd, short what, void *arg)
{
    struct renewals *rn = arg;
    struct batch *batch = NULL;
    struct seat_lease l;
    int64_t now = clock_mono_ms(); /* before any seat is read */
    int64_t shortest_ms = rn->settings->run_lease_ms;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < seats_count(rn->seats); i++) {
        if (!seat_read(seats_at(rn->seats, i), &l))
            continue;
        shortest_ms = l.lease_ms < shortest_ms ? l.lease_ms : shortest_ms;
        if (!is_due(rn, &l, now))
            continue;
        if (batch && (batch->n == RENEW_BATCH || batch->lease_ms != l.lease_ms)) {
            batch_send(batch);
            batch = NULL;
        }
        if (!batch)
            batch = batch_new(rn, l.lease_ms, now);
        batch_add(batch, i, &l);
    }
    batch_send(batch);
    rn->every_ms = terms_ahead_ms(shortest_ms);
    timer_set(rn->timer, rn->every_ms);
}

struct renewals *renewals_new(struct store *store, const struct settings *settings, struct seats *seats)
{
    struct renewals *rn = xcalloc(1, sizeof *rn);

    rn->store = store;
    rn->settings = settings;
    rn->seats = seats;
    rn->timer = evtimer_new(redis_base_get(store_redis_get(store)), on_round, rn);
    rn->every_ms = terms_ahead_ms(settings->run_lease_ms);
    timer_set(rn->timer, rn->every_ms);
    return rn;
}

void renewals_free(struct renewals *rn)
{
    if (!rn)
        return;
    event_free(rn->timer);
    rn->seats = NULL;
    if (rn->calls == 0)
        free(rn);
}
