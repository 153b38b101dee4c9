#include "support/kube_remove.h"

#include <string.h>

#include "base/number.h"
#include "support/kube_delete.h"
#include "support/kube_json.h"
#include "support/kube_list.h"
#include "support/kube_status.h"

static const char *delete_option(const struct kube_op *q, const char *name)
{
    const char *in_body = kube_text_at(q->body, name);

    return in_body ? in_body : kube_query(q->call, name);
}

/* NULL, or the conflict with what the caller thought to delete. */
static cJSON *precondition_fault(const struct kube_op *q)
{
    const char *uid = kube_text_at(q->body, "preconditions.uid");
    const struct kube_resource *r = q->resource;

    if (!uid || strcmp(uid, q->object->uid) == 0)
        return NULL;
    return kube_status(
        409, "Conflict", kube_json("{'name':%s,'group':%s,'kind':%s}", q->object->name, r->group, r->kind),
        "Operation cannot be fulfilled on %s%s%s \"%s\": the UID in the precondition (%s) does not match "
        "the UID in record (%s). The object might have been deleted and then recreated",
        r->kind, *r->group ? "." : "", r->group, q->object->name, uid, q->object->uid);
}

static int64_t grace_of(const struct kube_op *q)
{
    const char *text = kube_query(q->call, "gracePeriodSeconds");
    int64_t grace = kube_whole_at(q->body, "gracePeriodSeconds", KUBE_OWN_GRACE);

    if (text && number_parse(text, 0, INT64_MAX, &grace) < 0)
        return KUBE_OWN_GRACE;
    return grace;
}

/* Jobs of batch/v1 are orphaned unless the caller says otherwise. */
static const char *policy_of(const struct kube_op *q)
{
    const char *given = delete_option(q, "propagationPolicy");

    return given ? given : q->resource == &kube_jobs ? "Orphan" : "Background";
}

static void delete_pod(struct kube_op *q)
{
    cJSON *answer;

    kube_delete_pod(q->api->store, q->object, grace_of(q), &answer);
    kube_answer(q->call, 200, answer);
}

/* What is gone at once is answered by a Status, what goes later by the object. */
static void delete_owner(struct kube_op *q)
{
    const char *policy = policy_of(q);
    cJSON *success =
        kube_json("{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Success','details':{'name':"
                  "%s,'kind':%s,'uid':%s}}",
                  q->object->name, q->resource->plural, q->object->uid);

    if (*q->resource->group)
        kube_put_text(success, "details.group", q->resource->group);
    if (kube_delete_owner(q->api->store, q->object, policy)) {
        kube_answer(q->call, 200, success);
        return;
    }
    cJSON_Delete(success);
    kube_op_answer(q, 200, q->object);
}

void kube_serve_delete(struct kube_op *q)
{
    cJSON *fault = precondition_fault(q);

    if (fault)
        kube_op_refuse(q, fault);
    else if (q->resource == &kube_pods)
        delete_pod(q);
    else
        delete_owner(q);
}

static struct kube_object *next_meant(const struct kube_op *q, const struct kube_selector *s)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(q->api->store, o));)
        if (kube_op_means(q, o, s) && !kube_at(o->json, "metadata.deletionTimestamp"))
            return o;
    return NULL;
}

void kube_serve_delete_collection(struct kube_op *q)
{
    struct kube_selector *s = kube_op_selector(q);

    if (!s)
        return;
    cJSON *list = kube_list_new(q, kube_store_version(q->api->store));
    for (struct kube_object *o; (o = next_meant(q, s));) {
        kube_list_add(cJSON_GetObjectItem(list, "items"), o);
        if (q->resource == &kube_pods)
            kube_delete_pod(q->api->store, o, grace_of(q), NULL);
        else
            kube_delete_owner(q->api->store, o, policy_of(q));
    }
    kube_selector_free(s);
    kube_answer(q->call, 200, list);
}
