/* kube_list: LIST, in pages, and WATCH. */
#ifndef RIVERS_TESTS_KUBE_LIST_H
#define RIVERS_TESTS_KUBE_LIST_H

#include "support/kube_op.h"
#include "support/kube_selector.h"

void kube_serve_list(struct kube_op *q);
void kube_serve_watch(struct kube_op *q);

/* NULL when a selector of the request is wrong, and the call is answered. */
struct kube_selector *kube_op_selector(struct kube_op *q);

/* The request and its selector mean this object too. */
bool kube_op_means(const struct kube_op *q, const struct kube_object *o, const struct kube_selector *s);

/* An empty list for the answer; items of it name neither kind nor apiVersion. */
cJSON *kube_list_new(const struct kube_op *q, int64_t version);
void kube_list_add(cJSON *items, const struct kube_object *o);

#endif
