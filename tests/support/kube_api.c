#include "support/kube_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "support/kube_delete.h"
#include "support/kube_job.h"
#include "support/kube_json.h"
#include "support/kube_log.h"
#include "support/kube_status.h"

#define PARTS_MAX 12

/* A request, taken apart. */
struct request {
    struct kube_api *api;
    struct kube_call *call;
    const char *user;
    const char *group, *version, *ns, *plural, *name, *sub; /* "": not there */
    const struct kube_resource *resource;
    struct kube_object *object; /* that is named */
    cJSON *body;
    const char *verb;
};

void kube_api_count(struct kube_api *api, const char *what)
{
    cJSON *n = cJSON_GetObjectItemCaseSensitive(api->counters, what);

    if (n)
        cJSON_SetNumberValue(n, n->valuedouble + 1);
    else
        cJSON_AddNumberToObject(api->counters, what, 1);
}

static void answer_status(struct request *q, cJSON *status)
{
    kube_answer(q->call, kube_status_code(status), status);
}

static void answer_object(struct request *q, int code, const struct kube_object *o)
{
    kube_answer(q->call, code, cJSON_Duplicate(o->json, 1));
}

/* ---- what is not an object ---- */

static void serve_version(struct request *q)
{
    kube_answer(q->call, 200,
                kube_json("{'major':'1','minor':'20','gitVersion':'v1.20.2','gitTreeState':'archive',"
                          "'compiler':'gc','platform':'linux/amd64'}"));
}

static void serve_health(struct request *q)
{
    kube_answer_text(q->call, 200, "ok");
}

static void serve_batch(struct request *q)
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

static void serve_access_review(struct request *q)
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
    void (*serve)(struct request *q);
} plain[] = {
    {"/version", serve_version},
    {"/healthz", serve_health},
    {"/livez", serve_health},
    {"/readyz", serve_health},
    {"/apis/batch/v1", serve_batch},
    {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", serve_access_review},
};

/* ---- verbs ---- */

static void serve_get(struct request *q)
{
    answer_object(q, 200, q->object);
}

static void serve_log(struct request *q)
{
    kube_log_serve(q->api->node, q->object, q->call);
}

/* NULL when a selector is wrong, and the call is answered. */
static struct kube_selector *selector_of(struct request *q)
{
    cJSON *fault;
    struct kube_selector *s = kube_selector_new(q->resource, kube_query(q->call, "labelSelector"),
                                                kube_query(q->call, "fieldSelector"), &fault);

    if (!s)
        answer_status(q, fault);
    return s;
}

static bool in_question(const struct request *q, const struct kube_object *o, const struct kube_selector *s)
{
    return o->resource == q->resource && (!*q->ns || strcmp(o->ns, q->ns) == 0) &&
           kube_selector_takes(s, o->json);
}

/* Items of a list name neither kind nor apiVersion. */
static void add_item(cJSON *items, const struct kube_object *o)
{
    cJSON *item = cJSON_Duplicate(o->json, 1);

    cJSON_DeleteItemFromObject(item, "kind");
    cJSON_DeleteItemFromObject(item, "apiVersion");
    cJSON_AddItemToArray(items, item);
}

static cJSON *list_new(const struct request *q, int64_t version)
{
    char text[32], kind[32];

    snprintf(kind, sizeof kind, "%sList", q->resource->kind);
    snprintf(text, sizeof text, "%lld", (long long)version);
    return kube_json("{'kind':%s,'apiVersion':%s,'metadata':{'resourceVersion':%s},'items':[]}", kind,
                     kube_api_version(q->resource), text);
}

/* Where a list goes on: "<version>:<namespace>/<name>", after this object. */
struct page {
    int64_t version, limit;
    const char *after; /* "": from the beginning */
};

static cJSON *page_read(const struct request *q, struct page *p)
{
    const char *from = kube_query(q->call, "continue"), *limit = kube_query(q->call, "limit");
    char *end = NULL;

    *p = (struct page){kube_store_version(q->api->store), INT64_MAX, ""};
    if (limit && (number_parse(limit, 0, INT64_MAX, &p->limit) < 0 || p->limit == 0))
        p->limit = INT64_MAX;
    if (!from || !*from)
        return NULL;
    p->version = strtoll(from, &end, 10);
    p->after = end + 1;
    if (*end != ':')
        return kube_status(400, "BadRequest", NULL, "continue key is not valid");
    if (p->version < kube_store_oldest(q->api->store))
        return kube_status(410, "Expired", NULL,
                           "The provided continue parameter is too old to display a consistent list result.");
    return NULL;
}

static bool is_after(const struct kube_object *o, const char *place)
{
    char own[320];

    snprintf(own, sizeof own, "%s/%s", o->ns, o->name);
    return strcmp(own, place) > 0;
}

static void list_page(const struct request *q, const struct kube_selector *s, const struct page *p,
                      cJSON *list)
{
    const struct kube_object *last = NULL;
    int64_t n = 0;

    for (struct kube_object *o = NULL; (o = kube_store_next(q->api->store, o));) {
        if (!in_question(q, o, s) || !is_after(o, p->after))
            continue;
        if (n++ >= p->limit)
            continue;
        add_item(cJSON_GetObjectItem(list, "items"), o);
        last = o;
    }
    if (n <= p->limit || !last)
        return;
    char *place = xasprintf("%lld:%s/%s", (long long)p->version, last->ns, last->name);
    kube_put_text(list, "metadata.continue", place);
    kube_put(list, "metadata.remainingItemCount", cJSON_CreateNumber((double)(n - p->limit)));
    free(place);
}

static void serve_list(struct request *q)
{
    struct kube_selector *s = selector_of(q);
    struct page p;

    if (!s)
        return;
    cJSON *fault = page_read(q, &p);
    if (fault) {
        answer_status(q, fault);
    } else {
        cJSON *list = list_new(q, p.version);
        list_page(q, s, &p, list);
        kube_answer(q->call, 200, list);
    }
    kube_selector_free(s);
}

static void serve_watch(struct request *q)
{
    struct kube_selector *s = selector_of(q);

    if (s)
        kube_watch_begin(q->api->watches, q->call, q->resource, *q->ns ? q->ns : NULL, s);
}

static bool is_namespace(const struct kube_api *api, const char *ns)
{
    for (size_t i = 0; i < api->namespaces->n; i++)
        if (strcmp(api->namespaces->items[i], ns) == 0)
            return true;
    return strcmp(ns, "default") == 0;
}

/* NULL, or why the Job in the body is not taken. The uid is made here, as labels follow from it. */
static cJSON *admit_job(struct request *q)
{
    cJSON *fault = kube_job_malformed(q->api->schema, q->body, q->api->drop_unknown);

    if (fault)
        return fault;
    kube_store_name(q->body);
    kube_job_complete(q->body);
    return kube_job_invalid(q->body);
}

static cJSON *admit_other(struct request *q)
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

static void serve_create(struct request *q)
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
        answer_status(q, fault);
        return;
    }
    struct kube_object *o = kube_store_add(q->api->store, q->resource, q->ns, q->body);
    q->body = NULL;
    kube_faults_mark(q->api->faults, o);
    answer_object(q, 201, o);
}

/* ---- delete ---- */

static const char *delete_option(const struct request *q, const char *name)
{
    const char *in_body = kube_text_at(q->body, name);

    return in_body ? in_body : kube_query(q->call, name);
}

/* NULL, or the conflict with what the caller thought to delete. */
static cJSON *precondition_fault(const struct request *q)
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

static int64_t grace_of(const struct request *q)
{
    const char *text = kube_query(q->call, "gracePeriodSeconds");
    int64_t grace = kube_whole_at(q->body, "gracePeriodSeconds", KUBE_OWN_GRACE);

    if (text && number_parse(text, 0, INT64_MAX, &grace) < 0)
        return KUBE_OWN_GRACE;
    return grace;
}

/* Jobs of batch/v1 are orphaned unless the caller says otherwise. */
static const char *policy_of(const struct request *q)
{
    const char *given = delete_option(q, "propagationPolicy");

    return given ? given : q->resource == &kube_jobs ? "Orphan" : "Background";
}

static void delete_pod(struct request *q)
{
    cJSON *answer;

    kube_delete_pod(q->api->store, q->object, grace_of(q), &answer);
    kube_answer(q->call, 200, answer);
}

/* What is gone at once is answered by a Status, what goes later by the object. */
static void delete_owner(struct request *q)
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
    answer_object(q, 200, q->object);
}

static void serve_delete(struct request *q)
{
    cJSON *fault = precondition_fault(q);

    if (fault)
        answer_status(q, fault);
    else if (q->resource == &kube_pods)
        delete_pod(q);
    else
        delete_owner(q);
}

static struct kube_object *next_in_question(const struct request *q, const struct kube_selector *s)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(q->api->store, o));)
        if (in_question(q, o, s) && !kube_at(o->json, "metadata.deletionTimestamp"))
            return o;
    return NULL;
}

static void serve_delete_collection(struct request *q)
{
    struct kube_selector *s = selector_of(q);

    if (!s)
        return;
    cJSON *list = list_new(q, kube_store_version(q->api->store));
    for (struct kube_object *o; (o = next_in_question(q, s));) {
        add_item(cJSON_GetObjectItem(list, "items"), o);
        if (q->resource == &kube_pods)
            kube_delete_pod(q->api->store, o, grace_of(q), NULL);
        else
            kube_delete_owner(q->api->store, o, policy_of(q));
    }
    kube_selector_free(s);
    kube_answer(q->call, 200, list);
}

/* ---- change ---- */

/* after: what the object is to become, taken over. The server's own fields stay. */
static void replace(struct request *q, cJSON *after)
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
        answer_status(q, fault);
        return;
    }
    if (status_only)
        kube_put(o->json, "status", cJSON_Duplicate(kube_at(after, "status"), 1));
    else
        kube_store_replace(o, after, cJSON_Duplicate(kube_at(o->json, "status"), 1));
    if (status_only)
        cJSON_Delete(after);
    kube_store_changed(q->api->store, o);
    answer_object(q, 200, o);
}

static void serve_patch(struct request *q)
{
    cJSON *after = cJSON_Duplicate(q->object->json, 1);

    kube_merge(after, q->body);
    replace(q, after);
}

static void serve_update(struct request *q)
{
    const char *version = kube_text_at(q->body, "metadata.resourceVersion");
    cJSON *after = q->body;

    if (version && strcmp(version, kube_text_at(q->object->json, "metadata.resourceVersion")) != 0) {
        answer_status(
            q, kube_status(409, "Conflict", NULL,
                           "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
                           "apply your changes to the latest version and try again",
                           kube_dotted(q->resource), q->object->name));
        return;
    }
    if (q->resource == &kube_jobs && strcmp(q->sub, "status") != 0) {
        cJSON *fault = kube_job_malformed(q->api->schema, after, q->api->drop_unknown);
        if (fault) {
            answer_status(q, fault);
            return;
        }
    }
    q->body = NULL;
    replace(q, after);
}

/* ---- routes ---- */

static const struct route {
    const char *method;
    bool named;
    const char *sub, *watch; /* "": without */
    const char *verb;
    bool body;
    void (*serve)(struct request *q);
} routes[] = {
    {"GET", true, "", "", "get", false, serve_get},
    {"GET", true, "status", "", "get", false, serve_get},
    {"GET", true, "log", "", "get", false, serve_log},
    {"GET", false, "", "", "list", false, serve_list},
    {"GET", false, "", "watch", "watch", false, serve_watch},
    {"POST", false, "", "", "create", true, serve_create},
    {"DELETE", true, "", "", "delete", false, serve_delete},
    {"DELETE", false, "", "", "deletecollection", false, serve_delete_collection},
    {"PATCH", true, "", "", "patch", true, serve_patch},
    {"PATCH", true, "status", "", "patch", true, serve_patch},
    {"PUT", true, "", "", "update", true, serve_update},
    {"PUT", true, "status", "", "update", true, serve_update},
};

static const struct route *route_of(const struct request *q)
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
static bool take_apart(struct request *q, char *path)
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

static cJSON *forbidden(const struct request *q)
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
static cJSON *gate(struct request *q, const struct route *route)
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

static void count_call(struct request *q, const struct route *route)
{
    char what[128];

    snprintf(what, sizeof what, "%s %s%s%s", route ? route->verb : q->call->method, q->plural,
             *q->sub ? "/" : "", q->sub);
    kube_api_count(q->api, what);
}

static void serve_object(struct request *q)
{
    const struct route *route = route_of(q);
    cJSON *fault;

    count_call(q, route);
    fault = route ? gate(q, route)
                  : kube_status(405, "MethodNotAllowed", NULL,
                                "the server does not allow this method on the requested resource");
    if (fault)
        answer_status(q, fault);
    else
        route->serve(q);
}

static bool serve_plain(struct request *q)
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
    struct request q = {.api = api, .call = call, .user = kube_user_of(api->users, call)};
    char *path = xstrdup(call->path);

    if (!q.user)
        answer_status(&q, kube_status(401, "Unauthorized", NULL, "Unauthorized"));
    else if (serve_plain(&q))
        ;
    else if (take_apart(&q, path))
        serve_object(&q);
    else
        kube_answer_text(call, 404, "404 page not found\n");
    cJSON_Delete(q.body);
    free(path);
}
