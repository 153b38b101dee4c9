#include "support/kube_controller.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "support/kube_delete.h"
#include "support/kube_event.h"
#include "support/kube_job.h"
#include "support/kube_json.h"

#define TICK_MS   50
#define COMPONENT "job-controller"

struct kube_controller {
    struct kube_store *store;
    struct event *sync; /* soon after a change */
    struct event *tick; /* deadlines, times to live */
};

struct counts {
    int active, succeeded, failed;
};

static bool in_phase(const struct kube_object *pod, const char *phase)
{
    const char *now = kube_text_at(pod->json, "status.phase");

    return now && strcmp(now, phase) == 0;
}

static bool is_active(const struct kube_object *pod)
{
    return !in_phase(pod, "Succeeded") && !in_phase(pod, "Failed") &&
           !kube_at(pod->json, "metadata.deletionTimestamp");
}

static bool is_pod_of(const struct kube_object *o, const struct kube_object *job)
{
    const char *owner = o->resource == &kube_pods ? kube_owner_uid(o) : NULL;

    return owner && strcmp(owner, job->uid) == 0;
}

static struct counts count(const struct kube_store *s, const struct kube_object *job)
{
    struct counts n = {0};

    for (struct kube_object *o = NULL; (o = kube_store_next(s, o));) {
        if (!is_pod_of(o, job))
            continue;
        n.active += is_active(o);
        n.succeeded += in_phase(o, "Succeeded");
        n.failed += in_phase(o, "Failed");
    }
    return n;
}

static void start_pod(struct kube_store *s, struct kube_object *job)
{
    if (job->blocked) {
        kube_event(
            s, job, "Warning", "FailedCreate", COMPONENT,
            "Error creating: pods \"%s-%s\" is forbidden: exceeded quota: compute, requested: pods=1, used: "
            "pods=10, limited: pods=10",
            job->name, "xxxxx");
        return;
    }
    struct kube_object *pod = kube_store_add(s, &kube_pods, job->ns, kube_job_pod(job));
    job->pods_made++;
    kube_event(s, job, "Normal", "SuccessfulCreate", COMPONENT, "Created pod: %s", pod->name);
}

static struct kube_object *next_active(const struct kube_store *s, const struct kube_object *job)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(s, o));)
        if (is_pod_of(o, job) && is_active(o))
            return o;
    return NULL;
}

static void delete_active(struct kube_store *s, struct kube_object *job)
{
    for (struct kube_object *pod; (pod = next_active(s, job));) {
        kube_event(s, job, "Normal", "SuccessfulDelete", COMPONENT, "Deleted pod: %s", pod->name);
        kube_delete_pod(s, pod, KUBE_OWN_GRACE, NULL);
    }
}

static void put_count(cJSON *status, const char *name, int n)
{
    kube_put(status, name, n ? cJSON_CreateNumber(n) : NULL);
}

static void add_condition(struct kube_object *job, const char *type, const char *reason, const char *message)
{
    char now[32];

    kube_time(now, 0);
    cJSON *condition =
        kube_json("{'type':%s,'status':'True','lastProbeTime':%s,'lastTransitionTime':%s}", type, now, now);
    if (reason) {
        kube_put_text(condition, "reason", reason);
        kube_put_text(condition, "message", message);
    }
    kube_put_default(job->json, "status.conditions", cJSON_CreateArray());
    cJSON_AddItemToArray(kube_at(job->json, "status.conditions"), condition);
    job->finished_at = clock_mono_ms();
}

static bool past_deadline(const struct kube_object *job)
{
    int64_t seconds = kube_whole_at(job->json, "spec.activeDeadlineSeconds", -1);

    return seconds >= 0 && job->started_at && clock_mono_ms() >= job->started_at + seconds * 1000;
}

static void fail(struct kube_controller *c, struct kube_object *job, struct counts *n, const char *reason,
                 const char *message)
{
    n->failed += n->active;
    n->active = 0;
    delete_active(c->store, job);
    add_condition(job, "Failed", reason, message);
    kube_event(c->store, job, "Warning", reason, COMPONENT, "%s", message);
}

static void start_pods(struct kube_controller *c, struct kube_object *job, struct counts *n)
{
    int64_t want = kube_whole_at(job->json, "spec.completions", 1) - n->succeeded;
    int64_t parallelism = kube_whole_at(job->json, "spec.parallelism", 1);

    want = want < parallelism ? want : parallelism;
    for (; n->active < want && !job->blocked; n->active++)
        start_pod(c->store, job);
    if (n->active < want)
        start_pod(c->store, job); /* says why not */
}

static void complete(struct kube_controller *c, struct kube_object *job)
{
    char now[32];

    add_condition(job, "Complete", NULL, NULL);
    kube_put_text(job->json, "status.completionTime", kube_time(now, 0));
    kube_event(c->store, job, "Normal", "Completed", COMPONENT, "Job completed");
}

static void sync_job(struct kube_controller *c, struct kube_object *job)
{
    cJSON *before = cJSON_Duplicate(kube_at(job->json, "status"), 1);
    struct counts n = count(c->store, job);
    char now[32];

    if (!job->started_at) {
        job->started_at = clock_mono_ms();
        kube_put_text(job->json, "status.startTime", kube_time(now, 0));
    }
    if (job->another_pod && n.active == 0 && n.succeeded + n.failed > 0) {
        job->another_pod = false;
        start_pod(c->store, job);
        n.active++;
    }
    bool new_failure = n.failed > kube_whole_at(job->json, "status.failed", 0);
    if (new_failure && n.active == 0 && n.failed > kube_whole_at(job->json, "spec.backoffLimit", 6))
        fail(c, job, &n, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
    else if (past_deadline(job))
        fail(c, job, &n, "DeadlineExceeded", "Job was active longer than specified deadline");
    else if (n.active == 0 && n.succeeded >= kube_whole_at(job->json, "spec.completions", 1))
        complete(c, job);
    else if (!kube_at(job->json, "metadata.deletionTimestamp"))
        start_pods(c, job, &n);
    cJSON *status = kube_at(job->json, "status");
    put_count(status, "active", n.active);
    put_count(status, "succeeded", n.succeeded);
    put_count(status, "failed", n.failed);
    if (!cJSON_Compare(before, status, 1))
        kube_store_changed(c->store, job);
    cJSON_Delete(before);
}

static struct kube_object *next_dirty(const struct kube_controller *c)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(c->store, o));)
        if (o->dirty)
            return o;
    return NULL;
}

static void on_sync(int fd, short what, void *arg)
{
    struct kube_controller *c = arg;

    (void)fd, (void)what;
    for (struct kube_object *job; (job = next_dirty(c));) {
        if (!job->finished_at)
            sync_job(c, job);
        job->dirty = false;
    }
}

/* Jobs are made dirty by their own changes and by those of their pods. */
static void on_change(void *arg, enum kube_change change, const struct kube_object *o)
{
    struct kube_controller *c = arg;
    const char *uid = o->resource == &kube_jobs   ? o->uid
                      : o->resource == &kube_pods ? kube_owner_uid(o)
                                                  : NULL;
    struct kube_object *job = uid ? kube_store_by_uid(c->store, uid) : NULL;

    (void)change;
    if (job && job->resource == &kube_jobs) {
        job->dirty = true;
        timer_set(c->sync, 0);
    }
}

static bool outlived(const struct kube_object *job)
{
    int64_t ttl = kube_whole_at(job->json, "spec.ttlSecondsAfterFinished", -1);

    return job->finished_at && ttl >= 0 && clock_mono_ms() >= job->finished_at + ttl * 1000 &&
           !kube_at(job->json, "metadata.deletionTimestamp");
}

static struct kube_object *next_outlived(const struct kube_store *s)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(s, o));)
        if (o->resource == &kube_jobs && outlived(o))
            return o;
    return NULL;
}

static void on_tick(int fd, short what, void *arg)
{
    struct kube_controller *c = arg;

    (void)fd, (void)what;
    for (struct kube_object *o = NULL; (o = kube_store_next(c->store, o));)
        if (o->resource == &kube_jobs && !o->finished_at && past_deadline(o)) {
            o->dirty = true;
            timer_set(c->sync, 0);
        }
    for (struct kube_object *job; (job = next_outlived(c->store));)
        kube_delete_owner(c->store, job, "Foreground");
    timer_set(c->tick, TICK_MS);
}

struct kube_controller *kube_controller_new(struct event_base *base, struct kube_store *s)
{
    struct kube_controller *c = xcalloc(1, sizeof *c);

    c->store = s;
    c->sync = evtimer_new(base, on_sync, c);
    c->tick = evtimer_new(base, on_tick, c);
    timer_set(c->tick, TICK_MS);
    kube_store_on_change(s, on_change, c);
    return c;
}

void kube_controller_free(struct kube_controller *c)
{
    event_free(c->sync);
    event_free(c->tick);
    free(c);
}

void kube_controller_unblock(struct kube_controller *c)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(c->store, o));)
        if (o->blocked) {
            o->blocked = false;
            o->dirty = true;
            timer_set(c->sync, 0);
        }
}
