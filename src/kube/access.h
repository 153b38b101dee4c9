/*
 * access: where the Kubernetes API server is and who we are to it: the service account of the pod we run in,
 * or a kubeconfig file.
 *
 * Credentials age: a service account's token and a tokenFile are read again every minute, an exec plugin is
 * run again when what it said expires. access_ask hands out current ones; access_reject says that the server
 * did not accept them.
 */
#ifndef RIVERS_KUBE_ACCESS_H
#define RIVERS_KUBE_ACCESS_H

#include "base/err.h"
#include "http/http.h"

struct access;
struct reaper;

struct access_options {
    const char *kubeconfig;          /* a file; NULL: the pod's service account when there is one, else
                                        $KUBECONFIG, else ~/.kube/config */
    const char *context;             /* of the kubeconfig; NULL: its current-context */
    const char *service_account_dir; /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
};

/* NULL and e when nothing is found or what is found is faulty; e names the file and the place in it. */
struct access *access_new(struct reaper *reaper, const struct access_options *options, struct err *e);

/* Whoever asked and was not answered yet is not. Not from a callback. */
void access_free(struct access *a);

const char *access_namespace_get(const struct access *a); /* of the pod or the context; "default" */

/* What is current, without looking at its age; the exec plugin may not have been run yet. */
const struct http_options *access_options_get(const struct access *a);

/* Exactly once, never before access_ask has returned: the current options, borrowed, or NULL and why there are none. */
typedef void access_fn(void *arg, const struct http_options *options, const struct err *e);

void access_ask(struct access *a, access_fn *on_access, void *arg);

/* What was handed out last is not good any more: read or make it anew. */
void access_reject(struct access *a);

#endif
