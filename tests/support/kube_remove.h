/* kube_remove: DELETE of one object, or of all that a selector takes. */
#ifndef RIVERS_TESTS_KUBE_REMOVE_H
#define RIVERS_TESTS_KUBE_REMOVE_H

#include "support/kube_op.h"

void kube_serve_delete(struct kube_op *q);
void kube_serve_delete_collection(struct kube_op *q);

#endif
