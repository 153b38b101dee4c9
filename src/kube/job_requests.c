#include "kube/job_requests.h"

#include <stdlib.h>

#include "base/mem.h"

/* path and body are owned by us, and NULL is no body. */
static struct kube_call *request(const struct job_place *at, const char *method, char *path, char *body,
                                 kube_reply_fn *on_reply, void *arg)
{
    const struct kube_request r = {.method = method, .path = path, .body = body};
    struct kube_call *call = kube_send(at->kube, &r, on_reply, arg);

    free(path);
    free(body);
    return call;
}

static char *jobs_path(const struct job_place *at, const char *slash, const char *name)
{
    return xasprintf("/apis/batch/v1/namespaces/%s/jobs%s%s", at->namespace, slash, name);
}

struct kube_call *job_request_create(const struct job_place *at, const char *job, kube_reply_fn *on_reply,
                                     void *arg)
{
    return request(at, "POST", jobs_path(at, "", ""), xstrdup(job), on_reply, arg);
}

struct kube_call *job_request_get(const struct job_place *at, const char *name, kube_reply_fn *on_reply,
                                  void *arg)
{
    return request(at, "GET", jobs_path(at, "/", name), NULL, on_reply, arg);
}

struct kube_call *job_request_delete(const struct job_place *at, const char *name, const char *uid,
                                     kube_reply_fn *on_reply, void *arg)
{
    char *only = uid ? xasprintf(",\"preconditions\":{\"uid\":\"%s\"}", uid) : xstrdup("");
    char *body = xasprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\"%s}", only);

    free(only);
    return request(at, "DELETE", jobs_path(at, "/", name), body, on_reply, arg);
}

struct kube_call *job_request_pods(const struct job_place *at, const char *name, kube_reply_fn *on_reply,
                                   void *arg)
{
    char *path = xasprintf("/api/v1/namespaces/%s/pods?labelSelector=job-name%%3D%s", at->namespace, name);

    return request(at, "GET", path, NULL, on_reply, arg);
}

struct kube_call *job_request_end_pod(const struct job_place *at, const char *pod, const char *uid,
                                      int64_t grace_ms, kube_reply_fn *on_reply, void *arg)
{
    long long seconds = grace_ms < 1000 ? 1 : (grace_ms + 999) / 1000;
    char *path = xasprintf("/api/v1/namespaces/%s/pods/%s", at->namespace, pod);
    char *body = xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":%lld,"
                           "\"preconditions\":{\"uid\":\"%s\"}}",
                           seconds, uid);

    return request(at, "DELETE", path, body, on_reply, arg);
}
