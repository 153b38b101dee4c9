#include "exec/slots.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"

#define ASK_DEADLINE_MS     30000
#define RELEASE_DEADLINE_MS 60000

enum claim_state { CLAIM_ASKING, CLAIM_HELD, CLAIM_OVER };

struct claim {
    enum claim_state state;
    struct slots *slots;
    struct claim *next, **link;
    struct claimant who;
    const struct pool_claim *claims;
    size_t nclaims;
    struct claim_events events;
    struct event *again, *timeout;
    struct question *question; /* under way, or NULL */
    bool ask_again;
    int64_t token, lease_ms, held_until; /* of the grant; held_until on our own clock */
};

struct slots {
    struct store *store;
    struct claim *claims;
    struct event *renew;
    struct renewal *renewal; /* under way, or NULL */
};

/* A claim that was asked outlives its claimant until the answer is there. */
struct question {
    struct claim *claim; /* NULL: released meanwhile */
    int64_t asked_at;
};

/* One renewal of all that was held when it was asked. */
struct renewal {
    struct slots *slots; /* NULL: freed meanwhile */
    int64_t asked_at;
    size_t n;
    int64_t tokens[];
};

/* --- renewal --- */

/* Lease 0: only unlimited pools were asked, nothing is recorded and nothing ends. */
static bool has_lease(const struct claim *c)
{
    return c->state == CLAIM_HELD && c->lease_ms > 0;
}

static void lose(struct claim *c)
{
    c->state = CLAIM_OVER;
    c->events.on_lost(c->events.arg);
}

/* The next renewal is due at a third of the shortest lease. */
static void renewal_plan(struct slots *s)
{
    int64_t soonest = 0;

    for (const struct claim *c = s->claims; c; c = c->next)
        if (has_lease(c) && (!soonest || c->lease_ms / 3 < soonest))
            soonest = c->lease_ms / 3;
    if (soonest)
        timer_set(s->renew, soonest);
    else
        evtimer_del(s->renew);
}

static void on_renewed(void *arg, const struct reply *r, const struct err *e)
{
    struct renewal *n = arg;
    struct slots *s = n->slots;

    (void)e; /* without an answer the next try follows, and lose_overdue judges when it is too late */
    if (s)
        s->renewal = NULL;
    for (size_t i = 0; s && r && i < n->n; i++) {
        struct claim *c = s->claims;
        while (c && !(has_lease(c) && c->token == n->tokens[i]))
            c = c->next;
        if (c && reply_is(reply_at(r, 1 + i), "OK"))
            c->held_until = n->asked_at + c->lease_ms;
        else if (c)
            lose(c);
    }
    free(n);
}

/* A grant that could not be renewed is given up a fifth before its end, so that what runs under it has time to end. */
static bool is_overdue(const struct claim *c)
{
    return has_lease(c) && clock_mono_ms() >= c->held_until - c->lease_ms / 5;
}

static void lose_overdue(struct slots *s)
{
    for (struct claim *c = s->claims, *next; c; c = next) {
        next = c->next;
        if (is_overdue(c))
            lose(c);
    }
}

static void renew(struct slots *s)
{
    size_t n = 0;

    for (const struct claim *c = s->claims; c; c = c->next)
        n += has_lease(c);
    if (s->renewal || n == 0)
        return;
    struct renewal *a = xcalloc(1, sizeof *a + n * sizeof *a->tokens);
    struct grant *grants = xcalloc(n, sizeof *grants);
    for (const struct claim *c = s->claims; c; c = c->next)
        if (has_lease(c)) {
            grants[a->n] = (struct grant){c->who.run, c->who.step, c->token};
            a->tokens[a->n++] = c->token;
        }
    a->slots = s;
    a->asked_at = clock_mono_ms();
    s->renewal = a;
    call_send(renew_slots_call(s->store, grants, n), ASK_DEADLINE_MS, on_renewed, a);
    free(grants);
}

static void on_renew_time(evutil_socket_t fd, short what, void *arg)
{
    struct slots *s = arg;

    (void)fd;
    (void)what;
    lose_overdue(s);
    renew(s);
    renewal_plan(s);
}

/* --- asking --- */

static void ask(struct claim *c);

static void granted(struct claim *c, const struct reply *r, int64_t asked_at)
{
    c->state = CLAIM_HELD;
    c->token = reply_int(reply_at(r, 1), 0);
    c->lease_ms = reply_int(reply_at(r, 2), 0);
    c->held_until = asked_at + c->lease_ms;
    if (is_overdue(c)) { /* the answer was long on its way, or we stood still */
        c->state = CLAIM_ASKING;
        ask(c);
        return;
    }
    evtimer_del(c->again);
    evtimer_del(c->timeout);
    renewal_plan(c->slots);
    c->events.on_granted(c->events.arg, c->token);
}

static void refused(struct claim *c, const struct reply *r)
{
    const char *pool = reply_str(reply_at(r, 1));
    char *why;

    c->state = CLAIM_OVER;
    if (reply_is(r, "NEVER"))
        why = xasprintf("step '%s' asks %s slots of pool '%s' (limit %s): it can never run", c->who.step,
                        reply_str(reply_at(r, 2)), pool, reply_str(reply_at(r, 3)));
    else if (reply_is(r, "UNKNOWN_POOL"))
        why = xasprintf("pool '%s' not configured", pool);
    else
        why = xasprintf("step '%s' may not claim: its run's token is stale", c->who.step);
    c->events.on_refused(c->events.arg, why);
    free(why);
}

static void on_answer(void *arg, const struct reply *r, const struct err *e)
{
    struct question *q = arg;
    struct claim *c = q->claim;
    int64_t asked_at = q->asked_at;

    (void)e; /* without an answer it is asked again; what was granted is found then */
    free(q);
    if (!c)
        return;
    c->question = NULL;
    if (c->ask_again) {
        c->ask_again = false;
        ask(c);
    } else if (!r || reply_is(r, "WAITING")) {
        if (r && c->events.on_waiting)
            c->events.on_waiting(c->events.arg, reply_str(reply_at(r, 1)));
        timer_set(c->again, POOL_ASK_AGAIN_MS);
    } else if (reply_is(r, "GRANTED")) {
        granted(c, r, asked_at);
    } else {
        refused(c, r);
    }
}

static void ask(struct claim *c)
{
    if (c->question) {
        c->ask_again = true;
        return;
    }
    c->question = xcalloc(1, sizeof *c->question);
    *c->question = (struct question){c, clock_mono_ms()};
    call_send(claim_call(c->slots->store, &c->who, c->claims, c->nclaims), ASK_DEADLINE_MS, on_answer,
              c->question);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask(arg);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct claim *c = arg;

    (void)fd;
    (void)what;
    c->events.on_timeout(c->events.arg);
}

struct claim *slots_claim(struct slots *s, const struct claimant *who, const struct pool_claim *claims,
                          size_t n, int64_t timeout_ms, const struct claim_events *events)
{
    struct claim *c = xcalloc(1, sizeof *c);
    struct event_base *base = redis_base_get(store_redis_get(s->store));

    c->slots = s;
    c->who = *who;
    c->claims = claims;
    c->nclaims = n;
    c->events = *events;
    c->again = evtimer_new(base, on_again, c);
    c->timeout = evtimer_new(base, on_timeout, c);
    c->next = s->claims;
    c->link = &s->claims;
    if (c->next)
        c->next->link = &c->next;
    s->claims = c;
    if (timeout_ms > 0)
        timer_set(c->timeout, timeout_ms);
    ask(c);
    return c;
}

static void on_released(void *arg, const struct reply *r, const struct err *e)
{
    (void)arg; /* what could not be given back ends with its lease */
    (void)r;
    (void)e;
}

void slots_release(struct claim *c)
{
    if (!c)
        return;
    if (c->question)
        c->question->claim = NULL;
    call_send(release_call(c->slots->store, &c->who, c->token), RELEASE_DEADLINE_MS, on_released, NULL);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    event_free(c->again);
    event_free(c->timeout);
    free(c);
}

void slots_ask_again(struct slots *s)
{
    for (struct claim *c = s->claims; c; c = c->next)
        if (c->state == CLAIM_ASKING)
            ask(c);
    renew(s);
}

struct slots *slots_new(struct store *store)
{
    struct slots *s = xcalloc(1, sizeof *s);

    s->store = store;
    s->renew = evtimer_new(redis_base_get(store_redis_get(store)), on_renew_time, s);
    return s;
}

void slots_free(struct slots *s)
{
    if (!s)
        return;
    if (s->renewal)
        s->renewal->slots = NULL;
    event_free(s->renew);
    free(s);
}
