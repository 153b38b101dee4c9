#include "support/kube_write.h"

#include <string.h>

#include "support/kube_job.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

static bool is_namespace(const struct kube_api *api, const char *ns)
{
    for (size_t i = 0; i < api->namespaces->n; i++)
        if (strcmp(api->namespaces->items[i], ns) == 0)
            return true;
    return strcmp(ns, "default") == 0;
}

/* NULL, or why the Job in the body is not taken. The uid is made here, as labels follow from it. */
static cJSON *admit_job(struct kube_op *q)
{
    cJSON *fault = kube_job_malformed(q->api->schema, q->body, q->api->drop_unknown);

    if (fault)
        return fault;
    kube_store_name(q->body);
    kube_job_complete(q->body);
    return kube_job_invalid(q->body);
}

static cJSON *admit_other(struct kube_op *q)
{
    const char *name = kube_text_at(q->body, "metadata.name");
    struct kube_causes c = {0};

    kube_check_metadata(&c, q->body);
    kube_store_name(q->body);
    return kube_invalid(&c, q->resource, name ? name : "");
}

static cJSON *already_exists(const struct kube_resource *r, const char *name)
{
    return kube_status(409, "AlreadyExists",
                       kube_json("{'name':%s,'group':%s,'kind':%s}", name, r->group, r->plural),
                       "%s \"%s\" already exists", kube_dotted(r), name);
}

void kube_serve_create(struct kube_op *q)
{
    cJSON *fault = NULL;

    kube_put(q->body, "metadata.uid", NULL);
    if (!is_namespace(q->api, q->ns))
        fault = kube_status(404, "NotFound", kube_json("{'name':%s,'kind':'namespaces'}", q->ns),
                            "namespaces \"%s\" not found", q->ns);
    if (!fault)
        fault = q->resource == &kube_jobs ? admit_job(q) : admit_other(q);
    if (!fault && kube_store_find(q->api->store, q->resource, q->ns, kube_text_at(q->body, "metadata.name")))
        fault = already_exists(q->resource, kube_text_at(q->body, "metadata.name"));
    if (fault) {
        kube_op_refuse(q, fault);
        return;
    }
    struct kube_object *o = kube_store_add(q->api->store, q->resource, q->ns, q->body);
    q->body = NULL;
    kube_faults_mark(q->api->faults, o);
    kube_op_answer(q, 201, o);
}

/* after: what the object is to become, taken over. The server's own fields stay. */
static void replace(struct kube_op *q, cJSON *after)
{
    static const char *const own[] = {"metadata.uid",
                                      "metadata.namespace",
                                      "metadata.name",
                                      "metadata.creationTimestamp",
                                      "metadata.deletionTimestamp",
                                      "metadata.deletionGracePeriodSeconds"};
    struct kube_object *o = q->object;
    bool status_only = strcmp(q->sub, "status") == 0;

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        kube_put(after, own[i], cJSON_Duplicate(kube_at(o->json, own[i]), 1));
    cJSON *fault = q->resource == &kube_jobs && !status_only ? kube_job_immutable(o->json, after) : NULL;
    if (fault) {
        cJSON_Delete(after);
        kube_op_refuse(q, fault);
        return;
    }
    if (status_only)
        kube_put(o->json, "status", cJSON_Duplicate(kube_at(after, "status"), 1));
    else
        kube_store_replace(o, after, cJSON_Duplicate(kube_at(o->json, "status"), 1));
    if (status_only)
        cJSON_Delete(after);
    kube_store_changed(q->api->store, o);
    kube_op_answer(q, 200, o);
}

void kube_serve_patch(struct kube_op *q)
{
    cJSON *after = cJSON_Duplicate(q->object->json, 1);

    kube_merge(after, q->body);
    replace(q, after);
}

void kube_serve_update(struct kube_op *q)
{
    const char *version = kube_text_at(q->body, "metadata.resourceVersion");
    cJSON *after = q->body;

    if (version && strcmp(version, kube_text_at(q->object->json, "metadata.resourceVersion")) != 0) {
        kube_op_refuse(
            q, kube_status(409, "Conflict", NULL,
                           "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
                           "apply your changes to the latest version and try again",
                           kube_dotted(q->resource), q->object->name));
        return;
    }
    if (q->resource == &kube_jobs && strcmp(q->sub, "status") != 0) {
        cJSON *fault = kube_job_malformed(q->api->schema, after, q->api->drop_unknown);
        if (fault) {
            kube_op_refuse(q, fault);
            return;
        }
    }
    q->body = NULL;
    replace(q, after);
}
