/* account: what a pod's service account or a kubeconfig says: where the API server is and what proves who we are. */
#ifndef RIVERS_KUBE_ACCOUNT_H
#define RIVERS_KUBE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ACCOUNT_FILE_BYTES_MAX ((size_t)4 << 20)

/* Text that stands in the document itself, or in a file that is read whenever it is needed. */
struct account_part {
    char *data; /* NULL: in the file */
    size_t len;
    char *file; /* NULL: in the data, or there is none */
};

/* A program that prints credentials. */
struct account_plugin {
    char **argv;
    char **env; /* "NAME=value", in addition to ours */
    char *api_version;
    char *hint;        /* how to install it; NULL: it says nothing */
    bool cluster_info; /* it wants to know which cluster it is for */
};

struct account {
    char *source; /* the file that all this is from; NULL: a service account */
    char *who;    /* as people say it: "user 'ops' of context 'prod'" */
    char *server, *server_name, *proxy, *namespace;
    bool insecure;
    struct account_part ca, certificate, key, token;
    struct account_plugin *plugin; /* NULL: none */
};

/* The service account in dir of the pod that we run in: KUBERNETES_SERVICE_HOST and _PORT name the server. */
__attribute__((warn_unused_result)) int account_of_pod(struct account *a, const char *dir, struct err *e);

/* One context of kubeconfig files, "a:b" as in $KUBECONFIG: the first one that has something counts, missing ones are passed
 * over when there are several. context NULL: current-context. What is not supported is refused by name.
 * e: `<file>: users[2].user.exec.command: is required`. */
__attribute__((warn_unused_result)) int account_of_kubeconfig(struct account *a, const char *files,
                                                              const char *context, struct err *e);

void account_release(struct account *a); /* {0} is fine */

#endif
