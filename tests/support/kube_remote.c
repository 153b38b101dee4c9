#include "support/kube_remote.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"
#include "kube/client.h"
#include "kube/watch.h"
#include "support/kube_json.h"

#define AGAIN_MS 100

struct pod {
    LIST_ENTRY(pod) entry;
    struct kube_remote *remote;
    char *uid, *name;
    bool bound;   /* the server knows its node */
    bool dying;   /* the server knows that it is being deleted */
    bool changed; /* the server does not know its status yet */
    struct kube_call *call;
    struct event *again;
};

struct kube_remote {
    struct kube *kube;
    struct watch *watch;
    struct kube_store *store;
    char *ns;
    bool hearing; /* what changes comes from the server */
    LIST_HEAD(, pod) pods;
};

static void push(struct pod *p);

static struct pod *find(const struct kube_remote *r, const char *uid)
{
    struct pod *p;

    LIST_FOREACH (p, &r->pods, entry)
        if (strcmp(p->uid, uid) == 0)
            return p;
    return NULL;
}

static void pod_free(struct pod *p)
{
    LIST_REMOVE(p, entry);
    kube_cancel(p->call);
    event_free(p->again);
    free(p->uid);
    free(p->name);
    free(p);
}

static void on_again(int fd, short what, void *arg)
{
    (void)fd, (void)what;
    push(arg);
}

static struct pod *pod_new(struct kube_remote *r, const cJSON *object)
{
    struct pod *p = xcalloc(1, sizeof *p);

    p->remote = r;
    p->uid = xstrdup(kube_text_at(object, "metadata.uid"));
    p->name = xstrdup(kube_text_at(object, "metadata.name"));
    p->again = evtimer_new(kube_base_get(r->kube), on_again, p);
    LIST_INSERT_HEAD(&r->pods, p, entry);
    return p;
}

/* --- from the node to the server --- */

static void on_reply(void *arg, const struct kube_reply *reply)
{
    struct pod *p = arg;

    p->call = NULL;
    if (reply->outcome == KUBE_OK || reply->outcome == KUBE_NOT_FOUND) {
        push(p);
        return;
    }
    fprintf(stderr, "tests/support/kube_remote: pod %s: %s\n", p->name, reply->message);
    p->changed = true;
    timer_set(p->again, AGAIN_MS);
}

/* body is taken over. */
static void ask(struct pod *p, const char *method, const char *what, cJSON *body)
{
    char *path = xasprintf("/api/v1/namespaces/%s/pods/%s%s", p->remote->ns, p->name, what);
    char *text = cJSON_PrintUnformatted(body);

    p->call = kube_send(p->remote->kube, &(struct kube_request){.method = method, .path = path, .body = text},
                        on_reply, p);
    cJSON_Delete(body);
    free(text);
    free(path);
}

static void ask_delete(struct pod *p, int64_t grace_s)
{
    p->dying = true;
    ask(p, "DELETE", "",
        kube_json("{'gracePeriodSeconds':%d,'preconditions':{'uid':%s}}", (int)grace_s, p->uid));
}

static void put_status(struct pod *p, const struct kube_object *o)
{
    cJSON *body = cJSON_Duplicate(o->json, 1);

    kube_put(body, "metadata.resourceVersion", NULL); /* whatever the server has by now */
    ask(p, "PUT", "/status", body);
}

/* One request at a time; what changes meanwhile goes with the next. */
static void push(struct pod *p)
{
    const struct kube_object *o = kube_store_by_uid(p->remote->store, p->uid);
    const char *node = o ? kube_text_at(o->json, "spec.nodeName") : NULL;

    if (p->call || !p->changed)
        return;
    if (node && !p->bound) {
        p->bound = true;
        ask(p, "POST", "/binding",
            kube_json(
                "{'apiVersion':'v1','kind':'Binding','metadata':{'name':%s},'target':{'apiVersion':'v1',"
                "'kind':'Node','name':%s}}",
                p->name, node));
        return;
    }
    if (o && !p->dying && kube_at(o->json, "metadata.deletionTimestamp")) {
        ask_delete(p, kube_whole_at(o->json, "metadata.deletionGracePeriodSeconds", 30));
        return;
    }
    p->changed = false;
    if (o)
        put_status(p, o);
    else
        ask_delete(p, 0);
}

static void on_change(void *arg, enum kube_change change, const struct kube_object *o)
{
    const struct kube_remote *r = arg;
    struct pod *p = r->hearing ? NULL : find(r, o->uid);

    (void)change;
    if (!p)
        return;
    p->changed = true;
    timer_set(p->again, 0); /* the store is in the middle of it */
}

/* --- from the server to the node: what the status is, the node knows best --- */

static void heard_deletion(struct kube_remote *r, struct kube_object *o, const cJSON *object)
{
    const char *end = kube_text_at(object, "metadata.deletionTimestamp"),
               *known = kube_text_at(o->json, "metadata.deletionTimestamp");

    if (!end || (known && strcmp(end, known) == 0))
        return;
    kube_put_text(o->json, "metadata.deletionTimestamp", end);
    kube_put(o->json, "metadata.deletionGracePeriodSeconds",
             cJSON_Duplicate(kube_at(object, "metadata.deletionGracePeriodSeconds"), 1));
    kube_store_changed(r->store, o);
}

static void heard(struct kube_remote *r, enum watch_change change, const cJSON *object)
{
    const char *uid = kube_text_at(object, "metadata.uid");
    struct kube_object *o = kube_store_by_uid(r->store, uid);
    struct pod *p = find(r, uid);

    if (change == WATCH_DELETED) {
        if (o)
            kube_store_remove(r->store, o);
        if (p)
            pod_free(p);
        return;
    }
    if (!p) {
        p = pod_new(r, object);
        o = kube_store_add(r->store, &kube_pods, r->ns, cJSON_Duplicate(object, 1));
    }
    p->dying = p->dying || kube_at(object, "metadata.deletionTimestamp");
    if (o)
        heard_deletion(r, o, object);
}

static void on_object(void *arg, enum watch_change change, const cJSON *object)
{
    struct kube_remote *r = arg;

    r->hearing = true;
    heard(r, change, object);
    r->hearing = false;
}

struct kube_remote *kube_remote_new(struct reaper *reaper, const char *cluster, const char *ns,
                                    struct kube_store *s)
{
    char *kubeconfig = xasprintf("%s/kubeconfig", cluster),
         *path = xasprintf("/api/v1/namespaces/%s/pods", ns);
    struct kube_remote *r = xcalloc(1, sizeof *r);
    struct err e;

    *r = (struct kube_remote){.store = s, .ns = xstrdup(ns)};
    r->kube = kube_new(reaper, &(struct access_options){.kubeconfig = kubeconfig}, &e);
    if (!r->kube) {
        fprintf(stderr, "tests/support/kube_remote: %s\n", e.msg);
        exit(1);
    }
    r->watch = watch_new(r->kube, &(struct watch_options){.path = path},
                         &(struct watch_events){.on_object = on_object, .arg = r});
    kube_store_on_change(s, on_change, r);
    free(path);
    free(kubeconfig);
    return r;
}

void kube_remote_free(struct kube_remote *r)
{
    while (LIST_FIRST(&r->pods))
        pod_free(LIST_FIRST(&r->pods));
    watch_free(r->watch);
    kube_free(r->kube);
    free(r->ns);
    free(r);
}
