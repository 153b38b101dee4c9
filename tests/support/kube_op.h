/* kube_op: one request on objects of the API, taken apart. */
#ifndef RIVERS_TESTS_KUBE_OP_H
#define RIVERS_TESTS_KUBE_OP_H

#include "support/kube_api.h"

struct kube_op {
    struct kube_api *api;
    struct kube_call *call;
    const char *user;
    const char *group, *version, *ns, *plural, *name, *sub; /* "": not there */
    const struct kube_resource *resource;
    struct kube_object *object; /* that is named */
    cJSON *body;
    const char *verb;
};

/* Each answers the call; the status is taken over. */
void kube_op_refuse(struct kube_op *q, cJSON *status);
void kube_op_answer(struct kube_op *q, int code, const struct kube_object *o);

#endif
