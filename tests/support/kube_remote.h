/* kube_remote: the test node (kube_node.h) at work for a real API server: what that says of the pods of a namespace goes
 * to the node's store; what the node makes of them goes to the server: pods/binding, pods/status, and DELETE when
 * nothing of a pod is left. */
#ifndef RIVERS_TESTS_KUBE_REMOTE_H
#define RIVERS_TESTS_KUBE_REMOTE_H

#include "support/kube_store.h"

struct kube_remote;
struct reaper;

/* cluster: see kube_claim.h. */
struct kube_remote *kube_remote_new(struct reaper *reaper, const char *cluster, const char *ns,
                                    struct kube_store *s);
void kube_remote_free(struct kube_remote *r);

#endif
