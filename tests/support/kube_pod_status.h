/* kube_pod_status: the status of a pod as a kubelet reports it, from Pending to its end. Each fills in pod->json; the
 * caller tells the store. */
#ifndef RIVERS_TESTS_KUBE_POD_STATUS_H
#define RIVERS_TESTS_KUBE_POD_STATUS_H

#include "support/kube_store.h"

void kube_pod_scheduled(struct kube_object *pod, const char *node);
void kube_pod_unschedulable(struct kube_object *pod, const char *message);
void kube_pod_waiting(struct kube_object *pod, const char *reason, const char *message); /* NULL: none */
void kube_pod_running(struct kube_object *pod);
/* message: NULL for none. The pod is Succeeded with exit code 0 and Failed with any other. */
void kube_pod_terminated(struct kube_object *pod, int exit_code, const char *reason, const char *message);
void kube_pod_failed(struct kube_object *pod, const char *reason,
                     const char *message); /* the pod, no container */
void kube_pod_node_lost(struct kube_object *pod, const char *node);

#endif
