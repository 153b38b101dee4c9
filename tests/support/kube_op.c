#include "support/kube_op.h"

#include "support/kube_status.h"

void kube_op_refuse(struct kube_op *q, cJSON *status)
{
    kube_answer(q->call, kube_status_code(status), status);
}

void kube_op_answer(struct kube_op *q, int code, const struct kube_object *o)
{
    kube_answer(q->call, code, cJSON_Duplicate(o->json, 1));
}
