/* kube_files: what a client needs to reach the fake API server, as files. In the directory:
 *
 *   url, token, ca.crt, client.crt, client.key
 *   kubeconfig   contexts `token-file` (the current one), `token`, `certificate` and `inline` (certificates as data)
 *
 * In the service account's directory, if there is one, as in a pod: token, ca.crt, namespace. Each is written whole and
 * then put in its place. */
#ifndef RIVERS_TESTS_KUBE_FILES_H
#define RIVERS_TESTS_KUBE_FILES_H

#include "support/kube_tls.h"

struct kube_files {
    const char *dir;
    const char *service_account; /* NULL: none */
    const char *ns;              /* of the service account and the contexts */
    int port;
};

/* Ends the process when one cannot be written. */
void kube_files_write(const struct kube_files *f, const struct kube_tls *tls, const char *token);

/* One of them. */
void kube_file_write(const char *dir, const char *name, const char *content);

#endif
