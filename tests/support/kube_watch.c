#include "support/kube_watch.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/timer.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

#define TIMEOUT_S 3000 /* the real one picks 30 to 60 minutes when nothing is asked for */

static const char *const words[] = {
    [KUBE_ADDED] = "ADDED", [KUBE_MODIFIED] = "MODIFIED", [KUBE_DELETED] = "DELETED"};

struct watch {
    LIST_ENTRY(watch) entry;
    struct kube_watches *all;
    struct kube_call *call;
    const struct kube_resource *resource;
    char *ns; /* NULL: all */
    struct kube_selector *selector;
    struct event *timeout, *bookmark;
};

struct kube_watches {
    struct event_base *base;
    struct kube_store *store;
    int64_t bookmark_ms;
    LIST_HEAD(, watch) list;
    int open;
};

static void watch_free(void *arg)
{
    struct watch *w = arg;

    LIST_REMOVE(w, entry);
    w->all->open--;
    event_free(w->timeout);
    event_free(w->bookmark);
    kube_selector_free(w->selector);
    free(w->ns);
    free(w);
}

static void watch_end(struct watch *w)
{
    kube_stream_end(w->call);
    watch_free(w);
}

static void send_line(struct kube_call *call, const char *type, const cJSON *object)
{
    cJSON *event = kube_json("{'type':%s,'object':%j}", type, object);
    char *text = cJSON_PrintUnformatted(event);
    char *line = xasprintf("%s\n", text);

    kube_stream_send(call, line, strlen(line));
    free(line);
    free(text);
    cJSON_Delete(event);
}

static void offer(struct watch *w, enum kube_change change, const struct kube_resource *r, const char *ns,
                  const cJSON *object)
{
    if (w->resource == r && (!w->ns || strcmp(w->ns, ns) == 0) && kube_selector_takes(w->selector, object))
        send_line(w->call, words[change], object);
}

static void on_change(void *arg, enum kube_change change, const struct kube_object *o)
{
    struct kube_watches *all = arg;
    struct watch *w;

    LIST_FOREACH (w, &all->list, entry)
        offer(w, change, o->resource, o->ns, o->json);
}

static void send_bookmark(struct watch *w)
{
    char version[32];

    snprintf(version, sizeof version, "%lld", (long long)kube_store_version(w->all->store));
    cJSON *object =
        kube_json("{'kind':%s,'apiVersion':%s,'metadata':{'resourceVersion':%s,'creationTimestamp':null}}",
                  w->resource->kind, kube_api_version(w->resource), version);
    send_line(w->call, "BOOKMARK", object);
    cJSON_Delete(object);
}

static void on_bookmark(int fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd, (void)what;
    send_bookmark(w);
    timer_set(w->bookmark, w->all->bookmark_ms);
}

static void on_timeout(int fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd, (void)what;
    if (event_pending(w->bookmark, EV_TIMEOUT, NULL))
        send_bookmark(w);
    watch_end(w);
}

struct kube_watches *kube_watches_new(struct event_base *base, struct kube_store *store, int64_t bookmark_ms)
{
    struct kube_watches *w = xcalloc(1, sizeof *w);

    *w = (struct kube_watches){.base = base, .store = store, .bookmark_ms = bookmark_ms};
    kube_store_on_change(store, on_change, w);
    return w;
}

void kube_watches_free(struct kube_watches *w)
{
    struct watch *one;

    while ((one = LIST_FIRST(&w->list)))
        watch_free(one);
    free(w);
}

static void send_expired(struct kube_call *call, int64_t version, int64_t now)
{
    cJSON *status = kube_status(410, "Expired", NULL, "too old resource version: %lld (%lld)",
                                (long long)version, (long long)now);

    send_line(call, "ERROR", status);
    cJSON_Delete(status);
}

void kube_watch_expired(struct kube_watches *w, struct kube_call *call)
{
    kube_stream_begin(call, NULL, NULL);
    send_expired(call, 1, kube_store_version(w->store));
    kube_stream_end(call);
}

/* Without a version, or from "0": what is there, as if it were new. */
static void send_present(struct watch *w)
{
    for (struct kube_object *o = NULL; (o = kube_store_next(w->all->store, o));)
        offer(w, KUBE_ADDED, o->resource, o->ns, o->json);
}

static void send_past(struct watch *w, int64_t from)
{
    for (const struct kube_entry *e = NULL; (e = kube_store_log(w->all->store, e));) {
        if (e->version <= from || e->resource != w->resource)
            continue;
        cJSON *object = cJSON_Parse(e->json);
        offer(w, e->change, e->resource, e->ns, object);
        cJSON_Delete(object);
    }
}

static int64_t whole_query(const struct kube_call *call, const char *name, int64_t otherwise)
{
    const char *text = kube_query(call, name);

    if (text && number_parse(text, 0, INT64_MAX, &otherwise) < 0)
        return otherwise;
    return otherwise;
}

void kube_watch_begin(struct kube_watches *all, struct kube_call *call, const struct kube_resource *r,
                      const char *ns, struct kube_selector *selector)
{
    struct watch *w = xcalloc(1, sizeof *w);
    const char *bookmarks = kube_query(call, "allowWatchBookmarks");
    int64_t from = whole_query(call, "resourceVersion", 0);

    *w = (struct watch){.all = all, .call = call, .resource = r, .ns = xstrdup(ns), .selector = selector};
    w->timeout = evtimer_new(all->base, on_timeout, w);
    w->bookmark = evtimer_new(all->base, on_bookmark, w);
    LIST_INSERT_HEAD(&all->list, w, entry);
    all->open++;
    kube_stream_begin(call, watch_free, w);
    if (from && from < kube_store_oldest(all->store)) {
        send_expired(call, from, kube_store_oldest(all->store));
        watch_end(w);
        return;
    }
    if (from)
        send_past(w, from);
    else
        send_present(w);
    timer_set(w->timeout, whole_query(call, "timeoutSeconds", TIMEOUT_S) * 1000);
    if (bookmarks && (strcmp(bookmarks, "true") == 0 || strcmp(bookmarks, "1") == 0))
        timer_set(w->bookmark, all->bookmark_ms);
}

int kube_watches_open(const struct kube_watches *w)
{
    return w->open;
}

void kube_watches_cut(struct kube_watches *all)
{
    struct watch *w;

    LIST_FOREACH (w, &all->list, entry)
        kube_reset(w->call);
}

void kube_watches_expire(struct kube_watches *all)
{
    struct watch *w;

    while ((w = LIST_FIRST(&all->list))) {
        send_expired(w->call, 1, kube_store_version(all->store));
        watch_end(w);
    }
}
