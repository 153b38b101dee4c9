#include "support/kube_admin.h"

#include <stdio.h>
#include <string.h>

#include "support/kube_json.h"

/* Each returns the answer, or NULL for a bad request. */
typedef cJSON *admin_fn(struct kube_admin *a, const cJSON *body);

static cJSON *add_faults(struct kube_admin *a, const cJSON *body)
{
    return kube_faults_add(a->api->faults, body) ? cJSON_CreateObject() : NULL;
}

static cJSON *clear_faults(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    kube_faults_clear(a->api->faults);
    return cJSON_CreateObject();
}

static cJSON *rotate_token(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    kube_token_rotate(a->api->users);
    kube_files_write(a->files, a->tls, kube_token_get(a->api->users));
    return kube_json("{'token':%s}", kube_token_get(a->api->users));
}

static cJSON *rotate_cert(struct kube_admin *a, const cJSON *body)
{
    kube_tls_rotate(a->tls, kube_true_at(body, "ca"));
    kube_files_write(a->files, a->tls, kube_token_get(a->api->users));
    return cJSON_CreateObject();
}

static cJSON *deny(struct kube_admin *a, const cJSON *body)
{
    const char *verb = kube_text_at(body, "verb"), *resource = kube_text_at(body, "resource");

    if (!verb || !resource)
        return NULL;
    kube_users_deny(a->api->users, verb, resource, !cJSON_IsFalse(kube_at(body, "deny")));
    return cJSON_CreateObject();
}

static cJSON *cut_watches(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    kube_watches_cut(a->api->watches);
    return cJSON_CreateObject();
}

static cJSON *expire_watches(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    kube_store_forget(a->api->store);
    kube_watches_expire(a->api->watches);
    return cJSON_CreateObject();
}

static cJSON *unblock(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    kube_controller_unblock(a->controller);
    return cJSON_CreateObject();
}

static cJSON *reset_counters(struct kube_admin *a, const cJSON *body)
{
    (void)body;
    cJSON_Delete(a->api->counters);
    a->api->counters = cJSON_CreateObject();
    return cJSON_CreateObject();
}

static cJSON *dump(struct kube_admin *a, const cJSON *body)
{
    cJSON *all =
        kube_json("{'counters':%j,'watches':%d,'processes':%d}", a->api->counters,
                  kube_watches_open(a->api->watches), a->api->node ? kube_node_running(a->api->node) : 0);

    (void)body;
    cJSON_AddItemToObject(all, "objects", kube_store_dump(a->api->store));
    cJSON_AddItemToObject(all, "faults", kube_faults_dump(a->api->faults));
    return all;
}

static const struct {
    const char *method, *path;
    admin_fn *serve;
} routes[] = {
    {"POST", "/-/faults", add_faults},
    {"DELETE", "/-/faults", clear_faults},
    {"POST", "/-/rotate-token", rotate_token},
    {"POST", "/-/rotate-cert", rotate_cert},
    {"POST", "/-/deny", deny},
    {"POST", "/-/cut-watches", cut_watches},
    {"POST", "/-/expire-watches", expire_watches},
    {"POST", "/-/unblock", unblock},
    {"POST", "/-/reset-counters", reset_counters},
    {"GET", "/-/dump", dump},
};

bool kube_admin_serve(struct kube_admin *a, struct kube_call *call)
{
    cJSON *body, *answer = NULL;

    if (strncmp(call->path, "/-/", 3) != 0)
        return false;
    body = cJSON_Parse(call->body);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].method, call->method) == 0 && strcmp(routes[i].path, call->path) == 0)
            answer = routes[i].serve(a, body);
    cJSON_Delete(body);
    if (answer)
        kube_answer(call, 200, answer);
    else
        kube_answer_text(call, 400, "not a request of kube_admin.h\n");
    return true;
}
