#include "support/kube_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

struct kube_selector *kube_op_selector(struct kube_op *q)
{
    cJSON *fault;
    struct kube_selector *s = kube_selector_new(q->resource, kube_query(q->call, "labelSelector"),
                                                kube_query(q->call, "fieldSelector"), &fault);

    if (!s)
        kube_op_refuse(q, fault);
    return s;
}

bool kube_op_means(const struct kube_op *q, const struct kube_object *o, const struct kube_selector *s)
{
    return o->resource == q->resource && (!*q->ns || strcmp(o->ns, q->ns) == 0) &&
           kube_selector_takes(s, o->json);
}

void kube_list_add(cJSON *items, const struct kube_object *o)
{
    cJSON *item = cJSON_Duplicate(o->json, 1);

    cJSON_DeleteItemFromObject(item, "kind");
    cJSON_DeleteItemFromObject(item, "apiVersion");
    cJSON_AddItemToArray(items, item);
}

cJSON *kube_list_new(const struct kube_op *q, int64_t version)
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

static cJSON *page_read(const struct kube_op *q, struct page *p)
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

static void list_page(const struct kube_op *q, const struct kube_selector *s, const struct page *p,
                      cJSON *list)
{
    const struct kube_object *last = NULL;
    int64_t n = 0;

    for (struct kube_object *o = NULL; (o = kube_store_next(q->api->store, o));) {
        if (!kube_op_means(q, o, s) || !is_after(o, p->after))
            continue;
        if (n++ >= p->limit)
            continue;
        kube_list_add(cJSON_GetObjectItem(list, "items"), o);
        last = o;
    }
    if (n <= p->limit || !last)
        return;
    char *place = xasprintf("%lld:%s/%s", (long long)p->version, last->ns, last->name);
    kube_put_text(list, "metadata.continue", place);
    kube_put(list, "metadata.remainingItemCount", cJSON_CreateNumber((double)(n - p->limit)));
    free(place);
}

void kube_serve_list(struct kube_op *q)
{
    struct kube_selector *s = kube_op_selector(q);
    struct page p;

    if (!s)
        return;
    cJSON *fault = page_read(q, &p);
    if (fault) {
        kube_op_refuse(q, fault);
    } else {
        cJSON *list = kube_list_new(q, p.version);
        list_page(q, s, &p, list);
        kube_answer(q->call, 200, list);
    }
    kube_selector_free(s);
}

void kube_serve_watch(struct kube_op *q)
{
    struct kube_selector *s = kube_op_selector(q);

    if (s)
        kube_watch_begin(q->api->watches, q->call, q->resource, *q->ns ? q->ns : NULL, s);
}
