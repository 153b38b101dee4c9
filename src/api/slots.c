/* The calls of rivers.h about slots of pools. */
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/visit.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/bell.h"
#include "core/name.h"
#include "core/pool.h"
#include "core/terms.h"

#define NAME_EXTRA "_.-" /* in the name of a claim, beside letters and digits */

static struct claimant claimant_of(const struct rivers_slots *s, int32_t priority)
{
    return (struct claimant){.run = s->claim, .step = "main", .attempt = 1, .priority = priority};
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What was granted or renewed when it was asked for then. */
static void slots_hold(struct visit *v, struct rivers_slots *s, int64_t asked_at)
{
    s->renew_at = s->lease_ms ? asked_at + terms_renew_ms(s->lease_ms) : INT64_MAX;
    s->stop_at = s->lease_ms ? asked_at + s->lease_ms - terms_margin_ms(s->lease_ms) : INT64_MAX;
    if (s->lease_ms)
        redis_retry_within(v->h->session.redis, terms_retry_ms(s->lease_ms));
}

static enum rivers_code slots_lost(struct visit *v, const struct rivers_slots *s)
{
    return visit_refuse(v, RIVERS_LOST, "the slots of '%s' are held no longer", s->claim);
}

/* --- the line: a claim that waits is woken by its bell */

struct line {
    struct event_base *base;
    struct bell *bell;
    struct event *alarm;
    bool rung, over;
};

static void on_ring(void *arg)
{
    struct line *l = arg;

    l->rung = true;
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct line *l = arg;

    (void)fd, (void)what;
    l->over = true;
}

static void line_release(struct line *l)
{
    if (!l->bell)
        return;
    bell_free(l->bell);
    event_free(l->alarm);
}

static void line_join(struct line *l, struct store *store, const struct rivers_slots *s)
{
    char *name = xasprintf("wake:%s", s->claim);

    l->base = redis_base_get(store_redis_get(store));
    l->bell = bell_new(store, name, on_ring, l);
    l->alarm = evtimer_new(l->base, on_alarm, l);
    free(name);
}

/* Until the bell rings, and no longer than most_ms. */
static void line_wait(struct line *l, int64_t most_ms)
{
    l->over = false;
    timer_set(l->alarm, most_ms);
    bell_listen(l->bell);
    while (!l->rung && !l->over)
        event_base_loop(l->base, EVLOOP_ONCE);
    l->rung = false;
}

/* --- claim */

struct claim { /* what is asked, and for whom */
    struct pool_claim *pools;
    size_t n;
    int32_t priority;
    struct rivers_slots *slots;
};

static enum rivers_code granted(struct visit *v, struct rivers_slots *s, const struct reply *r,
                                int64_t asked_at)
{
    s->token = reply_int(reply_at(r, 1), 0);
    s->lease_ms = reply_int(reply_at(r, 2), 0);
    slots_hold(v, s, asked_at);
    if (clock_mono_ms() < s->stop_at)
        return RIVERS_OK;
    s->token = 0;
    return visit_refuse(v, RIVERS_UNKNOWN, "the answer to '%s' came too late for a lease of %" PRId64 " ms",
                        s->claim, s->lease_ms);
}

/* RIVERS_TIMEOUT: it waits, v->e says for what. */
static enum rivers_code claim_ask(struct visit *v, const struct claim *c)
{
    const struct claimant who = claimant_of(c->slots, c->priority);
    int64_t asked_at = clock_mono_ms();
    struct reply *r =
        call_wait(claim_call(v->h->session.store, &who, c->pools, c->n), v->h->timeout_ms, &v->e);
    enum rivers_code code;

    if (!r)
        return visit_fault(v);
    if (reply_is(r, "GRANTED")) {
        code = granted(v, c->slots, r, asked_at);
    } else if (reply_is(r, "WAITING")) {
        code = visit_refuse(v, RIVERS_TIMEOUT, "%s", reply_str(reply_at(r, 1)));
    } else {
        claim_fault(r, who.step, &v->e);
        code = visit_fault(v);
    }
    reply_free(r);
    return code;
}

static enum rivers_code claim_wait(struct visit *v, const struct claim *c, int64_t wait_ms)
{
    int64_t until = visit_end_of(wait_ms), left_ms;
    struct line line = {0};
    enum rivers_code code;
    char span[64];

    while ((code = claim_ask(v, c)) == RIVERS_TIMEOUT && (left_ms = until - clock_mono_ms()) > 0) {
        if (!line.bell)
            line_join(&line, v->h->session.store, c->slots);
        line_wait(&line, lesser(left_ms, POOL_ASK_AGAIN_MS));
    }
    line_release(&line);
    if (code == RIVERS_TIMEOUT)
        err_prefix(&v->e, "timed out waiting for pool slots after %s",
                   duration_print_ms(wait_ms, span, sizeof span));
    return code;
}

static int pools_read(struct claim *c, const struct rivers_pool *pools, size_t n, struct err *e)
{
    if (n == 0)
        return err_set(e, ERR_INVALID, "no pool is named");
    if (n > POOL_CLAIM_MAX)
        return err_set(e, ERR_INVALID, "pool '%s': a claim has at most %d pools", pools[POOL_CLAIM_MAX].name,
                       POOL_CLAIM_MAX);
    for (; c->n < n; c->n++) {
        const struct rivers_pool *p = &pools[c->n];
        if (pool_name_check(p->name, e) < 0)
            return -1;
        if (p->slots < 1 || p->slots > POOL_SLOTS_MAX)
            return err_set(e, ERR_INVALID, "pool '%s': slots must be a whole number from 1 to %d", p->name,
                           POOL_SLOTS_MAX);
        c->pools[c->n] = (struct pool_claim){xstrdup(p->name), p->slots};
    }
    return 0;
}

/* Whether s is what rivers_claim has left, rather than memory that nobody has zeroed. */
static bool is_claim(const struct rivers_slots *s)
{
    return memchr(s->claim, '\0', sizeof s->claim) && name_is_plain(s->claim, sizeof s->claim, NAME_EXTRA);
}

static int slots_name(struct rivers_slots *s, const char *label, struct err *e)
{
    if (s->token)
        return err_set(e, ERR_INVALID, "slots: hold some already");
    if (*s->claim && !is_claim(s))
        return err_set(e, ERR_INVALID, "slots: must be zeroed before they are first claimed");
    if (label && !name_is_plain(label, CLAIMANT_LABEL_BYTES, NAME_EXTRA))
        return err_set(e, ERR_INVALID, "label '%s': must be 1 to %d of " NAME_RULE, label,
                       CLAIMANT_LABEL_BYTES);
    if (!*s->claim) {
        char *name = claimant_name(label);
        snprintf(s->claim, sizeof s->claim, "%s", name);
        free(name);
    }
    return 0;
}

int rivers_claim(struct rivers *h, const char *label, const struct rivers_pool *pools, size_t n,
                 int32_t priority, int64_t wait_ms, struct rivers_slots *slots, struct rivers_error *error)
{
    struct claim c = {xcalloc(n, sizeof *c.pools), 0, priority, slots};
    enum rivers_code code;
    struct visit v;

    visit_begin(&v, h);
    if (pools_read(&c, pools, n, &v.e) < 0 || slots_name(slots, label, &v.e) < 0)
        code = visit_fault(&v);
    else
        code = claim_wait(&v, &c, wait_ms > 0 ? wait_ms : 0);
    claims_release(c.pools, c.n);
    return visit_end(&v, code, error);
}

/* --- renew */

/* Asks until it is answered, in pieces after which a connection that brings nothing is given up. *asked_at is when it was asked last.
 * A holder that comes after its stop_at asks once: the server may know that nothing was lost. */
static struct reply *renew_ask(struct visit *v, const struct rivers_slots *s, int64_t *asked_at)
{
    const struct grant grant = {"main", s->token};
    int64_t begun = clock_mono_ms(), answer_ms = terms_answer_ms(s->lease_ms);
    int64_t until = begun < s->stop_at ? lesser(s->stop_at, begun + v->h->timeout_ms) : begun + answer_ms;
    struct reply *r;

    *asked_at = begun;
    do {
        r = call_wait(renew_slots_call(v->h->session.store, s->claim, &grant, 1),
                      lesser(answer_ms, until - *asked_at), &v->e);
        if (r || (v->e.code != ERR_UNAVAILABLE && v->e.code != ERR_UNKNOWN) || clock_mono_ms() >= until)
            return r;
        *asked_at = clock_mono_ms();
    } while (*asked_at < until);
    return NULL;
}

static enum rivers_code renew(struct visit *v, struct rivers_slots *s)
{
    int64_t asked_at;
    struct reply *r = renew_ask(v, s, &asked_at);
    bool answered = r, renewed = answered && reply_count(r) == 1; /* stale ones are named behind it */

    reply_free(r);
    if (renewed)
        slots_hold(v, s, asked_at);
    else
        s->renew_at = asked_at + terms_renew_ms(s->lease_ms);
    if (clock_mono_ms() >= s->stop_at || (answered && !renewed))
        return slots_lost(v, s);
    return renewed ? RIVERS_OK : visit_fault(v);
}

int rivers_renew(struct rivers *h, struct rivers_slots *slots, struct rivers_error *error)
{
    enum rivers_code code = RIVERS_OK;
    struct visit v;

    visit_begin(&v, h);
    if (!slots->token)
        code = visit_refuse(&v, RIVERS_INVALID, "slots: none are held");
    else if (slots->lease_ms)
        code = renew(&v, slots);
    return visit_end(&v, code, error);
}

/* --- release */

static enum rivers_code release(struct visit *v, struct rivers_slots *s)
{
    const struct claimant who = claimant_of(s, 0);
    struct reply *r = call_wait(release_call(v->h->session.store, &who, s->token), v->h->timeout_ms, &v->e);
    bool given_back = reply_is(r, "OK");

    if (!r)
        return visit_fault(v);
    reply_free(r);
    enum rivers_code code = given_back ? RIVERS_OK : slots_lost(v, s);
    *s = (struct rivers_slots){0};
    return code;
}

int rivers_release(struct rivers *h, struct rivers_slots *slots, struct rivers_error *error)
{
    struct visit v;

    visit_begin(&v, h);
    return visit_end(&v, *slots->claim ? release(&v, slots) : RIVERS_OK, error);
}
