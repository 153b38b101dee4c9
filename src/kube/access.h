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

#include <sys/queue.h>

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

const char *access_server_get(const struct access *a);    /* its URL */
const char *access_namespace_get(const struct access *a); /* of the pod or the context; "default" */

/* Who we are and what shows it: "user 'ops' of context 'prod', by exec plugin 'aws'"; owned by the caller. */
char *access_identity_print(const struct access *a);

/* The options as they are, without looking at their age; an exec plugin may not have been run yet. */
struct http_options access_options_get(const struct access *a);

/* Counts the credentials that were read or made: which ones an answer is about. */
unsigned access_version_get(const struct access *a);

/* Somebody who waits for credentials, in his own storage from access_ask to on_access or access_forget. why is NULL when
 * access_options_get gives current ones. */
struct access_wait {
    TAILQ_ENTRY(access_wait) link;
    void (*on_access)(void *arg, const struct err *why);
    void *arg;
};

/* on_access is called exactly once, never before this has returned. */
void access_ask(struct access *a, struct access_wait *w);
void access_forget(struct access *a, struct access_wait *w);

/* The server did not accept the credentials of this version: what is asked for next is read or made anew, unless that
 * has been done already. */
void access_reject(struct access *a, unsigned version);

/* The server was not reached with them: perhaps its CA is another by now. Files are read anew; a plugin is not run. */
void access_doubt(struct access *a, unsigned version);

#endif
