#include "kube/rights.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/client.h"

#define BOTH        (RIGHT_DEQUEUER | RIGHT_EXECUTOR)
#define DEADLINE_MS 10000

/* The dequeuer has a Job for each attempt of a run and watches Jobs and pods (src/backend/kubernetes.c); the executor has one
 * for each attempt of a step, watches its pods, ends them and reads their logs (src/exec/worker_job.c, pod_log.c). */
const struct right rights[] = {
    {"batch", "jobs", "create", BOTH},
    {"batch", "jobs", "get", BOTH},
    {"batch", "jobs", "delete", BOTH},
    {"batch", "jobs", "list", RIGHT_DEQUEUER},
    {"batch", "jobs", "watch", RIGHT_DEQUEUER},
    {"", "pods", "list", BOTH},
    {"", "pods", "watch", BOTH},
    {"", "pods", "delete", RIGHT_EXECUTOR},
    {"", "pods/log", "get", RIGHT_EXECUTOR},
};
const size_t nrights = sizeof rights / sizeof *rights;

char *right_print(const struct right *r)
{
    return xasprintf("%s %s%s%s", r->verb, r->resource, *r->group ? "." : "", r->group);
}

/* --- a SelfSubjectAccessReview --- */

static char *review_print(const struct right *r, const char *namespace)
{
    const char *slash = strchr(r->resource, '/');
    char *resource = slash ? xmemdup(r->resource, (size_t)(slash - r->resource)) : xstrdup(r->resource);
    struct text t = {0};

    json_put_open(&t, '{');
    json_put_string_member(&t, "apiVersion", "authorization.k8s.io/v1");
    json_put_string_member(&t, "kind", "SelfSubjectAccessReview");
    json_put_key(&t, "spec");
    json_put_open(&t, '{');
    json_put_key(&t, "resourceAttributes");
    json_put_open(&t, '{');
    json_put_string_member(&t, "namespace", namespace);
    json_put_string_member(&t, "verb", r->verb);
    json_put_string_member(&t, "group", r->group);
    json_put_string_member(&t, "resource", resource);
    json_put_string_member(&t, "subresource", slash ? slash + 1 : NULL);
    json_put_close(&t, '}');
    json_put_close(&t, '}');
    json_put_close(&t, '}');
    free(resource);
    return t.s;
}

struct review {
    bool *allowed;
    char **why;
    int status;
    struct err *e;
};

static void on_reviewed(void *arg, const struct kube_reply *r)
{
    struct review *review = arg;
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(r->object, "status");
    const cJSON *allowed = cJSON_GetObjectItemCaseSensitive(status, "allowed");
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(status, "reason"));

    if (r->outcome != KUBE_OK || !cJSON_IsBool(allowed)) {
        review->status =
            err_set(review->e, ERR_UNAVAILABLE, "%s", *r->message ? r->message : "no review came");
        return;
    }
    *review->allowed = cJSON_IsTrue(allowed);
    *review->why = xstrdup(why ? why : "");
}

int right_ask(struct kube *k, const char *namespace, const struct right *r, bool *allowed, char **why,
              struct err *e)
{
    struct review review = {allowed, why, 0, e};
    char *body = review_print(r, namespace);

    kube_send_wait(k,
                   &(struct kube_request){
                       .method = "POST",
                       .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                       .body = body,
                       .deadline_ms = DEADLINE_MS,
                   },
                   on_reviewed, &review);
    free(body);
    return review.status;
}
