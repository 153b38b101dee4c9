/* kube_write: POST, PUT and PATCH of objects and their status. */
#ifndef RIVERS_TESTS_KUBE_WRITE_H
#define RIVERS_TESTS_KUBE_WRITE_H

#include "support/kube_op.h"

void kube_serve_create(struct kube_op *q);
void kube_serve_patch(struct kube_op *q);
void kube_serve_update(struct kube_op *q);

#endif
