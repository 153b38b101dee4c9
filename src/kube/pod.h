/*
 * pod: what a Pod object says about the attempt that its one container runs.
 *
 *   WAITING ──> RUNNING ──> OVER         an object that is deleted before it was over takes its container with it
 *   (waiting)               (end, code)
 */
#ifndef RIVERS_KUBE_POD_H
#define RIVERS_KUBE_POD_H

#include <stdbool.h>

struct cJSON;

enum pod_phase { POD_WAITING, POD_RUNNING, POD_OVER };

enum pod_end {
    POD_EXIT,      /* code */
    POD_OOM,       /* used more memory than its limit */
    POD_EVICTED,   /* or preempted, or deleted */
    POD_NODE_LOST, /* its node was not heard of any more */
    POD_DEADLINE,  /* of the pod or its Job */
    POD_REJECTED,  /* by its node; it never ran */
};

/* Strings are borrowed from the object, never NULL. */
struct pod {
    const char *name, *uid, *job; /* job: the name of its Job */
    enum pod_phase phase;
    bool deleting;       /* it is to end, at the latest after its grace */
    const char *waiting; /* while WAITING, why: "ErrImagePull", "Unschedulable"; "": as usual */
    const char *message; /* to that, or to its end */
    enum pod_end end;    /* once OVER; before, what a deletion would be */
    int code;
};

void pod_read(struct pod *p, const struct cJSON *object);

/* Whether it runs something, or will. One that is being deleted while its node is not heard of goes only when somebody says
 * that the node is gone: it counts as over, as it does for Kubernetes. */
bool pod_is_live(const struct pod *p);

/* "" when there is none. */
const char *pod_annotation_get(const struct cJSON *object, const char *key);

#endif
