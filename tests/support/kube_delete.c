#include "support/kube_delete.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"
#include "support/kube_json.h"

#define COLLECT_IN_MS 20

struct kube_collector {
    struct kube_store *store;
    struct event *timer;
};

static bool ended(const cJSON *pod)
{
    const char *phase = kube_text_at(pod, "status.phase");

    return phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

bool kube_delete_pod(struct kube_store *s, struct kube_object *pod, int64_t grace_s, cJSON **answer)
{
    int64_t before = kube_whole_at(pod->json, "metadata.deletionGracePeriodSeconds", INT64_MAX);
    char at[32];

    if (grace_s == KUBE_OWN_GRACE)
        grace_s = kube_whole_at(pod->json, "spec.terminationGracePeriodSeconds", 30);
    if (!kube_text_at(pod->json, "spec.nodeName") || ended(pod->json))
        grace_s = 0;
    bool sooner = grace_s < before;
    if (sooner) {
        kube_put_text(pod->json, "metadata.deletionTimestamp", kube_time(at, grace_s * 1000));
        kube_put(pod->json, "metadata.deletionGracePeriodSeconds", cJSON_CreateNumber((double)grace_s));
    }
    if (answer)
        *answer = cJSON_Duplicate(pod->json, 1);
    if (grace_s == 0)
        kube_store_remove(s, pod);
    else if (sooner)
        kube_store_changed(s, pod);
    return grace_s == 0;
}

static bool owned_by(const struct kube_object *o, const char *uid)
{
    const cJSON *owner;

    for (owner = kube_first(kube_at(o->json, "metadata.ownerReferences")); owner; owner = owner->next)
        if (strcmp(kube_text_at(owner, "uid"), uid) == 0)
            return true;
    return false;
}

static void disown_all(struct kube_store *s, const struct kube_object *owner)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(s, o));)
        if (owned_by(o, owner->uid)) {
            kube_put(o->json, "metadata.ownerReferences", NULL);
            kube_store_changed(s, o);
        }
}

/* One of them; NULL: there is none. */
static struct kube_object *owned(const struct kube_store *s, const char *uid, bool not_yet_deleted)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(s, o));)
        if (owned_by(o, uid) && !(not_yet_deleted && kube_at(o->json, "metadata.deletionTimestamp")))
            return o;
    return NULL;
}

static void delete_one(struct kube_store *s, struct kube_object *o)
{
    if (o->resource == &kube_pods)
        kube_delete_pod(s, o, KUBE_OWN_GRACE, NULL);
    else
        kube_store_remove(s, o);
}

static bool delete_in_foreground(struct kube_store *s, struct kube_object *o)
{
    char now[32];

    if (!kube_at(o->json, "metadata.deletionTimestamp")) {
        kube_put_text(o->json, "metadata.deletionTimestamp", kube_time(now, 0));
        kube_put(o->json, "metadata.deletionGracePeriodSeconds", cJSON_CreateNumber(0));
        kube_put(o->json, "metadata.finalizers", kube_json("['foregroundDeletion']"));
        kube_store_changed(s, o);
    }
    for (struct kube_object *one; (one = owned(s, o->uid, true));)
        delete_one(s, one);
    if (owned(s, o->uid, false))
        return false;
    kube_store_remove(s, o);
    return true;
}

bool kube_delete_owner(struct kube_store *s, struct kube_object *o, const char *policy)
{
    if (strcmp(policy, "Foreground") == 0)
        return delete_in_foreground(s, o);
    if (strcmp(policy, "Orphan") == 0)
        disown_all(s, o);
    kube_store_remove(s, o);
    return true;
}

/* Has owners, and all of them are gone. */
static bool is_garbage(const struct kube_store *s, const struct kube_object *o)
{
    const cJSON *owners = kube_at(o->json, "metadata.ownerReferences");
    const cJSON *owner;

    if (!owners || !owners->child || kube_at(o->json, "metadata.deletionTimestamp"))
        return false;
    for (owner = kube_first(owners); owner; owner = owner->next)
        if (kube_store_by_uid(s, kube_text_at(owner, "uid")))
            return false;
    return true;
}

static bool waits_for_owned(const struct kube_store *s, const struct kube_object *o)
{
    return kube_at(o->json, "metadata.finalizers") && kube_at(o->json, "metadata.deletionTimestamp") &&
           !owned(s, o->uid, false);
}

static bool collect(struct kube_store *s)
{
    bool any = false;

    for (struct kube_object *o = kube_store_next(s, NULL), *next; o; o = next) {
        next = kube_store_next(s, o);
        if (is_garbage(s, o))
            delete_one(s, o);
        else if (waits_for_owned(s, o))
            kube_store_remove(s, o);
        else
            continue;
        any = true;
    }
    return any;
}

static void on_timer(int fd, short what, void *arg)
{
    struct kube_collector *c = arg;

    (void)fd, (void)what;
    while (collect(c->store))
        ;
}

static void on_change(void *arg, enum kube_change change, const struct kube_object *o)
{
    struct kube_collector *c = arg;

    (void)change, (void)o;
    if (!event_pending(c->timer, EV_TIMEOUT, NULL))
        timer_set(c->timer, COLLECT_IN_MS);
}

struct kube_collector *kube_collector_new(struct event_base *base, struct kube_store *s)
{
    struct kube_collector *c = xcalloc(1, sizeof *c);

    c->store = s;
    c->timer = evtimer_new(base, on_timer, c);
    kube_store_on_change(s, on_change, c);
    return c;
}

void kube_collector_free(struct kube_collector *c)
{
    event_free(c->timer);
    free(c);
}
