/* kube_claim: a namespace of its own on a real API server, for one test. The cluster is a directory with `url`, `ca.crt`,
 * `token` and `kubeconfig` of somebody who may do everything (scripts/test-kubernetes). Each ends the process with a
 * message when it fails. */
#ifndef RIVERS_TESTS_KUBE_CLAIM_H
#define RIVERS_TESTS_KUBE_CLAIM_H

/* Makes the namespace, the accounts `rivers` and `rivers-executor` in it, and a node of the same name, whose logs are
 * answered at this port of 127.0.0.1; waits until pods can be made. The name is owned by the caller. */
char *kube_claim(const char *cluster, int logs_port);

/* Writes the files of kube_files.h that there are: `token` is of who may do everything; `kubeconfig` and sa/ are of
 * `rivers`, who may do what a dequeuer and its executors need. */
void kube_claim_files(const char *cluster, const char *ns, const char *dir);

int kube_claim_port(const char *cluster); /* of the server */

#endif
