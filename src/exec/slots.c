#include "exec/slots.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/terms.h"

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
    struct event *again, *timeout, *fence;
    struct question *question; /* under way, or NULL */
    bool ask_again;
    int64_t token, lease_ms; /* of the grant */
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

static void lose(struct claim *c, int64_t grace_ms)
{
    c->state = CLAIM_OVER;
    evtimer_del(c->fence);
    c->events.on_lost(c->events.arg, grace_ms);
}

/* A grant that could not be renewed is given up so early that what runs under it is gone before its end. */
static void on_fence(evutil_socket_t fd, short what, void *arg)
{
    struct claim *c = arg;

    (void)fd;
    (void)what;
    lose(c, terms_grace_ms(c->lease_ms));
}

/* Until its fence, when it was asked for then: what is left is 0 or less when the answer was long on its way. */
static int64_t left_ms(const struct claim *c, int64_t asked_at)
{
    return asked_at + c->lease_ms - terms_margin_ms(c->lease_ms) - clock_mono_ms();
}

/* Until the fence, by what was asked for then. */
static void held_from(struct claim *c, int64_t asked_at)
{
    timer_set(c->fence, left_ms(c, asked_at));
    if (c->events.on_held)
        c->events.on_held(c->events.arg, asked_at, c->lease_ms);
}

/* Lease 0: only unlimited pools were asked, nothing is recorded and nothing ends. */
static bool has_lease(const struct claim *c)
{
    return c->state == CLAIM_HELD && c->lease_ms > 0;
}

/* 0: nothing is under a lease. */
static int64_t shortest_lease(const struct slots *s)
{
    int64_t shortest = 0;

    for (const struct claim *c = s->claims; c; c = c->next)
        if (has_lease(c) && (!shortest || c->lease_ms < shortest))
            shortest = c->lease_ms;
    return shortest;
}

static void renewal_plan(struct slots *s)
{
    int64_t lease_ms = shortest_lease(s);

    if (lease_ms)
        timer_set(s->renew, terms_renew_ms(lease_ms));
    else
        evtimer_del(s->renew);
}

static bool is_stale(const struct reply *r, int64_t token)
{
    for (size_t i = 1; i < reply_count(r); i++)
        if (reply_int(reply_at(r, i), 0) == token)
            return true;
    return false;
}

static void on_renewed(void *arg, const struct reply *r, const struct err *e)
{
    struct renewal *n = arg;
    struct slots *s = n->slots;

    (void)e; /* without an answer the next try follows, and the fence judges when it is too late */
    if (s)
        s->renewal = NULL;
    for (size_t i = 0; s && r && i < n->n; i++) {
        struct claim *c = s->claims;
        while (c && !(has_lease(c) && c->token == n->tokens[i]))
            c = c->next;
        if (c && is_stale(r, c->token))
            lose(c, 0); /* someone else may have them by now */
        else if (c)
            held_from(c, n->asked_at);
    }
    free(n);
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
            grants[a->n] = (struct grant){c->who.step, c->token};
            a->tokens[a->n++] = c->token;
        }
    a->slots = s;
    a->asked_at = clock_mono_ms();
    s->renewal = a;
    call_send(renew_slots_call(s->store, s->claims->who.run, grants, n), terms_answer_ms(shortest_lease(s)),
              on_renewed, a);
    free(grants);
}

static void on_renew_time(evutil_socket_t fd, short what, void *arg)
{
    struct slots *s = arg;

    (void)fd;
    (void)what;
    renew(s);
    renewal_plan(s);
}

/* --- asking --- */

static void ask(struct claim *c);

static void granted(struct claim *c, const struct reply *r, int64_t asked_at)
{
    c->token = reply_int(reply_at(r, 1), 0);
    c->lease_ms = reply_int(reply_at(r, 2), 0);
    if (c->lease_ms > 0 && left_ms(c, asked_at) <= 0) {
        ask(c); /* the answer was long on its way, or we stood still */
        return;
    }
    evtimer_del(c->again);
    evtimer_del(c->timeout);
    c->state = CLAIM_HELD;
    if (has_lease(c)) {
        held_from(c, asked_at);
        redis_retry_within(store_redis_get(c->slots->store), terms_retry_ms(c->lease_ms));
    }
    renewal_plan(c->slots);
    c->events.on_granted(c->events.arg, c->token);
}

static void refused(struct claim *c, const struct reply *r)
{
    struct err why;

    claim_fault(r, c->who.step, &why);
    c->state = CLAIM_OVER;
    c->events.on_refused(c->events.arg, why.msg);
}

static void on_answer(void *arg, const struct reply *r, const struct err *e)
{
    struct question *q = arg;
    struct claim *c = q->claim;
    int64_t asked_at = q->asked_at;

    free(q);
    if (!c)
        return;
    c->question = NULL; /* without an answer it is asked again; what was granted is found then */
    if (e->code == ERR_SERVER)
        log_line(LOG_WARN, "slots could not be claimed yet", "step", c->who.step, "why", e->msg, NULL);
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
    c->fence = evtimer_new(base, on_fence, c);
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
    event_free(c->fence);
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
