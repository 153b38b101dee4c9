/* kube_controller: what kube-controller-manager does with Jobs: starts their pods, counts them, decides when a Job is
 * complete or failed, and deletes finished ones when their time to live is over. It counts as release 1.20 does: a pod
 * that is being deleted is not active, so a Job whose running pod is deleted gets a second one, whatever its
 * backoffLimit. */
#ifndef RIVERS_TESTS_KUBE_CONTROLLER_H
#define RIVERS_TESTS_KUBE_CONTROLLER_H

#include "support/kube_store.h"

struct event_base;
struct kube_controller;

struct kube_controller *kube_controller_new(struct event_base *base, struct kube_store *s);
void kube_controller_free(struct kube_controller *c);

/* Jobs that had no quota for their pods get them. */
void kube_controller_unblock(struct kube_controller *c);

#endif
