#include "support/kube_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/kube_json.h"
#include "support/kube_list.h"
#include "support/kube_log.h"
#include "support/kube_op.h"
#include "support/kube_remove.h"
#include "support/kube_status.h"
#include "support/kube_write.h"

#define PARTS_MAX 12

void kube_api_count(struct kube_api *api, const char *what)
{
    cJSON *n = cJSON_GetObjectItemCaseSensitive(api->counters, what);

    if (n)
        cJSON_SetNumberValue(n, n->valuedouble + 1);
    else
        cJSON_AddNumberToObject(api->counters, what, 1);
}

/* ---- what is not an object ---- */

static void serve_version(struct kube_op *q)
{
    kube_answer(q->call, 200,
                kube_json("{'major':'1','minor':'20','gitVersion':'v1.20.2','gitTreeState':'archive',"
                          "'compiler':'gc','platform':'linux/amd64'}"));
}

static void serve_health(struct kube_op *q)
{
    kube_answer_text(q->call, 200, "ok");
}

static void serve_batch(struct kube_op *q)
{
    kube_answer(
        q->call, 200,
        kube_json(
            "{'kind':'APIResourceList','apiVersion':'v1','groupVersion':'batch/v1','resources':[{'name':"
            "'jobs','singularName':'','namespaced':true,'kind':'Job','verbs':['create','delete',"
            "'deletecollection','get','list','patch','update','watch'],'categories':['all']},{'name':"
            "'jobs/status','singularName':'','namespaced':true,'kind':'Job','verbs':['get','patch',"
            "'update']}]}"));
}

static void serve_access_review(struct kube_op *q)
{
    const char *resource = kube_text_at(q->body, "spec.resourceAttributes.resource");
    const char *sub = kube_text_at(q->body, "spec.resourceAttributes.subresource");
    const char *verb = kube_text_at(q->body, "spec.resourceAttributes.verb");
    char full[128];

    snprintf(full, sizeof full, "%s%s%s", resource ? resource : "", sub && *sub ? "/" : "", sub ? sub : "");
    bool may = kube_user_may(q->api->users, q->user, verb ? verb : "", full);
    kube_answer(
        q->call, 201,
        kube_json("{'kind':'SelfSubjectAccessReview','apiVersion':'authorization.k8s.io/v1','metadata':"
                  "{'creationTimestamp':null},'spec':%j,'status':{'allowed':%r}}",
                  kube_at(q->body, "spec"), may ? "true" : "false"));
}

static const struct {
    const char *path;
    void (*serve)(struct kube_op *q);
} plain[] = {
    {"/version", serve_version},
    {"/healthz", serve_health},
    {"/livez", serve_health},
    {"/readyz", serve_health},
    {"/apis/batch/v1", serve_batch},
    {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", serve_access_review},
};

/* ---- verbs ---- */

static void serve_get(struct kube_op *q)
{
    kube_op_answer(q, 200, q->object);
}

static void serve_log(struct kube_op *q)
{
    kube_log_serve(q->api->node, q->object, q->call);
}

/* ---- routes ---- */

static const struct route {
    const char *method;
    bool named;
    const char *sub, *watch; /* "": without */
    const char *verb;
    bool body;
    void (*serve)(struct kube_op *q);
} routes[] = {
    {"GET", true, "", "", "get", false, serve_get},
    {"GET", true, "status", "", "get", false, serve_get},
    {"GET", true, "log", "", "get", false, serve_log},
    {"GET", false, "", "", "list", false, kube_serve_list},
    {"GET", false, "", "watch", "watch", false, kube_serve_watch},
    {"POST", false, "", "", "create", true, kube_serve_create},
    {"DELETE", true, "", "", "delete", false, kube_serve_delete},
    {"DELETE", false, "", "", "deletecollection", false, kube_serve_delete_collection},
    {"PATCH", true, "", "", "patch", true, kube_serve_patch},
    {"PATCH", true, "status", "", "patch", true, kube_serve_patch},
    {"PUT", true, "", "", "update", true, kube_serve_update},
    {"PUT", true, "status", "", "update", true, kube_serve_update},
};

static const struct route *route_of(const struct kube_op *q)
{
    const char *watch = kube_query(q->call, "watch");
    bool streams = watch && (strcmp(watch, "true") == 0 || strcmp(watch, "1") == 0) && !*q->name;

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].method, q->call->method) == 0 && routes[i].named == (*q->name != '\0') &&
            strcmp(routes[i].sub, q->sub) == 0 && (*routes[i].watch != '\0') == streams)
            return &routes[i];
    return NULL;
}

/* /api/v1/[namespaces/NS/]PLURAL[/NAME[/SUB]], /apis/GROUP/VERSION/...; false: another path. */
static bool take_apart(struct kube_op *q, char *path)
{
    const char *part[PARTS_MAX] = {"", "", "", "", "", "", "", "", "", "", "", ""};
    size_t n = 0, at = 2;
    char *rest = path;

    for (char *word; n < PARTS_MAX - 1 && (word = strtok_r(NULL, "/", &rest));)
        part[n++] = word;
    q->group = "";
    q->version = part[1];
    if (strcmp(part[0], "apis") == 0) {
        q->group = part[1];
        q->version = part[at++];
    } else if (strcmp(part[0], "api") != 0) {
        return false;
    }
    q->ns = "";
    if (strcmp(part[at], "namespaces") == 0 && n > at + 2) {
        q->ns = part[at + 1];
        at += 2;
    }
    q->plural = part[at];
    q->name = part[at + 1];
    q->sub = part[at + 2];
    q->resource = kube_resource_find(q->group, q->version, q->plural);
    return q->resource != NULL;
}

static cJSON *forbidden(const struct kube_op *q)
{
    const struct kube_resource *r = q->resource;
    char named[320] = "", full[128];
    cJSON *details = kube_json("{'kind':%s}", r->plural);

    if (*r->group)
        kube_put_text(details, "group", r->group);
    if (*q->name) {
        kube_put_text(details, "name", q->name);
        snprintf(named, sizeof named, " \"%s\"", q->name);
    }
    snprintf(full, sizeof full, "%s%s%s", r->plural, *q->sub ? "/" : "", q->sub);
    return kube_status(
        403, "Forbidden", details,
        "%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\" in the namespace "
        "\"%s\"",
        kube_dotted(r), named, q->user, q->verb, full, r->group, q->ns);
}

/* NULL, or why the request is not looked at any further. */
static cJSON *gate(struct kube_op *q, const struct route *route)
{
    const char *type = kube_header(q->call, "Content-Type");
    char full[128];

    snprintf(full, sizeof full, "%s%s%s", q->resource->plural, *q->sub ? "/" : "", q->sub);
    q->verb = route->verb;
    if (!kube_user_may(q->api->users, q->user, route->verb, full))
        return forbidden(q);
    if (route->body && type && strncmp(type, "application/", 12) != 0)
        return kube_status(415, "UnsupportedMediaType", NULL,
                           "the body of the request was in an unknown format - accepted media types include: "
                           "application/json, application/yaml, application/vnd.kubernetes.protobuf");
    q->body = cJSON_Parse(q->call->body);
    if (route->body && !cJSON_IsObject(q->body))
        return kube_status(400, "BadRequest", NULL, "couldn't get version/kind; json parse error");
    if (!route->named)
        return NULL;
    q->object = kube_store_find(q->api->store, q->resource, q->ns, q->name);
    return q->object ? NULL : kube_not_found(q->resource, q->name);
}

static void count_call(struct kube_op *q, const struct route *route)
{
    char what[128];

    snprintf(what, sizeof what, "%s %s%s%s", route ? route->verb : q->call->method, q->plural,
             *q->sub ? "/" : "", q->sub);
    kube_api_count(q->api, what);
}

static void serve_object(struct kube_op *q)
{
    const struct route *route = route_of(q);
    cJSON *fault;

    count_call(q, route);
    fault = route ? gate(q, route)
                  : kube_status(405, "MethodNotAllowed", NULL,
                                "the server does not allow this method on the requested resource");
    if (fault)
        kube_op_refuse(q, fault);
    else
        route->serve(q);
}

static bool serve_plain(struct kube_op *q)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i].path, q->call->path) == 0) {
            kube_api_count(q->api, plain[i].path);
            q->body = cJSON_Parse(q->call->body);
            plain[i].serve(q);
            return true;
        }
    return false;
}

void kube_api_serve(struct kube_api *api, struct kube_call *call)
{
    struct kube_op q = {.api = api, .call = call, .user = kube_user_of(api->users, call)};
    char *path = xstrdup(call->path);

    if (!q.user)
        kube_op_refuse(&q, kube_status(401, "Unauthorized", NULL, "Unauthorized"));
    else if (serve_plain(&q))
        ;
    else if (take_apart(&q, path))
        serve_object(&q);
    else
        kube_answer_text(call, 404, "404 page not found\n");
    cJSON_Delete(q.body);
    free(path);
}
