/*
 * job_calls: Jobs created and deleted for certain, whatever becomes of a single request: what may have been done and what
 * the server puts off is asked again, with a back-off (full jitter, 250 ms to 15 s) or after the time that it names.
 *
 *            201, or 409 and the Job that is there is made from the same
 *   POST ────────────────────────────────────────────────────────────────> on_created, why NULL
 *     ^ │ 400, 403, 404, 422, or the Job that is there is another
 *     │ ├────────────────────────────────────────────────────────────────> on_created, why
 *     │ │ reset, timeout, 429, 5xx, quota used up                              ^
 *     └─┴── on_waiting ─────────────────────────────────── timeout_ms over ────┘
 */
#ifndef RIVERS_BACKEND_JOB_CALLS_H
#define RIVERS_BACKEND_JOB_CALLS_H

#include <stdint.h>

#include "base/err.h"
#include "kube/client.h"
#include "kube/job.h"

struct job_calls;

struct job_call_events {
    void (*on_waiting)(void *arg, int64_t token, const char *for_what);
    void (*on_created)(void *arg, int64_t token, const struct err *why);
    void *arg;
};

/* All is borrowed and must live longer. namespace: of Kubernetes. */
struct job_calls *job_calls_new(struct kube *kube, const char *namespace,
                                const struct job_call_events *events);
void job_calls_free(struct job_calls *jc); /* requests that are under way are given up */

/* j is taken over. The events come with the token. */
void job_create(struct job_calls *jc, struct job *j, int64_t token, int64_t timeout_ms);

/* With its pods, in the background. uid: only the Job with this one; NULL: the one of that name. What is being created
 * under the token is not any more, without an event. */
void job_delete(struct job_calls *jc, const char *name, const char *uid, int64_t token);

#endif
