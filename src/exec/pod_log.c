#include "exec/pod_log.h"

#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/mem.h"
#include "base/timer.h"
#include "kube/client.h"
#include "kube/job.h"

#define AGAIN_MS   300
#define LAST_TRIES 3     /* once the pod is over; what never ran is refused each time */
#define LAST_MS    10000 /* without a line then: nobody will send one any more */

struct pod_log {
    struct kube *kube;
    char *path;
    struct pod_log_events events;
    struct kube_call *call; /* NULL: between two tries */
    struct event *again;
    uint64_t delivered, seen; /* lines in all; in this try */
    size_t last_len;          /* of the line delivered last, which may have been cut */
    bool finishing;
    int tries; /* while finishing */
};

static void read_from_start(struct pod_log *l);

static void on_line(void *arg, const char *line, size_t n)
{
    struct pod_log *l = arg;
    bool again = ++l->seen <= l->delivered;
    size_t known = again ? l->last_len : 0;

    if (l->finishing)
        timer_set(l->again, LAST_MS);
    if (again && (l->seen < l->delivered || n <= known))
        return;
    l->delivered = l->seen;
    l->last_len = n;
    l->events.on_line(l->events.arg, line + known, n - known);
}

/* What was read since the pod is over is whole, whatever the server did with the streams before. */
static void on_end(void *arg, const struct kube_reply *r)
{
    struct pod_log *l = arg;
    bool whole = l->tries > 0 && (r->outcome == KUBE_OK || r->outcome == KUBE_NOT_FOUND);

    l->call = NULL;
    if (whole || l->tries == LAST_TRIES)
        l->events.on_end(l->events.arg);
    else if (r->outcome == KUBE_OK && l->finishing)
        read_from_start(l);
    else
        timer_set(l->again, r->retry_after_ms > AGAIN_MS ? r->retry_after_ms : AGAIN_MS);
}

static void read_from_start(struct pod_log *l)
{
    const struct kube_request request = {.method = "GET", .path = l->path};

    l->seen = 0;
    if (l->finishing) {
        l->tries++;
        timer_set(l->again, LAST_MS);
    }
    l->call = kube_stream(l->kube, &request, on_line, on_end, l);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct pod_log *l = arg;

    (void)fd;
    (void)what;
    if (!l->call) {
        read_from_start(l);
        return;
    }
    kube_cancel(l->call); /* the end did not come */
    l->call = NULL;
    l->events.on_end(l->events.arg);
}

struct pod_log *pod_log_new(struct kube *k, const char *namespace, const char *pod,
                            const struct pod_log_events *events)
{
    struct pod_log *l = xcalloc(1, sizeof *l);

    l->kube = k;
    l->path = xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=" JOB_CONTAINER "&follow=true",
                        namespace, pod);
    l->events = *events;
    l->again = evtimer_new(kube_base_get(k), on_again, l);
    read_from_start(l);
    return l;
}

void pod_log_free(struct pod_log *l)
{
    if (!l)
        return;
    kube_cancel(l->call);
    event_free(l->again);
    free(l->path);
    free(l);
}

void pod_log_finish(struct pod_log *l)
{
    l->finishing = true;
    timer_set(l->again, l->call ? LAST_MS : 0);
}
