/*
 * client: requests to the Kubernetes API with the credentials of its access, and what the answers mean.
 *
 * Every call ends exactly once, in its callback, never before the function that started it has returned, or
 * by kube_cancel without one. Callbacks may start and cancel calls. A request that is answered with 401 goes
 * out once more with credentials that were read or made anew.
 */
#ifndef RIVERS_KUBE_CLIENT_H
#define RIVERS_KUBE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kube/access.h"

struct cJSON;
struct kube;
struct kube_call; /* a request or a stream under way; not to be used once its callback was called */
struct reaper;

/* options are copied. NULL and e when nothing says where the API server is, or what says so is faulty. */
struct kube *kube_new(struct reaper *reaper, const struct access_options *options, struct err *e);

/* Calls under way end without their callbacks. Not from a callback of k. */
void kube_free(struct kube *k);

struct event_base *kube_base_get(const struct kube *k);
const char *kube_server_get(const struct kube *k);    /* "https://10.0.0.1:6443" */
const char *kube_namespace_get(const struct kube *k); /* the pod's own, or the context's; "default" */
char *kube_identity_print(const struct kube *k);      /* see access.h; owned by the caller */

/* What an answer means for what the request wanted. */
enum kube_outcome {
    KUBE_OK,             /* 2xx */
    KUBE_ALREADY_EXISTS, /* 409 with that reason: look whether it is ours */
    KUBE_NOT_FOUND,      /* 404: the object, or its namespace */
    KUBE_CONFLICT,       /* any other 409: a precondition failed, or somebody was faster */
    KUBE_EXPIRED,        /* 410: the resource version is too old; list again */
    KUBE_QUOTA,          /* 403 exceeded quota: refused as long as the quota is used up */
    KUBE_REFUSED,        /* 400, 403, 422, ...: the same request will not do better */
    KUBE_RETRY,          /* not done, may be later: 429, 503, 401, or the server was not reached */
    KUBE_UNKNOWN,        /* may have been done: other 5xx, time-outs, lost connections */
};

/* Borrowed for the time of the call. Nothing in it is ever NULL but object. */
struct kube_reply {
    enum kube_outcome outcome;
    int status;                 /* of HTTP; 0: there was no answer */
    const char *reason;         /* a word: "AlreadyExists", "TooManyRequests", ...; "" when all went well */
    const char *message;        /* of the server, or why there was no answer; "" when all went well */
    int64_t retry_after_ms;     /* -1: the server named no time */
    const struct cJSON *object; /* the body, when it is a JSON object */
    const char *text;           /* the body as it came, NUL-terminated: pods/log */
    size_t text_len;
};

typedef void kube_reply_fn(void *arg, const struct kube_reply *reply);
typedef void kube_line_fn(void *arg, const char *line, size_t len); /* as http_line_fn */

struct kube_request {
    const char *method;  /* "GET", "POST", "DELETE", ... */
    const char *path;    /* "/apis/batch/v1/namespaces/default/jobs?limit=500", already escaped */
    const char *body;    /* JSON; copied; NULL: none */
    int64_t deadline_ms; /* 0: 30 s (a stream: none) */
    int64_t begin_ms;    /* until its status is there; 0: no other than deadline_ms */
};

struct kube_call *kube_send(struct kube *k, const struct kube_request *request, kube_reply_fn *on_reply,
                            void *arg);

/* The same, and runs the loop until on_reply was called. */
void kube_send_wait(struct kube *k, const struct kube_request *request, kube_reply_fn *on_reply, void *arg);

/* A response that goes on, line by line, on a connection of its own. on_end is the last callback: KUBE_OK when the server
 * ended it properly, and what kube_send would say otherwise. */
struct kube_call *kube_stream(struct kube *k, const struct kube_request *request, kube_line_fn *on_line,
                              kube_reply_fn *on_end, void *arg);

/* Ends a call without a callback. NULL is none. */
void kube_cancel(struct kube_call *call);

/* What an answer with this status, and the reason and message of its Status object, means. */
enum kube_outcome kube_outcome_of(int status, const char *reason, const char *message);

#endif
