/* kube_log: GET .../pods/NAME/log. */
#ifndef RIVERS_TESTS_KUBE_LOG_H
#define RIVERS_TESTS_KUBE_LOG_H

#include "support/kube_http.h"
#include "support/kube_node.h"

/* Answers with the output of the pod's container: its last tailLines, of these the first limitBytes. node NULL: as if
 * nothing had started. */
void kube_log_serve(const struct kube_node *node, const struct kube_object *pod, struct kube_call *call);

#endif
