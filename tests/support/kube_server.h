/* kube_server: the fake API server and test node (tests/tools/kubernetes) for one test binary: in a directory of its
 * own, gone with all that it started when the test binary ends. When $RIVERS_KUBE_CLUSTER is the directory of a real one
 * (scripts/test-kubernetes) it is a namespace of that instead; then there is nothing of kube_admin.h. */
#ifndef RIVERS_TESTS_KUBE_SERVER_H
#define RIVERS_TESTS_KUBE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct kube_server {
    char dir[64]; /* kubeconfig, url, token, ca.crt, ... see kube_files.h; sa/ is a service account's */
    char kubeconfig[96]; /* its path */
    char url[64];
    char namespace[64]; /* of the objects of a test */
    pid_t pid;
    int stdin_fd; /* ours; it ends when that is closed */
};

/* Starts and waits until it answers; extra: NULL-terminated options, see tests/tools/kubernetes.c, or NULL. Ends the
 * test binary with a message when that fails. */
void kube_server_start(struct kube_server *s, const char *const *extra);
bool kube_server_is_real(void);               /* or are faults to be had? */
void kube_server_stop(struct kube_server *s); /* ends it, and removes the directory */

#endif
