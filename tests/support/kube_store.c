#include "support/kube_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/mem.h"
#include "support/kube_json.h"

#define LOG_MAX       20000
#define LISTENERS_MAX 4
#define BUCKETS       1024

const struct kube_resource kube_pods = {"", "v1", "pods", "Pod"};
const struct kube_resource kube_jobs = {"batch", "v1", "jobs", "Job"};
const struct kube_resource kube_events = {"", "v1", "events", "Event"};
const struct kube_resource kube_config_maps = {"", "v1", "configmaps", "ConfigMap"};
const struct kube_resource kube_secrets = {"", "v1", "secrets", "Secret"};

static const struct kube_resource *const resources[] = {&kube_pods, &kube_jobs, &kube_events,
                                                        &kube_config_maps, &kube_secrets};

TAILQ_HEAD(object_list, kube_object);
TAILQ_HEAD(entry_list, kube_entry);

struct kube_store {
    struct object_list objects;
    struct entry_list log;
    LIST_HEAD(, kube_object) by_uid[BUCKETS];
    int logged;
    int64_t version, oldest;
    struct {
        kube_change_fn *fn;
        void *arg;
    } listeners[LISTENERS_MAX];
    int nlisteners;
};

const struct kube_resource *kube_resource_find(const char *group, const char *version, const char *plural)
{
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
        if (strcmp(resources[i]->group, group) == 0 && strcmp(resources[i]->version, version) == 0 &&
            strcmp(resources[i]->plural, plural) == 0)
            return resources[i];
    return NULL;
}

const char *kube_api_version(const struct kube_resource *r)
{
    return *r->group ? "batch/v1" : "v1";
}

const char *kube_dotted(const struct kube_resource *r)
{
    return *r->group ? "jobs.batch" : r->plural;
}

struct kube_store *kube_store_new(void)
{
    struct kube_store *s = xcalloc(1, sizeof *s);

    TAILQ_INIT(&s->objects);
    TAILQ_INIT(&s->log);
    s->version = s->oldest = 100;
    return s;
}

static void object_free(struct kube_object *o)
{
    cJSON_Delete(o->json);
    free(o);
}

static void entry_drop(struct kube_store *s)
{
    struct kube_entry *e = TAILQ_FIRST(&s->log);

    TAILQ_REMOVE(&s->log, e, entry);
    s->logged--;
    s->oldest = e->version;
    free(e->ns);
    free(e->json);
    free(e);
}

void kube_store_forget(struct kube_store *s)
{
    while (s->logged > 0)
        entry_drop(s);
    s->oldest = s->version;
}

void kube_store_free(struct kube_store *s)
{
    struct kube_object *o;

    while ((o = TAILQ_FIRST(&s->objects))) {
        TAILQ_REMOVE(&s->objects, o, entry);
        object_free(o);
    }
    kube_store_forget(s);
    free(s);
}

void kube_store_on_change(struct kube_store *s, kube_change_fn *fn, void *arg)
{
    if (s->nlisteners == LISTENERS_MAX)
        abort();
    s->listeners[s->nlisteners].fn = fn;
    s->listeners[s->nlisteners++].arg = arg;
}

int64_t kube_store_version(const struct kube_store *s)
{
    return s->version;
}

int64_t kube_store_oldest(const struct kube_store *s)
{
    return s->oldest;
}

static void random_uid(char *buf, size_t size)
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        abort();
    snprintf(buf, size, "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

/* As the real one: five letters and digits without vowels. */
static char *random_name(const char *prefix)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char b[5];

    if (RAND_bytes(b, sizeof b) != 1)
        abort();
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (unsigned char)letters[b[i] % (sizeof letters - 1)];
    return xasprintf("%.58s%.5s", prefix, (const char *)b);
}

static void tell(struct kube_store *s, enum kube_change change, struct kube_object *o)
{
    struct kube_entry *e = xcalloc(1, sizeof *e);
    char text[32];

    o->version = ++s->version;
    snprintf(text, sizeof text, "%lld", (long long)o->version);
    kube_put_text(o->json, "metadata.resourceVersion", text);
    *e = (struct kube_entry){.resource = o->resource,
                             .version = o->version,
                             .change = change,
                             .ns = xstrdup(o->ns),
                             .json = cJSON_PrintUnformatted(o->json)};
    TAILQ_INSERT_TAIL(&s->log, e, entry);
    if (++s->logged > LOG_MAX)
        entry_drop(s);
    for (int i = 0; i < s->nlisteners; i++)
        s->listeners[i].fn(s->listeners[i].arg, change, o);
}

/* Uids are random, owner references may name anything. */
static unsigned bucket(const char *uid)
{
    unsigned h = 0;

    while (*uid)
        h = h * 31 + (unsigned char)*uid++;
    return h % BUCKETS;
}

static int order(const struct kube_object *a, const struct kube_object *b)
{
    int by_ns = strcmp(a->ns, b->ns);

    return by_ns ? by_ns : strcmp(a->name, b->name);
}

static void insert(struct kube_store *s, struct kube_object *o)
{
    struct kube_object *before = TAILQ_FIRST(&s->objects);

    while (before && order(before, o) < 0)
        before = TAILQ_NEXT(before, entry);
    if (before)
        TAILQ_INSERT_BEFORE(before, o, entry);
    else
        TAILQ_INSERT_TAIL(&s->objects, o, entry);
}

void kube_store_name(cJSON *json)
{
    const char *prefix = kube_text_at(json, "metadata.generateName");
    char uid[40];

    if (prefix && !kube_text_at(json, "metadata.name")) {
        char *name = random_name(prefix);
        kube_put_text(json, "metadata.name", name);
        free(name);
    }
    if (!kube_text_at(json, "metadata.uid")) {
        random_uid(uid, sizeof uid);
        kube_put_text(json, "metadata.uid", uid);
    }
}

static void adopt(struct kube_object *o, cJSON *json)
{
    o->json = json;
    o->ns = kube_text_at(json, "metadata.namespace");
    o->name = kube_text_at(json, "metadata.name");
    o->uid = kube_text_at(json, "metadata.uid");
}

void kube_store_replace(struct kube_object *o, cJSON *json, cJSON *status)
{
    kube_put(json, "status", status);
    cJSON_Delete(o->json);
    adopt(o, json);
}

struct kube_object *kube_store_add(struct kube_store *s, const struct kube_resource *r, const char *ns,
                                   cJSON *json)
{
    struct kube_object *o = xcalloc(1, sizeof *o);
    char now[32];

    kube_store_name(json);
    kube_put_text(json, "metadata.namespace", ns);
    kube_put_text(json, "metadata.creationTimestamp", kube_time(now, 0));
    kube_put_text(json, "kind", r->kind);
    kube_put_text(json, "apiVersion", kube_api_version(r));
    o->resource = r;
    adopt(o, json);
    insert(s, o);
    LIST_INSERT_HEAD(&s->by_uid[bucket(o->uid)], o, same_hash);
    tell(s, KUBE_ADDED, o);
    return o;
}

/* The texts stay where they are unless somebody put others there. */
void kube_store_changed(struct kube_store *s, struct kube_object *o)
{
    tell(s, KUBE_MODIFIED, o);
}

void kube_store_remove(struct kube_store *s, struct kube_object *o)
{
    TAILQ_REMOVE(&s->objects, o, entry);
    LIST_REMOVE(o, same_hash);
    tell(s, KUBE_DELETED, o);
    object_free(o);
}

struct kube_object *kube_store_find(const struct kube_store *s, const struct kube_resource *r, const char *ns,
                                    const char *name)
{
    struct kube_object *o;

    TAILQ_FOREACH (o, &s->objects, entry)
        if (o->resource == r && strcmp(o->name, name) == 0 && strcmp(o->ns, ns) == 0)
            return o;
    return NULL;
}

struct kube_object *kube_store_by_uid(const struct kube_store *s, const char *uid)
{
    struct kube_object *o;

    LIST_FOREACH (o, &s->by_uid[bucket(uid)], same_hash)
        if (strcmp(o->uid, uid) == 0)
            return o;
    return NULL;
}

struct kube_object *kube_store_next(const struct kube_store *s, const struct kube_object *after)
{
    return after ? TAILQ_NEXT(after, entry) : TAILQ_FIRST(&s->objects);
}

const struct kube_entry *kube_store_log(const struct kube_store *s, const struct kube_entry *after)
{
    return after ? TAILQ_NEXT(after, entry) : TAILQ_FIRST(&s->log);
}

const char *kube_owner_uid(const struct kube_object *o)
{
    return kube_text_at(cJSON_GetArrayItem(kube_at(o->json, "metadata.ownerReferences"), 0), "uid");
}

cJSON *kube_store_dump(const struct kube_store *s)
{
    cJSON *all = cJSON_CreateObject();
    struct kube_object *o;

    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
        cJSON_AddArrayToObject(all, resources[i]->plural);
    TAILQ_FOREACH (o, &s->objects, entry)
        cJSON_AddItemToArray(cJSON_GetObjectItem(all, o->resource->plural), cJSON_Duplicate(o->json, 1));
    return all;
}
