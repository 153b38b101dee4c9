/* kube_client: a blocking HTTPS client for tests: one request a connection, the server's certificate checked against
 * ca.crt of the directory that the fake API server writes to. */
#ifndef RIVERS_TESTS_KUBE_CLIENT_H
#define RIVERS_TESTS_KUBE_CLIENT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define KUBE_NO_TOKEN "" /* sends none */

struct kube_request {
    const char *method, *path;
    const char *body;  /* NULL: none */
    const char *type;  /* of the body; NULL: application/json */
    const char *token; /* NULL: the one in the directory */
    bool certificate;  /* shows client.crt instead */
};

/* status 0: there was no whole answer; text holds what came of it. */
struct kube_response {
    int status;
    char *head, *text; /* text: the body */
    cJSON *json;       /* NULL: it is not JSON */
};

struct kube_response kube_ask(const char *dir, const struct kube_request *q);
void kube_response_release(struct kube_response *r);

/* A request whose answer is read piece by piece: a watch. */
struct kube_stream;
struct kube_stream *kube_stream_open(const char *dir, const struct kube_request *q); /* NULL: refused */
struct kube_stream *kube_begin(const char *dir,
                               const struct kube_request *q); /* the same without waiting for an answer */
/* The next line as JSON, owned by the caller; NULL: the stream has ended, or timeout_ms are over. */
cJSON *kube_stream_next(struct kube_stream *s, int timeout_ms);
void kube_stream_close(struct kube_stream *s);

#endif
