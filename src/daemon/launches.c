#include "daemon/launches.h"

#include <event2/event.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/admit.h"

#define ATTEND_MS          1000
#define ATTEND_DEADLINE_MS 10000
#define ATTEND_BATCH       50 /* runs a call */

struct awaited {
    struct launch launch; /* .run is owned */
    bool launched, told;  /* told: the server that it was launched */
    int64_t observe_at;   /* clock_mono_ms: not before */
    char waiting_for[160];
};

struct launches {
    struct store *store;
    const struct settings *settings;
    const struct backend_type *type;
    struct backend *backend;
    struct event *timer;
    void *tree; /* of struct awaited by token, see tsearch(3) */
    size_t n, pending, untold;
    bool left;    /* lives on for the calls that are under way */
    size_t calls; /* under way */
};

/* Each admission has its own token. */
static int compare(const void *a, const void *b)
{
    const struct awaited *left = a, *right = b;

    return left->launch.token < right->launch.token ? -1 : left->launch.token > right->launch.token;
}

static struct awaited *find(const struct launches *ls, int64_t token)
{
    const struct awaited key = {.launch.token = token};
    struct awaited *const *found = tfind(&key, &ls->tree, compare);

    return found ? *found : NULL;
}

static void awaited_free(void *arg)
{
    struct awaited *a = arg;

    free((char *)(uintptr_t)a->launch.run);
    free(a);
}

void launches_add(struct launches *ls, const struct launch *l, bool launched)
{
    if (find(ls, l->token))
        return;
    struct awaited *a = xcalloc(1, sizeof *a);
    a->launch = *l;
    a->launch.run = xstrdup(l->run);
    a->launched = launched;
    if (!tsearch(a, &ls->tree, compare))
        abort(); /* out of memory */
    ls->n++;
    ls->pending += !launched;
    ls->untold += launched;
    if (!evtimer_pending(ls->timer, NULL))
        timer_set(ls->timer, ATTEND_MS);
}

void launches_forget(struct launches *ls, const struct launch *l)
{
    struct awaited *a = find(ls, l->token);

    if (!a)
        return;
    tdelete(a, &ls->tree, compare);
    ls->n--;
    ls->pending -= !a->launched;
    ls->untold -= a->launched && !a->told;
    awaited_free(a);
}

void launches_confirm(struct launches *ls, const struct launch *l)
{
    struct awaited *a = find(ls, l->token);

    if (!a || a->launched)
        return;
    a->launched = true;
    a->waiting_for[0] = '\0'; /* for the launch */
    ls->pending--;
    ls->untold++;
}

void launches_wait_for(struct launches *ls, const struct launch *l, const char *what)
{
    struct awaited *a = find(ls, l->token);

    if (!a)
        return; /* it has started */
    snprintf(a->waiting_for, sizeof a->waiting_for, "%s", what);
}

size_t launches_pending(const struct launches *ls)
{
    return ls->pending;
}

size_t launches_untold(const struct launches *ls)
{
    return ls->untold + ls->calls;
}

/* --- a round --- */

/* One call of a round, with the launches that it asks for. */
struct question {
    struct launches *launches;
    struct launch asked[ATTEND_BATCH]; /* .run is owned */
    size_t n;
    struct call *call;
};

/* What it calls back may forget the launch. */
static void observe(struct launches *ls, struct awaited *a, const struct launch *l)
{
    int64_t now = clock_mono_ms();

    if (!a->launched || now < a->observe_at)
        return;
    a->observe_at = now + ls->type->observe_ms;
    ls->type->observe(ls->backend, l);
}

static void answer(struct launches *ls, const struct launch *l, enum attend_word word)
{
    struct awaited *a = find(ls, l->token);

    if (!a)
        return;
    if (word == ATTEND_NOT_STARTED) {
        observe(ls, a, l);
        return;
    }
    launches_forget(ls, l);
    if (word == ATTEND_STALE)
        ls->type->terminate(ls->backend, l);
}

static void on_answer(void *arg, const struct reply *r, const struct err *e)
{
    struct question *q = arg;
    struct launches *ls = q->launches;

    (void)e; /* the next round asks again */
    ls->calls--;
    for (size_t i = 0; i < q->n; i++) {
        if (r && !ls->left)
            answer(ls, &q->asked[i], attend_at(r, i));
        free((char *)(uintptr_t)q->asked[i].run);
    }
    free(q);
    if (ls->left && ls->calls == 0)
        free(ls);
}

static void question_send(struct question *q)
{
    q->launches->calls++;
    call_send(q->call, ATTEND_DEADLINE_MS, on_answer, q);
}

struct round {
    struct launches *launches;
    struct question *question; /* not full yet; NULL: none */
};

static void ask(struct round *round, struct awaited *a)
{
    struct launches *ls = round->launches;
    struct question *q = round->question;

    if (!q) {
        q = round->question = xcalloc(1, sizeof *q);
        q->launches = ls;
        q->call = attend_call(ls->store, ls->settings->start_timeout_ms);
    }
    ls->untold -= a->launched && !a->told;
    a->told = a->launched;
    attend_add(q->call, a->launch.run, a->launch.token, a->launched, a->waiting_for);
    q->asked[q->n] = a->launch;
    q->asked[q->n++].run = xstrdup(a->launch.run);
    if (q->n == ATTEND_BATCH) {
        question_send(q);
        round->question = NULL;
    }
}

static void visit(const void *node, VISIT when, void *arg)
{
    if (when == postorder || when == leaf)
        ask(arg, *(struct awaited *const *)node);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct launches *ls = arg;
    struct round round = {.launches = ls};

    (void)fd;
    (void)what;
    twalk_r(ls->tree, visit, &round);
    if (round.question)
        question_send(round.question);
    if (ls->n)
        timer_set(ls->timer, ATTEND_MS);
}

/* --- begin and end --- */

struct launches *launches_new(struct event_base *base, struct store *store, const struct settings *settings,
                              const struct backend_type *type, struct backend *backend)
{
    struct launches *ls = xcalloc(1, sizeof *ls);

    ls->store = store;
    ls->settings = settings;
    ls->type = type;
    ls->backend = backend;
    ls->timer = evtimer_new(base, on_timer, ls);
    return ls;
}

void launches_free(struct launches *ls)
{
    if (!ls)
        return;
    event_free(ls->timer);
    tdestroy(ls->tree, awaited_free);
    ls->left = true;
    if (ls->calls == 0)
        free(ls);
}
