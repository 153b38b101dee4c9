#include "support/kube_node.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "base/process.h"
#include "base/reaper.h"
#include "base/text.h"
#include "base/timer.h"
#include "support/kube_delete.h"
#include "support/kube_json.h"
#include "support/kube_pod_status.h"

#define LOG_MAX_BYTES     (10 << 20)
#define MESSAGE_MAX_BYTES 2048 /* of the log, behind FallbackToLogsOnError */

/* What the node does next with a pod; one step a turn of the loop, so that a watch sees each. */
enum stage {
    NEW,     /* to be placed */
    PLACED,  /* its container is being created */
    PULLING, /* an image that cannot be pulled: from ErrImagePull to ImagePullBackOff */
    LOSING,  /* its node will be lost */
    STAYING, /* nothing more to do by itself */
    RUNS,    /* has a process */
};

struct pod {
    LIST_ENTRY(pod) entry;
    struct kube_node *node;
    char *uid;
    enum stage stage;
    bool due;    /* something changed */
    bool ending; /* deletion was seen */
    bool unreachable;
    struct process *process;
    struct text log;
    bool started;
};

struct kube_node {
    struct event_base *base;
    struct kube_store *store;
    struct reaper *reaper;
    const struct kube_container_options *options;
    struct event *turn;
    LIST_HEAD(, pod) pods;
};

static void changed(struct pod *p, struct kube_object *o)
{
    kube_store_changed(p->node->store, o);
    timer_set(p->node->turn, 0);
}

static void pod_free(struct pod *p)
{
    LIST_REMOVE(p, entry);
    if (p->process)
        process_free(p->process);
    text_release(&p->log);
    free(p->uid);
    free(p);
}

/* ---- images that make faults ---- */

static enum stage wait_for(struct kube_object *o, const char *reason, const char *message, enum stage next)
{
    kube_pod_waiting(o, reason, message);
    return next;
}

static enum stage err_image_pull(struct pod *p, struct kube_object *o)
{
    (void)p;
    return wait_for(o, "ErrImagePull",
                    "rpc error: code = NotFound desc = failed to pull and unpack image: not found", PULLING);
}

static enum stage invalid_image_name(struct pod *p, struct kube_object *o)
{
    (void)p;
    return wait_for(o, "InvalidImageName", "couldn't parse image name: invalid reference format", STAYING);
}

static enum stage config_error(struct pod *p, struct kube_object *o)
{
    (void)p;
    return wait_for(o, "CreateContainerConfigError", "secret \"missing\" not found", STAYING);
}

static enum stage oom_killed(struct pod *p, struct kube_object *o)
{
    (void)p;
    kube_pod_running(o);
    kube_pod_terminated(o, 137, "OOMKilled", NULL);
    return STAYING;
}

static enum stage evicted(struct pod *p, struct kube_object *o)
{
    (void)p;
    kube_pod_failed(o, "Evicted", "The node was low on resource: memory. ");
    return STAYING;
}

static enum stage past_deadline(struct pod *p, struct kube_object *o)
{
    (void)p;
    kube_pod_failed(o, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
    return STAYING;
}

/* Only the first pod of a Job is lost. */
static enum stage node_lost(struct pod *p, struct kube_object *o)
{
    const char *owner = kube_owner_uid(o);
    const struct kube_object *job = owner ? kube_store_by_uid(p->node->store, owner) : NULL;

    if (job && job->pods_made > 1)
        return wait_for(o, "ContainerCreating", NULL, PLACED);
    kube_pod_running(o);
    p->unreachable = true;
    return LOSING;
}

static const struct {
    const char *image;
    enum stage (*place)(struct pod *p, struct kube_object *o);
} faults[] = {{"fault/errimagepull", err_image_pull},
              {"fault/invalidimagename", invalid_image_name},
              {"fault/configerror", config_error},
              {"fault/oomkilled", oom_killed},
              {"fault/evicted", evicted},
              {"fault/deadline", past_deadline},
              {"fault/nodelost", node_lost}};

static bool image_is(const struct kube_object *o, const char *prefix)
{
    const char *image = kube_text_at(kube_first(kube_at(o->json, "spec.containers")), "image");

    return strncmp(image, prefix, strlen(prefix)) == 0;
}

/* ---- the way of a pod ---- */

static enum stage place(struct pod *p, struct kube_object *o)
{
    if (image_is(o, "fault/unschedulable")) {
        kube_pod_unschedulable(o, "0/1 nodes are available: 1 Insufficient cpu.");
        return STAYING;
    }
    kube_pod_scheduled(o, p->node->options->node);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (image_is(o, faults[i].image))
            return faults[i].place(p, o);
    return wait_for(o, "ContainerCreating", NULL, PLACED);
}

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct pod *p = arg;

    if (p->log.len + n <= LOG_MAX_BYTES)
        text_add_bytes(&p->log, bytes, n);
}

/* Of a container that failed, when it asks for it. */
static const char *last_words(const struct pod *p, const struct kube_object *o, int code)
{
    const char *policy =
        kube_text_at(kube_first(kube_at(o->json, "spec.containers")), "terminationMessagePolicy");

    if (code == 0 || !policy || strcmp(policy, "FallbackToLogsOnError") != 0 || p->log.len == 0)
        return NULL;
    return p->log.s + (p->log.len > MESSAGE_MAX_BYTES ? p->log.len - MESSAGE_MAX_BYTES : 0);
}

static struct kube_object *object_of(const struct pod *p)
{
    return kube_store_by_uid(p->node->store, p->uid);
}

static void on_ended(void *arg, const struct process_exit *exit)
{
    struct pod *p = arg;
    struct kube_object *o = object_of(p);
    int code = exit->signaled ? 128 + exit->code : exit->code;
    struct err e;

    process_free(p->process);
    p->process = NULL;
    p->stage = STAYING;
    if (!o)
        return;
    /* Whatever came to us belonged to a container that has ended. */
    if (reaper_kill_strays(p->node->reaper, &e) < 0)
        fprintf(stderr, "tests/support/kube_node: %s\n", e.msg);
    kube_pod_terminated(o, code, code == 0 ? "Completed" : "Error", last_words(p, o, code));
    changed(p, o);
}

static enum stage start(struct pod *p, struct kube_object *o)
{
    struct kube_container c;
    struct err e;
    enum stage next = RUNS;

    if (kube_container_make(&c, p->node->options, o, &e) < 0) {
        kube_container_release(&c);
        return wait_for(o, "CreateContainerConfigError", e.msg, STAYING);
    }
    p->process = process_start(p->node->reaper,
                               &(struct process_options){.argv = c.argv,
                                                         .envp = c.env.vars,
                                                         .cwd = c.cwd,
                                                         .die_with_parent = true,
                                                         .on_output = on_output,
                                                         .on_exit = on_ended,
                                                         .arg = p},
                               &e);
    p->started = p->process != NULL;
    if (p->process) {
        kube_pod_running(o);
    } else {
        kube_pod_terminated(o, 128, "StartError", e.msg);
        next = STAYING;
    }
    kube_container_release(&c);
    return next;
}

static enum stage advance(struct pod *p, struct kube_object *o)
{
    switch (p->stage) {
    case NEW:
        return place(p, o);
    case PLACED:
        return start(p, o);
    case PULLING:
        return wait_for(o, "ImagePullBackOff", "Back-off pulling image", STAYING);
    case LOSING:
        kube_pod_node_lost(o, p->node->options->node);
        return STAYING;
    case STAYING:
    case RUNS:
        break;
    }
    return p->stage;
}

/* The pod is to go: what runs gets its grace, and when nothing runs the object goes. */
static void end(struct pod *p, struct kube_object *o)
{
    int64_t grace_ms = kube_whole_at(o->json, "metadata.deletionGracePeriodSeconds", 30) * 1000;

    if (p->unreachable)
        return;
    if (!p->process)
        kube_delete_pod(p->node->store, o, 0, NULL);
    else if (!p->ending)
        process_end(p->process, grace_ms);
    p->ending = true;
}

static void take_turn(struct pod *p)
{
    struct kube_object *o = object_of(p);
    enum stage before = p->stage;

    p->due = false;
    if (!o) {
        pod_free(p);
        return;
    }
    if (kube_at(o->json, "metadata.deletionTimestamp")) {
        end(p, o);
        return;
    }
    if (before == STAYING || before == RUNS)
        return;
    p->stage = advance(p, o);
    changed(p, o);
}

static void on_turn(int fd, short what, void *arg)
{
    struct kube_node *n = arg;

    (void)fd, (void)what;
    for (struct pod *p = LIST_FIRST(&n->pods), *next; p; p = next) {
        next = LIST_NEXT(p, entry);
        if (p->due)
            take_turn(p);
    }
}

static struct pod *pod_by_uid(const struct kube_node *n, const char *uid)
{
    struct pod *p;

    LIST_FOREACH (p, &n->pods, entry)
        if (strcmp(p->uid, uid) == 0)
            return p;
    return NULL;
}

static void on_change(void *arg, enum kube_change change, const struct kube_object *o)
{
    struct kube_node *n = arg;
    struct pod *p;

    if (o->resource != &kube_pods)
        return;
    if (change == KUBE_ADDED) {
        p = xcalloc(1, sizeof *p);
        p->node = n;
        p->uid = xstrdup(o->uid);
        LIST_INSERT_HEAD(&n->pods, p, entry);
    } else {
        p = pod_by_uid(n, o->uid);
    }
    if (p)
        p->due = true;
    timer_set(n->turn, 0);
}

struct kube_node *kube_node_new(struct event_base *base, struct kube_store *s, struct reaper *reaper,
                                const struct kube_container_options *o)
{
    struct kube_node *n = xcalloc(1, sizeof *n);

    *n = (struct kube_node){.base = base, .store = s, .reaper = reaper, .options = o};
    n->turn = evtimer_new(base, on_turn, n);
    kube_store_on_change(s, on_change, n);
    return n;
}

void kube_node_free(struct kube_node *n)
{
    while (LIST_FIRST(&n->pods))
        pod_free(LIST_FIRST(&n->pods));
    event_free(n->turn);
    free(n);
}

const char *kube_node_log(const struct kube_node *n, const char *uid, size_t *len)
{
    const struct pod *p = pod_by_uid(n, uid);

    if (!p || !p->started)
        return NULL;
    *len = p->log.len;
    return text_get(&p->log);
}

int kube_node_running(const struct kube_node *n)
{
    struct pod *p;
    int running = 0;

    LIST_FOREACH (p, &n->pods, entry)
        running += p->process != NULL;
    return running;
}
