/* kube_http: HTTPS on a free port of 127.0.0.1. Each request is a call, answered once or streamed; how the answer gets
 * lost or slow on its way can be set per call. */
#ifndef RIVERS_TESTS_KUBE_HTTP_H
#define RIVERS_TESTS_KUBE_HTTP_H

#include <cjson/cJSON.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>
#include <stdint.h>

#include "support/kube_tls.h"

enum kube_way { /* of the answer */
                KUBE_PLAIN,
                KUBE_LOST, /* the connection is reset instead */
                KUBE_CUT,  /* half of the body, then a reset */
                KUBE_SLOW, /* the body in small pieces */
                KUBE_NEVER /* nothing at all; the connection stays */
};

struct kube_call {
    struct evhttp_request *req;
    const char *method; /* "GET", ... */
    char *path;         /* decoded, without the query */
    struct evkeyvalq query;
    const char *body; /* NUL-terminated */
    enum kube_way way;
    int64_t way_ms; /* KUBE_SLOW: between pieces */
    /* Of who streams: told when the client went away; the call is gone then. */
    void (*on_close)(void *arg);
    void *arg;
    struct kube_sending *sending;
    struct event *timer;
};

typedef void kube_call_fn(void *arg, struct kube_call *call);

struct kube_http;
struct kube_http *kube_http_new(struct event_base *base, const struct kube_tls *tls, kube_call_fn *on_call,
                                void *arg);
void kube_http_free(struct kube_http *h);
int kube_http_port_get(const struct kube_http *h);

const char *kube_query(const struct kube_call *c, const char *name);  /* NULL: not given */
const char *kube_header(const struct kube_call *c, const char *name); /* NULL: not given */
SSL *kube_call_ssl(const struct kube_call *c);

/* Each ends the call. body is taken over. */
void kube_answer(struct kube_call *c, int code, cJSON *body);
void kube_answer_text(struct kube_call *c, int code, const char *text);
void kube_answer_header(struct kube_call *c, const char *name, const char *value); /* before the answer */
void kube_reset(struct kube_call *c);

/* Runs fn(arg, call) later; not when the client goes away before. */
void kube_later(struct kube_call *c, int64_t in_ms, kube_call_fn *fn, void *arg);

/* A stream: begun, added to, ended. */
void kube_stream_begin(struct kube_call *c, void (*on_gone)(void *arg), void *arg);
void kube_stream_send(struct kube_call *c, const char *bytes, size_t n);
void kube_stream_end(struct kube_call *c);

#endif
