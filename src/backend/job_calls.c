#include "backend/job_calls.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "kube/job_requests.h"

#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 15000

struct job_call {
    struct job_calls *all;
    struct job job; /* to be created; .text NULL: to be deleted */
    char *uid;      /* of what is to be deleted; NULL: whichever has the name */
    int64_t token;
    int64_t give_up_at; /* clock_mono_ms; a deletion is not given up */
    int64_t backoff_ms;
    struct kube_call *request;
    struct event *again;
    struct job_call *next, **link;
};

struct job_calls {
    struct job_place place;
    struct job_call_events events;
    struct job_call *calls;
};

static void request(struct job_call *c);

static void call_free(struct job_call *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    kube_cancel(c->request);
    event_free(c->again);
    job_release(&c->job);
    free(c->uid);
    free(c);
}

static void created(struct job_call *c, const struct err *why)
{
    struct job_calls *all = c->all;
    int64_t token = c->token;

    call_free(c);
    all->events.on_created(all->events.arg, token, why);
}

static void failed(struct job_call *c, const char *message)
{
    struct err e;

    err_set(&e, ERR_REFUSED, "%s", message);
    created(c, &e);
}

static int64_t next_pause(struct job_call *c, const struct kube_reply *r)
{
    unsigned random;

    evutil_secure_rng_get_bytes(&random, sizeof random);
    c->backoff_ms = c->backoff_ms * 2 < BACKOFF_MAX_MS ? c->backoff_ms * 2 : BACKOFF_MAX_MS;
    return r->retry_after_ms >= 0 ? r->retry_after_ms : random % c->backoff_ms;
}

static void try_again(struct job_call *c, const struct kube_reply *r)
{
    int64_t pause = next_pause(c, r);

    if (c->job.text && clock_mono_ms() + pause > c->give_up_at) {
        failed(c, r->message);
        return;
    }
    if (c->job.text)
        c->all->events.on_waiting(c->all->events.arg, c->token, r->message);
    timer_set(c->again, pause);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request(arg);
}

/* --- what the answers mean --- */

static void on_there(void *arg, const struct kube_reply *r)
{
    struct job_call *c = arg;

    c->request = NULL;
    if (r->outcome != KUBE_OK)
        try_again(c, r);
    else if (job_is_same(&c->job, r->object))
        created(c, NULL);
    else
        failed(c, "a Job of that name exists, and is another");
}

static void on_posted(void *arg, const struct kube_reply *r)
{
    struct job_call *c = arg;

    c->request = NULL;
    switch (r->outcome) {
    case KUBE_OK:
        created(c, NULL);
        return;
    case KUBE_ALREADY_EXISTS:
        c->request = job_request_get(&c->all->place, c->job.name, on_there, c);
        return;
    case KUBE_NOT_FOUND:
    case KUBE_REFUSED:
        failed(c, r->message);
        return;
    case KUBE_CONFLICT:
    case KUBE_EXPIRED:
    case KUBE_QUOTA:
    case KUBE_RETRY:
    case KUBE_UNKNOWN:
        try_again(c, r);
    }
}

static void on_deleted(void *arg, const struct kube_reply *r)
{
    struct job_call *c = arg;

    c->request = NULL;
    if (r->outcome == KUBE_RETRY || r->outcome == KUBE_UNKNOWN) {
        try_again(c, r);
        return;
    }
    if (r->outcome == KUBE_REFUSED)
        log_line(LOG_WARN, "a Job cannot be deleted", "job", c->job.name, "why", r->message, NULL);
    call_free(c); /* gone, or by now another */
}

static void request(struct job_call *c)
{
    if (c->job.text)
        c->request = job_request_create(&c->all->place, c->job.text, on_posted, c);
    else
        c->request = job_request_delete(&c->all->place, c->job.name, c->uid, on_deleted, c);
}

/* --- begin and end --- */

static struct job_call *call_new_(struct job_calls *jc, int64_t token)
{
    struct job_call *c = xcalloc(1, sizeof *c);

    c->all = jc;
    c->token = token;
    c->backoff_ms = BACKOFF_MIN_MS;
    c->again = evtimer_new(kube_base_get(jc->place.kube), on_again, c);
    c->next = jc->calls;
    c->link = &jc->calls;
    if (c->next)
        c->next->link = &c->next;
    jc->calls = c;
    return c;
}

void job_create(struct job_calls *jc, struct job *j, int64_t token, int64_t timeout_ms)
{
    struct job_call *c = call_new_(jc, token);

    c->job = *j;
    c->give_up_at = clock_mono_ms() + timeout_ms;
    request(c);
}

void job_delete(struct job_calls *jc, const char *name, const char *uid, int64_t token)
{
    struct job_call *creating = jc->calls;

    while (creating && (creating->token != token || !creating->job.text))
        creating = creating->next;
    if (creating)
        call_free(creating);
    struct job_call *c = call_new_(jc, token);
    snprintf(c->job.name, sizeof c->job.name, "%s", name);
    c->uid = xstrdup(uid);
    request(c);
}

struct job_calls *job_calls_new(struct kube *kube, const char *namespace,
                                const struct job_call_events *events)
{
    struct job_calls *jc = xcalloc(1, sizeof *jc);

    *jc = (struct job_calls){.place = {kube, namespace}, .events = *events};
    return jc;
}

void job_calls_free(struct job_calls *jc)
{
    while (jc->calls)
        call_free(jc->calls);
    free(jc);
}
