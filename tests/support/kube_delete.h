/* kube_delete: how objects go: pods with a grace, owners with or without what they own, and what lost its owner. */
#ifndef RIVERS_TESTS_KUBE_DELETE_H
#define RIVERS_TESTS_KUBE_DELETE_H

#include <stdbool.h>

#include "support/kube_store.h"

struct event_base;

#define KUBE_OWN_GRACE (-1) /* terminationGracePeriodSeconds of the pod */

/* Begins to delete a pod: at once (and true) when it runs on no node, has ended, or the grace is 0; else the node ends
 * it. *answer (may be NULL): the pod as the server answers it, owned by the caller. */
bool kube_delete_pod(struct kube_store *s, struct kube_object *pod, int64_t grace_s, cJSON **answer);

/* policy: "Background", "Foreground", "Orphan". True when the object is gone. */
bool kube_delete_owner(struct kube_store *s, struct kube_object *o, const char *policy);

/* The garbage collector: shortly after a change it deletes objects all of whose owners are gone, and owners deleted in
 * the foreground once nothing is left that they own. */
struct kube_collector;
struct kube_collector *kube_collector_new(struct event_base *base, struct kube_store *s);
void kube_collector_free(struct kube_collector *c);

#endif
