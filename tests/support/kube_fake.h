/* kube_fake: what tests of the fake API server say in one line each; each fails the test when it is not so. Objects are
 * named as below a namespace: `jobs/a`, `pods/a-x7k2p`; values are compared as texts; a number in a path picks an item
 * of an array: `status.conditions.0.type`. */
#ifndef RIVERS_TESTS_KUBE_FAKE_H
#define RIVERS_TESTS_KUBE_FAKE_H

#include <cjson/cJSON.h>

#include "support/kube_client.h"
#include "support/kube_server.h"

/* Sends a request of the API or of kube_admin.h; the answer must have this status. Owned by the caller; in body ' stands
 * for ". */
cJSON *fake_ask(const struct kube_server *s, int status, const char *method, const char *path,
                const char *body);
void fake_do(const struct kube_server *s, int status, const char *method, const char *path, const char *body);

/* Creates a Job with backoffLimit 0 of one container: its members beside name and image (which may be among them), with '
 * for ". */
void fake_job(const struct kube_server *s, const char *name, const char *container);

/* The path of an object in the namespace of the server; owned by the caller. */
char *fake_path(const struct kube_server *s, const char *object);

void fake_is(const struct kube_server *s, const char *object, const char *path, const char *want); /* now */
void fake_until(const struct kube_server *s, const char *object, const char *path,
                const char *want); /* at last */
void fake_until_gone(const struct kube_server *s, const char *object);

/* The same of the newest pod of a Job; "" as want: there is nothing. */
char *fake_pod(const struct kube_server *s, const char *job); /* `pods/<name>`, owned; NULL: there is none */
void fake_pod_is(const struct kube_server *s, const char *job, const char *path, const char *want);
void fake_pod_until(const struct kube_server *s, const char *job, const char *path, const char *want);
void fake_log_is(const struct kube_server *s, const char *job, const char *query, const char *want);
void fake_log_until(const struct kube_server *s, const char *job, const char *want); /* of its newest pod */
long fake_log_number(const struct kube_server *s, const char *job); /* its first line, once it is there */
int fake_pods(const struct kube_server *s, const char *job);        /* how many */
int fake_jobs(const struct kube_server *s);                         /* how many there are */
int fake_unfinished(const struct kube_server *s); /* how many Jobs are neither Complete nor Failed */
int fake_running(const struct kube_server *s);    /* how many pods are */

/* A number of GET /-/dump: `counters.create jobs`, `watches`, `processes`, or how many of an array: `faults`. */
int fake_number(const struct kube_server *s, const char *path);

#endif
