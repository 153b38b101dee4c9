/*
 * kubernetes: each launch a batch/v1 Job that runs the executor, in the image and the namespace of the settings.
 *
 * What exists is known from one watch on Jobs and one on pods, which see all Jobs of this installation and namespace of
 * rivers, whoever made them; so nothing has to be remembered when a dequeuer ends. They see the Jobs of steps as well: an
 * attempt is over when its executor is gone and what that left, which nobody else would end, is gone too.
 */
#include <cjson/cJSON.h>
#include <event2/event.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/job_calls.h"
#include "backend/kubernetes_check.h"
#include "backend/live_jobs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/timer.h"
#include "core/kube_backend.h"
#include "core/settings.h"
#include "kube/pod.h"
#include "kube/watch.h"

#define POD_LATE_MS 5000 /* for a pod to be heard of when its Job has ended */
#define TICK_MS     1000

/* An attempt of a run: its Job, what its pod said last, and the Jobs of its steps. */
struct known {
    struct launch launch; /* .run is owned */
    char *uid;
    bool launching;           /* by us */
    bool seen, deleted;       /* its Job was */
    bool pod_seen, pod_there; /* at any time; its object is */
    bool began;               /* its container ran */
    bool over;                /* told, or nobody wants to know */
    int64_t waits_since;      /* clock_mono_ms; 0: its pod runs, or ran */
    char waiting_for[160];
    char end[80];                /* how its pod ended, when that says more than the Job */
    struct live_jobs own, steps; /* its Job and pod; those of its steps */
    char how[256];               /* its Job ended so, and something of it may still run; "": it did not */
    int64_t ended_at;            /* clock_mono_ms of that */
    bool listed;                 /* in backend.ending */
    struct known *next;          /* there */
};

struct backend {
    struct backend_host host;
    struct kube_backend config;
    char *document; /* the same, as the executors get it */
    char *selector;
    struct job_site site;
    struct kube *kube;
    struct job_calls *calls;
    struct watch *jobs, *pods;
    struct known *ending;
    struct event *tick; /* while there are such */
    void *tree;         /* of struct known by token, see tsearch(3) */
};

/* --- what is known --- */

static int compare(const void *a, const void *b)
{
    const struct known *left = a, *right = b;

    return left->launch.token < right->launch.token ? -1 : left->launch.token > right->launch.token;
}

static struct known *find(const struct backend *b, int64_t token)
{
    const struct known key = {.launch.token = token};
    struct known *const *found = tfind(&key, &b->tree, compare);

    return found ? *found : NULL;
}

static void known_free(void *arg)
{
    struct known *k = arg;

    free((char *)(uintptr_t)k->launch.run);
    free(k->uid);
    live_jobs_release(&k->own);
    live_jobs_release(&k->steps);
    free(k);
}

static struct known *know(struct backend *b, const struct launch *l)
{
    struct known *k = find(b, l->token);

    if (k)
        return k;
    k = xcalloc(1, sizeof *k);
    k->launch = *l;
    k->launch.run = xstrdup(l->run);
    k->waits_since = clock_mono_ms();
    snprintf(k->waiting_for, sizeof k->waiting_for, "a pod for its Job");
    if (!tsearch(k, &b->tree, compare))
        abort(); /* out of memory */
    return k;
}

/* What has nothing in the cluster, and is not expected to get it. */
static void drop(struct backend *b, struct known *k)
{
    if ((k->seen && !k->deleted) || k->launching || k->listed || k->pod_there || k->steps.first)
        return;
    tdelete(k, &b->tree, compare);
    known_free(k);
}

/* --- the end of an attempt: it is told when nothing of it runs any more --- */

static void tell_end(struct backend *b, struct known *k, bool began, const char *how)
{
    if (k->over)
        return;
    k->over = true;
    b->host.events.on_ended(b->host.events.arg, &k->launch, began, how);
}

/* The watches are two: that the Job failed may be known before its pod is. */
static bool is_executor_gone(const struct known *k)
{
    return !live_jobs_any(&k->own) && (k->pod_seen || clock_mono_ms() - k->ended_at >= POD_LATE_MS);
}

static void end_steps(struct backend *b, struct known *k)
{
    for (struct live_job *j = k->steps.first; j; j = j->next)
        if (live_job_is_live(j) && !j->deleted) {
            j->deleted = true;
            job_delete(b->calls, j->name, NULL, k->launch.token);
        }
}

/* After each change. Steps that come late are ended as well. */
static void settle(struct backend *b, struct known *k)
{
    if (!k->over && (!*k->how || !is_executor_gone(k)))
        return;
    end_steps(b, k);
    if (!live_jobs_any(&k->steps))
        tell_end(b, k, k->began || !k->pod_seen, *k->end ? k->end : k->how);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct backend *b = arg;
    struct known *next;

    (void)fd;
    (void)what;
    for (struct known **at = &b->ending, *k = *at; k; k = next) {
        next = k->next;
        settle(b, k);
        if (!k->over) {
            if (is_executor_gone(k))
                b->host.events.on_ending(b->host.events.arg, &k->launch);
            at = &k->next;
            continue;
        }
        *at = next;
        k->listed = false;
        drop(b, k);
    }
    if (b->ending)
        timer_set(b->tick, TICK_MS);
}

static void job_ended(struct backend *b, struct known *k, const char *how)
{
    if (k->over || *k->how)
        return;
    snprintf(k->how, sizeof k->how, "%s", how);
    k->ended_at = clock_mono_ms();
    k->listed = true;
    k->next = b->ending;
    if (!b->ending)
        timer_set(b->tick, TICK_MS);
    b->ending = k;
}

/* --- what the watches say --- */

static const cJSON *member(const cJSON *object, const char *one, const char *two)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(object, one), two);
}

/* Each Job and pod says whose it is. */
static bool launch_of(const cJSON *object, struct launch *l)
{
    l->run = pod_annotation_get(object, JOB_NOTE_RUN);
    return *l->run && !number_parse(pod_annotation_get(object, JOB_NOTE_TOKEN), 1, INT64_MAX, &l->token) &&
           !number_parse(pod_annotation_get(object, JOB_NOTE_ATTEMPT), 1, INT64_MAX, &l->attempt);
}

static bool is_of_step(const cJSON *object)
{
    return *pod_annotation_get(object, JOB_NOTE_STEP);
}

static void on_run_job(struct backend *b, struct known *k, enum watch_change change, const cJSON *object)
{
    const cJSON *failure = job_condition_get(object, "Failed");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(failure, "message"));
    const char *uid = cJSON_GetStringValue(member(object, "metadata", "uid"));
    bool first = !k->seen && !k->launching;

    k->seen = true;
    k->deleted = change == WATCH_DELETED;
    if (!k->uid)
        k->uid = xstrdup(uid);
    if (failure)
        job_ended(b, k, message && *message ? message : "its Job failed");
    else if (job_condition_get(object, "Complete"))
        job_ended(b, k, "executor ended without an outcome");
    else if (k->deleted)
        job_ended(b, k, "its Job was deleted");
    else if (first)
        b->host.events.on_found(b->host.events.arg, &k->launch);
}

static void on_job(void *arg, enum watch_change change, const cJSON *object)
{
    struct backend *b = arg;
    const char *name = cJSON_GetStringValue(member(object, "metadata", "name"));
    bool there = change != WATCH_DELETED && !job_condition_get(object, "Failed") &&
                 !job_condition_get(object, "Complete");
    struct launch l;

    if (!name || !launch_of(object, &l))
        return;
    struct known *k = know(b, &l);
    live_jobs_see_job(is_of_step(object) ? &k->steps : &k->own, name, there);
    if (!is_of_step(object))
        on_run_job(b, k, change, object);
    settle(b, k);
    drop(b, k);
}

/* Steps whose run has no Job any more. */
static void visit(const void *node, VISIT when, void *arg)
{
    struct known *k = *(struct known *const *)node;

    if ((when == postorder || when == leaf) && !k->seen && !k->launching && live_jobs_any(&k->steps))
        job_ended(arg, k, "its Job was deleted");
}

static void on_jobs_synced(void *arg)
{
    struct backend *b = arg;

    twalk_r(b->tree, visit, b);
}

static const char *end_word(enum pod_end end)
{
    static const char *const words[] = {
        [POD_EXIT] = "",
        [POD_OOM] = "out of memory",
        [POD_EVICTED] = "its pod was evicted",
        [POD_NODE_LOST] = "its node was lost",
        [POD_DEADLINE] = "its deadline passed",
        [POD_REJECTED] = "its node refused the pod",
    };

    return words[end];
}

static void on_run_pod(struct known *k, enum watch_change change, const struct pod *p)
{
    k->pod_seen = true;
    k->pod_there = change != WATCH_DELETED;
    if (change == WATCH_DELETED)
        return;
    if (p->phase == POD_WAITING) {
        if (!k->waits_since)
            k->waits_since = clock_mono_ms();
        snprintf(k->waiting_for, sizeof k->waiting_for, "%s%s%s",
                 *p->waiting ? p->waiting : "its pod to start", *p->waiting && *p->message ? ": " : "",
                 *p->waiting ? p->message : "");
        return;
    }
    k->began |= p->phase == POD_RUNNING || p->end != POD_REJECTED;
    k->waits_since = 0;
    k->waiting_for[0] = '\0';
    if (p->phase == POD_OVER && p->end == POD_EXIT && p->code)
        snprintf(k->end, sizeof k->end, "its container exited with %d", p->code);
    else if (p->phase == POD_OVER)
        snprintf(k->end, sizeof k->end, "%s", end_word(p->end));
}

static void on_pod(void *arg, enum watch_change change, const cJSON *object)
{
    struct backend *b = arg;
    struct launch l;
    struct pod p;

    if (!launch_of(object, &l))
        return;
    struct known *k = know(b, &l);
    pod_read(&p, object);
    live_jobs_see_pod(is_of_step(object) ? &k->steps : &k->own, &p, change == WATCH_DELETED);
    if (!is_of_step(object))
        on_run_pod(k, change, &p);
    settle(b, k);
    drop(b, k);
}

/* --- launch, observe, terminate --- */

static void on_waiting(void *arg, int64_t token, const char *for_what)
{
    struct backend *b = arg;
    const struct launch l = {.token = token};

    b->host.events.on_waiting(b->host.events.arg, &l, for_what);
}

static void on_created(void *arg, int64_t token, const struct err *why)
{
    struct backend *b = arg;
    struct known *k = find(b, token);

    if (!k)
        return;
    k->launching = false;
    b->host.events.on_launched(b->host.events.arg, &k->launch, why);
    if (why)
        drop(b, k);
}

static void kubernetes_launch(struct backend *b, const struct launch *l)
{
    const struct job_run run = {l->run, l->attempt, l->token};
    struct job j;

    know(b, l)->launching = true;
    job_make_run(&j, &b->site, &run, b->document);
    job_create(b->calls, &j, l->token, b->host.settings->start_timeout_ms);
}

static void kubernetes_terminate(struct backend *b, const struct launch *l)
{
    struct known *k = find(b, l->token);
    job_name name;

    job_name_make(name, l->run, l->attempt, NULL, 0);
    job_delete(b->calls, name, k ? k->uid : NULL, l->token);
    if (!k)
        return;
    k->over = true;
    k->launching = false;
    end_steps(b, k);
    drop(b, k);
}

static void kubernetes_observe(struct backend *b, const struct launch *l)
{
    struct known *k = find(b, l->token);
    char how[256];

    if (!k || k->over)
        return;
    b->host.events.on_waiting(b->host.events.arg, l, k->waiting_for);
    if (!k->waits_since || clock_mono_ms() - k->waits_since < b->config.pod_pending_timeout_ms)
        return;
    snprintf(how, sizeof how, "waited too long for %s", k->waiting_for);
    tell_end(b, k, false, how);
    kubernetes_terminate(b, &k->launch);
}

/* --- begin and end --- */

static int configure(struct backend *b, const struct backend_host *host, struct err *e)
{
    if (kube_backend_find_image(&b->config, e) < 0 || !(b->kube = kube_new(host->reaper, host->access, e)))
        return -1;
    if (!b->config.namespace)
        b->config.namespace = xstrdup(kube_namespace_get(b->kube));
    return 0;
}

static void kubernetes_close(struct backend *b)
{
    if (b->tick)
        event_free(b->tick);
    if (b->jobs)
        watch_free(b->jobs);
    if (b->pods)
        watch_free(b->pods);
    if (b->calls)
        job_calls_free(b->calls);
    if (b->kube)
        kube_free(b->kube);
    tdestroy(b->tree, known_free);
    kube_backend_release(&b->config);
    free(b->document);
    free(b->selector);
    free(b);
}

static struct backend *kubernetes_open(const struct backend_host *host, const char *config, struct err *e)
{
    struct backend *b = xcalloc(1, sizeof *b);

    b->host = *host;
    b->document = xstrdup(config);
    if (kube_backend_parse(&b->config, config, e) < 0 || configure(b, host, e) < 0) {
        kubernetes_close(b);
        return NULL;
    }
    b->site = (struct job_site){&b->config, host->installation, host->namespace, host->redis_url};
    b->selector = job_selector(&b->site, NULL);
    b->tick = evtimer_new(host->base, on_tick, b);
    b->calls =
        job_calls_new(b->kube, b->config.namespace, &(struct job_call_events){on_waiting, on_created, b});
    return b;
}

static struct watch *watch_of(struct backend *b, const char *api, const char *kind,
                              const struct watch_events *events)
{
    char *path = xasprintf("%s/namespaces/%s/%s", api, b->config.namespace, kind);
    struct watch *w =
        watch_new(b->kube, &(struct watch_options){.path = path, .label_selector = b->selector}, events);

    free(path);
    return w;
}

static void kubernetes_recover(struct backend *b)
{
    b->jobs = watch_of(b, "/apis/batch/v1", "jobs", &(struct watch_events){on_job, on_jobs_synced, b});
    b->pods = watch_of(b, "/api/v1", "pods", &(struct watch_events){.on_object = on_pod, .arg = b});
}

/* They are the cluster's. */
static size_t kubernetes_live(const struct backend *b)
{
    (void)b;
    return 0;
}

const struct backend_type backend_kubernetes = {
    .name = "kubernetes",
    .open = kubernetes_open,
    .launch = kubernetes_launch,
    .observe = kubernetes_observe,
    .terminate = kubernetes_terminate,
    .recover = kubernetes_recover,
    .live = kubernetes_live,
    .check = kubernetes_check,
    .close = kubernetes_close,
};
