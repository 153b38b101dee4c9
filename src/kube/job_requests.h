/* job_requests: what is asked of the API server about a Job and its pods. Each is one kube_send; see client.h. */
#ifndef RIVERS_KUBE_JOB_REQUESTS_H
#define RIVERS_KUBE_JOB_REQUESTS_H

#include "kube/client.h"

/* All is borrowed for the call. */
struct job_place {
    struct kube *kube;
    const char *namespace; /* of Kubernetes */
};

struct kube_call *job_request_create(const struct job_place *at, const char *job, kube_reply_fn *on_reply,
                                     void *arg);
struct kube_call *job_request_get(const struct job_place *at, const char *name, kube_reply_fn *on_reply,
                                  void *arg);

/* With its pods, in the background. uid: only the one with it; NULL: whichever has the name. */
struct kube_call *job_request_delete(const struct job_place *at, const char *name, const char *uid,
                                     kube_reply_fn *on_reply, void *arg);

/* The reply is a list of pods. */
struct kube_call *job_request_pods(const struct job_place *at, const char *name, kube_reply_fn *on_reply,
                                   void *arg);

/* SIGTERM, then SIGKILL after a grace of at least a second: 0 would only make the server forget the pod, whatever its node
 * does. */
struct kube_call *job_request_end_pod(const struct job_place *at, const char *pod, const char *uid,
                                      int64_t grace_ms, kube_reply_fn *on_reply, void *arg);

#endif
