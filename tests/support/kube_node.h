/*
 * kube_node: the test node: it takes pending pods and runs the command of their first container as a process of this
 * machine, in a group of its own, with exactly the pod's environment and PATH, KUBERNETES_SERVICE_HOST and _PORT,
 * HOSTNAME and what --pass-env names (when KUBECONFIG is among it, without the service's). Images are not looked at,
 * unless their name says what goes wrong:
 *
 *   fault/errimagepull      Pending: ErrImagePull, then ImagePullBackOff
 *   fault/invalidimagename  Pending: InvalidImageName
 *   fault/configerror       Pending: CreateContainerConfigError (so does a secret that is not there)
 *   fault/unschedulable     Pending, on no node: PodScheduled is False
 *   fault/oomkilled         runs nothing; Failed, the container OOMKilled with 137
 *   fault/evicted           runs nothing; Failed, the pod Evicted
 *   fault/deadline          runs nothing; Failed, the pod DeadlineExceeded
 *   fault/nodelost          Running, but runs nothing; then its node is lost and the pod is being deleted for ever
 *                           (until grace 0); the next pod of the same Job runs its command
 *
 * A command that cannot be started is a container that ended with 128 (StartError). A deleted pod gets SIGTERM, and
 * SIGKILL after its grace. What outlives the process of a container is killed, as the end of its pid namespace does.
 * Containers are never restarted (restartPolicy is taken as Never), volumes not mounted.
 */
#ifndef RIVERS_TESTS_KUBE_NODE_H
#define RIVERS_TESTS_KUBE_NODE_H

#include "support/kube_container.h"
#include "support/kube_store.h"

struct event_base;
struct reaper;
struct kube_node;

/* The options are borrowed. */
struct kube_node *kube_node_new(struct event_base *base, struct kube_store *s, struct reaper *reaper,
                                const struct kube_container_options *o);
void kube_node_free(struct kube_node *n); /* kills what runs */

/* The output of a pod's container so far; NULL: it never started. */
const char *kube_node_log(const struct kube_node *n, const char *uid, size_t *len);
int kube_node_running(const struct kube_node *n); /* processes */

#endif
