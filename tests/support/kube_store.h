/*
 * kube_store: the objects of the fake API server, by resource, namespace and name, and the log of what became
 * of them, which watches read.
 *
 * Every change takes the next resource version. The log keeps the last changes; what is older is gone, and a
 * watch that asks for it is told so (410).
 */
#ifndef RIVERS_TESTS_KUBE_STORE_H
#define RIVERS_TESTS_KUBE_STORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct kube_store;

struct kube_resource {
    const char *group; /* "" for core */
    const char *version;
    const char *plural, *kind;
};

extern const struct kube_resource kube_pods, kube_jobs, kube_events, kube_config_maps, kube_secrets;
const struct kube_resource *kube_resource_find(const char *group, const char *version, const char *plural);
const char *kube_api_version(const struct kube_resource *r); /* "batch/v1", "v1" */
const char *kube_dotted(const struct kube_resource *r);      /* "jobs.batch", "pods": as messages name it */

struct kube_object {
    TAILQ_ENTRY(kube_object) entry;    /* by namespace, then name */
    LIST_ENTRY(kube_object) same_hash; /* of the uid */
    const struct kube_resource *resource;
    cJSON *json;                 /* what is answered; changed in place, then told by kube_store_changed */
    const char *ns, *name, *uid; /* within json */
    int64_t version;
    int pods_made;                   /* jobs: how many pods the controller started */
    bool another_pod;                /* jobs: starts a second pod when the first has ended */
    bool blocked;                    /* jobs: no quota for their pods */
    bool dirty;                      /* jobs: the controller has to look */
    int64_t started_at, finished_at; /* jobs: monotonic ms, 0: not yet */
};

enum kube_change { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED };

/* Called right at the change, in the order in which they were asked for. It must not change objects itself. */
typedef void kube_change_fn(void *arg, enum kube_change change, const struct kube_object *o);

/* One past change. */
struct kube_entry {
    TAILQ_ENTRY(kube_entry) entry;
    const struct kube_resource *resource;
    int64_t version;
    enum kube_change change;
    char *ns, *json; /* the object as it was */
};

struct kube_store *kube_store_new(void);
void kube_store_free(struct kube_store *s);
void kube_store_on_change(struct kube_store *s, kube_change_fn *fn, void *arg);

int64_t kube_store_version(const struct kube_store *s);
int64_t kube_store_oldest(const struct kube_store *s); /* changes after this version are known */
void kube_store_forget(struct kube_store *s);          /* empties the log */

/* json is taken over; uid, version and time are added, and a name for generateName. */
struct kube_object *kube_store_add(struct kube_store *s, const struct kube_resource *r, const char *ns,
                                   cJSON *json);
/* What kube_store_add does first: a uid, and a name for generateName. */
void kube_store_name(cJSON *json);

/* Other contents with the same name, namespace and uid; both taken over. To be told by kube_store_changed. */
void kube_store_replace(struct kube_object *o, cJSON *json, cJSON *status);
void kube_store_changed(struct kube_store *s, struct kube_object *o);
void kube_store_remove(struct kube_store *s, struct kube_object *o); /* frees it */

/* NULL: not there. */
struct kube_object *kube_store_find(const struct kube_store *s, const struct kube_resource *r, const char *ns,
                                    const char *name);
struct kube_object *kube_store_by_uid(const struct kube_store *s, const char *uid);

/* In order; NULL begins and ends. */
struct kube_object *kube_store_next(const struct kube_store *s, const struct kube_object *after);
const struct kube_entry *kube_store_log(const struct kube_store *s, const struct kube_entry *after);

/* The uid of the controlling Job or the like; NULL: none. */
const char *kube_owner_uid(const struct kube_object *o);

/* `{"pods": [...], "jobs": [...], ...}`. */
cJSON *kube_store_dump(const struct kube_store *s);

#endif
