/*
 *             the pods of earlier    201, or the same is there      a pod of it
 *             attempts are gone      409 otherwise: refused         is seen
 *   WAITING ───────────────────> CREATING ──────────────────> CREATED ──> (pod) ──> over, or gone ──> log read ──> on_exit
 *                                                                │ end, pending for too long, pod gone
 *                                                                v
 *                                                             the Job is deleted, then its pod with our grace
 *
 * What is over for another reason than the end of its container deletes its Job, so that no second pod follows.
 */
#include "exec/worker_job.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "exec/step_pod.h"
#include "kube/client.h"

#define AGAIN_MIN_MS 250
#define AGAIN_MAX_MS 10000

enum state { WAITING, CREATING, CREATED };

struct worker {
    struct worker_jobs *jobs;
    struct worker *next, **link;
    struct job job;
    enum state state;
    char *uid;           /* NULL: not known yet */
    struct step_pod pod; /* whose events are without functions: a leftover of an earlier attempt */
    struct kube_call *call;
    void (*then)(struct worker *w); /* when `again` comes */
    struct event *again, *pending;
    int64_t wait_ms;            /* before the last try */
    bool maybe;                 /* it was asked for without an answer: it may be there */
    bool remove, removed;       /* its Job is to be deleted, and is */
    int64_t grace_ms, asked_ms; /* < 0: the pod's own; of the last deletion of the pod */
    struct ending ending;       /* its detail is ours */
    enum ending_kind
        without_pod; /* of a Job that was over when it was found: what that means when its pod is gone */
    char detail[192];
};

struct worker_jobs {
    struct job_place place;
    const struct job_site *site;
    const struct job_run *run;
    struct watch *watch;
    struct worker *workers;
    bool synced, ready;
};

static void create(struct worker *w);
static void delete_job(struct worker *w);

/* --- calls --- */

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    w->then(w);
}

static void later(struct worker *w, void (*then)(struct worker *w), int64_t in_ms)
{
    w->then = then;
    timer_set(w->again, in_ms);
}

/* After a call that did not do. */
static void try_again(struct worker *w, void (*call)(struct worker *w), const struct kube_reply *r)
{
    w->wait_ms = w->wait_ms ? w->wait_ms * 2 : AGAIN_MIN_MS;
    if (w->wait_ms > AGAIN_MAX_MS)
        w->wait_ms = AGAIN_MAX_MS;
    later(w, call, r->retry_after_ms > w->wait_ms ? r->retry_after_ms : w->wait_ms);
}

/* --- the end --- */

static void worker_release(struct worker *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    kube_cancel(w->call);
    step_pod_release(&w->pod);
    event_free(w->again);
    event_free(w->pending);
    job_release(&w->job);
    free(w->uid);
    free(w);
}

static void begin_all(struct worker_jobs *jobs)
{
    for (const struct worker *w = jobs->workers; w; w = w->next)
        if (!w->pod.events.on_exit)
            return; /* a leftover */
    jobs->ready = jobs->synced;
    for (struct worker *w = jobs->workers; jobs->ready && w; w = w->next)
        if (w->state == WAITING && !w->remove)
            create(w);
}

/* Over when nothing runs, nothing can follow, and what it wrote was read. w may be gone afterwards. */
static void settle(struct worker *w)
{
    struct worker_jobs *jobs = w->jobs;

    if (!w->pod.gone || (w->remove && !w->removed) || w->pod.log)
        return;
    if (w->pod.events.on_exit) {
        struct ending ending = w->ending;
        if (ending.kind == ENDING_NONE)
            ending = (struct ending){ENDING_SIGNAL, SIGTERM, NULL};
        ending.detail = *w->detail ? w->detail : NULL;
        w->pod.events.on_exit(w->pod.events.arg, &ending);
    } else {
        worker_release(w);
        begin_all(jobs);
    }
}

static void decide(struct worker *w, enum ending_kind kind, int code, const char *detail)
{
    if (w->ending.kind != ENDING_NONE)
        return;
    w->ending.kind = kind;
    w->ending.code = code;
    snprintf(w->detail, sizeof w->detail, "%s", detail);
}

/* There is no pod, and none will be. */
static void never_was(struct worker *w)
{
    w->removed = true;
    w->pod.gone = true;
    settle(w);
}

static void on_pod_deleted(void *arg, const struct kube_reply *r);
static void end_pod(struct worker *w);

static void delete_pod(struct worker *w)
{
    w->asked_ms = w->grace_ms;
    w->call = job_request_end_pod(&w->jobs->place, w->pod.name, w->pod.uid, w->grace_ms, on_pod_deleted, w);
}

/* That it is gone is said by the watch. */
static void on_pod_deleted(void *arg, const struct kube_reply *r)
{
    struct worker *w = arg;

    w->call = NULL;
    if (r->outcome != KUBE_OK && r->outcome != KUBE_NOT_FOUND && r->outcome != KUBE_CONFLICT)
        try_again(w, end_pod, r);
    else if (w->asked_ms != w->grace_ms)
        end_pod(w); /* another grace was asked for meanwhile */
    else
        w->wait_ms = 0;
}

static void on_pod(struct worker *w, enum watch_change change, const struct pod *p);
static void look_for_pod(struct worker *w);

static void on_pods_listed(void *arg, const struct kube_reply *r)
{
    struct worker *w = arg;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, "items");
    struct pod p;

    w->call = NULL;
    if (w->remove && !w->removed) {
        delete_job(w); /* and then looks again */
    } else if (r->outcome != KUBE_OK) {
        try_again(w, look_for_pod, r);
    } else if (!item || !item->child) {
        if (w->without_pod != ENDING_NONE && !w->remove)
            decide(w, w->without_pod, 0, "its job is over, and its pod is gone");
        never_was(w);
    } else {
        pod_read(&p, item->child);
        on_pod(w, WATCH_ADDED, &p);
    }
}

/* The Job was deleted, or is over, before the watch has shown a pod of it. */
static void look_for_pod(struct worker *w)
{
    w->call = job_request_pods(&w->jobs->place, w->job.name, on_pods_listed, w);
}

static void end_pod(struct worker *w)
{
    if (w->pod.gone)
        settle(w);
    else if (!w->pod.name)
        look_for_pod(w);
    else if (w->grace_ms >= 0)
        delete_pod(w);
}

static void on_job_deleted(void *arg, const struct kube_reply *r)
{
    struct worker *w = arg;

    w->call = NULL;
    if (r->outcome != KUBE_OK && r->outcome != KUBE_NOT_FOUND && r->outcome != KUBE_CONFLICT) {
        log_line(LOG_WARN, "the job could not be deleted", "job", w->job.name, "why", r->message, NULL);
        try_again(w, delete_job, r);
        return;
    }
    w->wait_ms = 0;
    w->removed = true;
    end_pod(w);
}

static void delete_job(struct worker *w)
{
    evtimer_del(w->again);
    w->call = job_request_delete(&w->jobs->place, w->job.name, w->uid, on_job_deleted, w);
}

/* From now on it is to end. What is being created is deleted when it is known to be there. */
static void remove_job(struct worker *w)
{
    bool first = !w->remove;

    w->remove = true;
    evtimer_del(w->pending);
    if (w->state == WAITING)
        later(w, never_was, 0);
    else if (w->state == CREATED && first && !w->call)
        delete_job(w);
    else if (w->removed && !w->call)
        end_pod(w);
}

/* --- the pod --- */

static void on_over(struct worker *w, const struct pod *p)
{
    static const enum ending_kind kinds[] = {
        [POD_EXIT] = ENDING_EXIT,           [POD_OOM] = ENDING_OOM,           [POD_EVICTED] = ENDING_EVICTED,
        [POD_NODE_LOST] = ENDING_NODE_LOST, [POD_DEADLINE] = ENDING_DEADLINE, [POD_REJECTED] = ENDING_NOT_RUN,
    };

    if (!w->remove || p->end == POD_EXIT)
        decide(w, kinds[p->end], p->code, p->end == POD_EXIT ? "" : p->message);
    if (p->phase != POD_OVER && !w->remove)
        remove_job(w);
    settle(w);
}

static void on_pod(struct worker *w, enum watch_change change, const struct pod *p)
{
    enum step_pod_news news = step_pod_see(&w->pod, change, p);

    if (w->pod.running || w->pod.gone)
        evtimer_del(w->pending);
    if (news == STEP_POD_NEW && w->removed && !w->call)
        end_pod(w);
    else if (news == STEP_POD_GONE)
        on_over(w, p);
}

static void on_log_read(void *arg)
{
    settle(arg);
}

static void leftover_end(struct worker_jobs *jobs, const struct pod *p);

static void on_object(void *arg, enum watch_change change, const cJSON *object)
{
    struct worker_jobs *jobs = arg;
    struct worker *w = jobs->workers;
    struct pod p;

    pod_read(&p, object);
    while (w && strcmp(w->job.name, p.job))
        w = w->next;
    if (w)
        on_pod(w, change, &p);
    else if (change != WATCH_DELETED && p.phase != POD_OVER &&
             strtoll(pod_annotation_get(object, JOB_NOTE_TOKEN), NULL, 10) != jobs->run->token)
        leftover_end(jobs, &p);
}

static void on_synced(void *arg)
{
    struct worker_jobs *jobs = arg;

    jobs->synced = true;
    if (!jobs->ready)
        begin_all(jobs);
}

/* --- the Job --- */

static void created(struct worker *w, const cJSON *object)
{
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const char *uid = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(metadata, "uid"));

    w->wait_ms = 0;
    if (w->ending.kind == ENDING_NONE)
        *w->detail = '\0';
    w->uid = uid ? xstrdup(uid) : NULL;
    w->state = CREATED;
    if (w->remove)
        delete_job(w);
}

static void refused(struct worker *w, const char *why)
{
    decide(w, ENDING_NOT_RUN, 0, why);
    never_was(w);
}

/* It was created before. One that has ended since may have no pod any more that would say so. */
static void found(struct worker *w, const cJSON *object)
{
    created(w, object);
    if (job_condition_get(object, "Complete"))
        w->without_pod = ENDING_EXIT;
    else if (job_condition_get(object, "Failed"))
        w->without_pod = ENDING_EVICTED;
    if (w->without_pod != ENDING_NONE && !w->remove && !w->pod.name)
        look_for_pod(w);
}

static void look(struct worker *w);

static void on_looked(void *arg, const struct kube_reply *r)
{
    struct worker *w = arg;
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(r->object, "metadata");

    w->call = NULL;
    if (r->outcome == KUBE_NOT_FOUND || cJSON_HasObjectItem(metadata, "deletionTimestamp"))
        try_again(w, create, r);
    else if (r->outcome != KUBE_OK)
        try_again(w, look, r);
    else if (job_is_same(&w->job, r->object))
        found(w, r->object);
    else
        refused(w, "a job of its name exists that is not this attempt's");
}

static void look(struct worker *w)
{
    w->call = job_request_get(&w->jobs->place, w->job.name, on_looked, w);
}

static void not_created(struct worker *w, const struct kube_reply *r)
{
    if (w->ending.kind == ENDING_NONE)
        snprintf(w->detail, sizeof w->detail, "%s", r->message);
    if (w->remove && !w->maybe)
        never_was(w);
    else
        try_again(w, create, r);
}

static void on_created(void *arg, const struct kube_reply *r)
{
    struct worker *w = arg;

    w->call = NULL;
    switch (r->outcome) {
    case KUBE_OK:
        created(w, r->object);
        break;
    case KUBE_ALREADY_EXISTS:
        look(w);
        break;
    case KUBE_QUOTA:
        step_pod_tell_waiting(&w->pod, "ExceededQuota");
        not_created(w, r);
        break;
    case KUBE_RETRY:
        not_created(w, r);
        break;
    case KUBE_UNKNOWN: /* the same again finds out */
        w->maybe = true;
        try_again(w, create, r);
        break;
    case KUBE_NOT_FOUND:
    case KUBE_CONFLICT:
    case KUBE_EXPIRED:
    case KUBE_REFUSED:
        refused(w, r->message);
        break;
    }
}

static void create(struct worker *w)
{
    w->state = CREATING;
    w->call = job_request_create(&w->jobs->place, w->job.text, on_created, w);
}

static void on_pending(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    const char *behind = watch_why_get(w->jobs->watch);
    char why[sizeof w->detail];

    (void)fd;
    (void)what;
    snprintf(why, sizeof why, "%s",
             *w->pod.waiting ? w->pod.waiting
             : *w->detail    ? w->detail
             : *behind       ? behind
                             : "its pod did not begin");
    decide(w, ENDING_NOT_RUN, 0, why);
    w->grace_ms = 0;
    remove_job(w);
}

static struct worker *worker_new(struct worker_jobs *jobs)
{
    struct event_base *base = kube_base_get(jobs->place.kube);
    struct worker *w = xcalloc(1, sizeof *w);

    w->jobs = jobs;
    w->pod = (struct step_pod){.place = &jobs->place, .on_read = on_log_read, .arg = w};
    w->grace_ms = -1;
    w->again = evtimer_new(base, on_again, w);
    w->pending = evtimer_new(base, on_pending, w);
    w->next = jobs->workers;
    w->link = &jobs->workers;
    if (w->next)
        w->next->link = &w->next;
    jobs->workers = w;
    return w;
}

/* What an earlier attempt of the run has left: its executor can end it no more. */
static void leftover_end(struct worker_jobs *jobs, const struct pod *p)
{
    struct worker *w = worker_new(jobs);

    snprintf(w->job.name, sizeof w->job.name, "%s", p->job);
    w->state = CREATED;
    on_pod(w, WATCH_ADDED, p);
    remove_job(w);
}

/* --- the type --- */

static struct worker *start(void *place, const struct worker_order *order, const struct worker_events *events,
                            struct err *e)
{
    struct worker_jobs *jobs = place;
    struct worker *w = worker_new(jobs);

    (void)e;
    w->pod.events = *events;
    job_make_step(&w->job, jobs->site, jobs->run, order->step, order->attempt, order->vars);
    timer_set(w->pending, jobs->site->backend->pod_pending_timeout_ms);
    if (jobs->ready)
        create(w);
    return w;
}

static void end(struct worker *w, int64_t grace_ms)
{
    w->grace_ms = grace_ms;
    remove_job(w);
}

static void forward(struct worker *w, int sig)
{
    (void)w; /* Kubernetes knows no other signal than the one that ends a pod */
    (void)sig;
}

static void on_forgotten(void *arg, const struct kube_reply *r)
{
    (void)arg;
    (void)r;
}

static void worker_free(struct worker *w)
{
    if (w->state != WAITING && !w->pod.gone)
        job_request_delete(&w->jobs->place, w->job.name, w->uid, on_forgotten, NULL);
    worker_release(w);
}

const struct worker_type worker_job = {false, start, end, forward, worker_free};

/* --- what they share --- */

struct worker_jobs *worker_jobs_new(struct kube *k, const struct job_site *site, const struct job_run *run)
{
    struct worker_jobs *jobs = xcalloc(1, sizeof *jobs);
    const struct watch_events events = {on_object, on_synced, jobs};
    const char *namespace = site->backend->namespace;

    jobs->site = site;
    jobs->run = run;
    jobs->place = (struct job_place){k, namespace ? namespace : kube_namespace_get(k)};
    char *all = job_selector(site, run->run);
    char *selector = xasprintf("%s," JOB_LABEL_COMPONENT "=step", all);
    char *path = xasprintf("/api/v1/namespaces/%s/pods", jobs->place.namespace);
    const struct watch_options options = {.path = path, .label_selector = selector};
    jobs->watch = watch_new(k, &options, &events);
    free(all);
    free(selector);
    free(path);
    return jobs;
}

void worker_jobs_free(struct worker_jobs *jobs)
{
    if (!jobs)
        return;
    while (jobs->workers)
        worker_release(jobs->workers);
    watch_free(jobs->watch);
    free(jobs);
}
