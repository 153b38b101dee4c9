#include "kube/watch.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/timer.h"
#include "kube/client.h"

#define RESYNC_MS      300000
#define QUIET_MS       75000 /* a server sends a bookmark every minute or so */
#define PAGE_SIZE      500
#define LIST_MS        60000 /* a page of a list */
#define WATCH_S        240   /* the server ends a watch then */
#define LATE_MS        30000 /* and we do when it does not */
#define BEGIN_MS       15000 /* an answer begins soon, to a watch also when there is nothing to tell */
#define SHORT_MS       1000  /* a watch that ended so soon without an event had no reason to */
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 30000

/* An object that was reported, by its key "namespace/name". */
struct known {
    char *key;
    char *uid;
    char *rest;    /* what is told when it vanished: its metadata in short, as JSON */
    unsigned list; /* the last list that had it */
};

struct watch {
    struct kube *kube;
    char *path, *selector; /* selector: escaped, as a parameter; "" */
    int64_t resync_ms, quiet_ms;
    int page_size;
    struct watch_events events;
    struct kube_call *call; /* NULL: `next` will make one */
    struct event *next;
    struct event *quiet; /* a watch told nothing for so long: it may be dead, and another one goes on */
    struct text page;    /* the continue token of the next page */
    struct text version; /* the last resourceVersion; empty: list first */
    void *known;         /* tsearch: struct known */
    unsigned list;       /* counts the lists */
    int64_t resync_at;   /* monotonic */
    int64_t watched_at;  /* monotonic: when the last watch began */
    bool heard;          /* an event came since then */
    unsigned failures;   /* in a row */
    char why[512];
};

/* ---- what is known ---- */

static int compare(const void *a, const void *b)
{
    const struct known *left = a, *right = b;

    return strcmp(left->key, right->key);
}

static void known_free(void *arg)
{
    struct known *k = arg;

    free(k->key);
    free(k->uid);
    free(k->rest);
    free(k);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return s ? s : "";
}

static const cJSON *metadata_of(const cJSON *object)
{
    return cJSON_GetObjectItemCaseSensitive(object, "metadata");
}

static char *key_of(const cJSON *metadata)
{
    return xasprintf("%s/%s", text_of(metadata, "namespace"), text_of(metadata, "name"));
}

/* The metadata that is told of an object that vanished. */
static char *rest_of(const cJSON *metadata)
{
    static const char *const kept[] = {"name", "namespace", "uid", "labels", "annotations"};
    cJSON *object = cJSON_CreateObject(), *rest = cJSON_AddObjectToObject(object, "metadata");

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(metadata, kept[i]);
        if (v)
            cJSON_AddItemToObject(rest, kept[i], cJSON_Duplicate(v, true));
    }
    char *text = json_print(object);
    cJSON_Delete(object);
    return text;
}

static struct known *find(struct watch *w, char *key)
{
    struct known **node = tfind(&(struct known){.key = key}, &w->known, compare);

    return node ? *node : NULL;
}

static void forget(struct watch *w, struct known *k)
{
    tdelete(k, &w->known, compare);
    known_free(k);
}

static void tell(struct watch *w, enum watch_change change, const cJSON *object)
{
    w->events.on_object(w->events.arg, change, object);
}

static void tell_vanished(struct watch *w, struct known *k)
{
    cJSON *object = cJSON_Parse(k->rest);

    tell(w, WATCH_DELETED, object);
    cJSON_Delete(object);
    forget(w, k);
}

/* Another object of the same name: the one we know is gone. */
static void see(struct watch *w, const cJSON *object)
{
    const cJSON *metadata = metadata_of(object);
    char *key = key_of(metadata);
    struct known *k = find(w, key);
    bool is_new = !k;

    if (k && strcmp(k->uid, text_of(metadata, "uid")) != 0) {
        tell_vanished(w, k);
        is_new = true;
    }
    if (is_new) {
        k = xcalloc(1, sizeof *k);
        *k = (struct known){.key = key, .uid = xstrdup(text_of(metadata, "uid"))};
        key = NULL;
        tsearch(k, &w->known, compare);
    }
    free(key);
    free(k->rest);
    k->rest = rest_of(metadata);
    k->list = w->list;
    tell(w, is_new ? WATCH_ADDED : WATCH_MODIFIED, object);
}

/* What was never reported does not go away either. */
static void see_deleted(struct watch *w, const cJSON *object)
{
    char *key = key_of(metadata_of(object));
    struct known *k = find(w, key);

    free(key);
    if (!k)
        return;
    forget(w, k);
    tell(w, WATCH_DELETED, object);
}

struct sweep {
    unsigned list;
    struct known **gone;
    size_t n;
};

static void collect(const void *node, VISIT visit, void *arg)
{
    struct sweep *s = arg;
    struct known *k = *(struct known *const *)node;

    if ((visit != postorder && visit != leaf) || k->list == s->list)
        return;
    s->gone = xrealloc(s->gone, (s->n + 1) * sizeof *s->gone);
    s->gone[s->n++] = k;
}

/* Reports what the list that just ended did not have. */
static void sweep(struct watch *w)
{
    struct sweep s = {.list = w->list};

    twalk_r(w->known, collect, &s);
    for (size_t i = 0; i < s.n; i++)
        tell_vanished(w, s.gone[i]);
    free(s.gone);
}

/* ---- its course ---- */

static void go_on(struct watch *w)
{
    timer_set(w->next, 0);
}

/* Full jitter, so that many who lost the same server do not come back at once. */
static void back_off(struct watch *w, const char *why, int64_t at_least_ms)
{
    int64_t most = BACKOFF_MIN_MS << (w->failures < 7 ? w->failures : 7);
    uint32_t random = 0;

    if (getrandom(&random, sizeof random, 0) < 0)
        random = UINT32_MAX;
    most = most < BACKOFF_MAX_MS ? most : BACKOFF_MAX_MS;
    w->failures++;
    snprintf(w->why, sizeof w->why, "%s", why);
    timer_set(w->next, (at_least_ms > 0 ? at_least_ms : 0) + most * (int64_t)random / UINT32_MAX);
}

static void is_well(struct watch *w)
{
    w->failures = 0;
    *w->why = '\0';
}

static void list_again(struct watch *w)
{
    text_clear(&w->version);
    text_clear(&w->page);
}

static void fail(struct watch *w, const struct kube_reply *r)
{
    char why[sizeof w->why];

    snprintf(why, sizeof why, "%s: %s", r->reason, r->message);
    if (r->outcome == KUBE_EXPIRED) /* also of the continue token of a list that took too long */
        list_again(w);
    back_off(w, why, r->retry_after_ms);
}

/* ---- listing ---- */

static void set_version(struct watch *w, const cJSON *metadata)
{
    const char *version = text_of(metadata, "resourceVersion");

    if (!*version)
        return;
    text_clear(&w->version);
    text_add(&w->version, version);
}

static void end_list(struct watch *w)
{
    sweep(w);
    w->resync_at = clock_mono_ms() + w->resync_ms;
    if (w->events.on_synced)
        w->events.on_synced(w->events.arg);
}

static void take_page(struct watch *w, const cJSON *list, const cJSON *items)
{
    const cJSON *metadata = metadata_of(list);

    for (const cJSON *item = items->child; item; item = item->next)
        see(w, item);
    text_clear(&w->page);
    text_add(&w->page, text_of(metadata, "continue"));
    if (w->page.len)
        return;
    set_version(w, metadata);
    end_list(w);
}

static void on_page(void *arg, const struct kube_reply *r)
{
    struct watch *w = arg;
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(r->object, "items");

    w->call = NULL;
    if (r->outcome != KUBE_OK) {
        fail(w, r);
    } else if ((!cJSON_IsArray(items) && !cJSON_IsNull(items)) ||
               !*text_of(metadata_of(r->object), "resourceVersion")) {
        list_again(w);
        back_off(w, "the answer to a list is no list", -1);
    } else {
        is_well(w);
        take_page(w, r->object, items);
        go_on(w);
    }
}

static void add_escaped(struct text *t, const char *s)
{
    for (; *s; s++)
        if (strchr("-._~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", *s))
            text_add_bytes(t, s, 1);
        else
            text_addf(t, "%%%02X", (unsigned)(unsigned char)*s);
}

static void list(struct watch *w)
{
    struct text path = {0};

    if (!w->page.len)
        w->list++;
    text_addf(&path, "%s?limit=%d%s", w->path, w->page_size, w->selector);
    if (w->page.len) {
        text_add(&path, "&continue=");
        add_escaped(&path, w->page.s);
    }
    w->call = kube_send(
        w->kube,
        &(struct kube_request){.method = "GET", .path = path.s, .deadline_ms = LIST_MS, .begin_ms = BEGIN_MS},
        on_page, w);
    text_release(&path);
}

/* ---- watching ---- */

static void abandon(struct watch *w)
{
    kube_cancel(w->call);
    w->call = NULL;
    evtimer_del(w->quiet);
}

/* Not a connection that broke: the stream itself makes no sense, or has to end. */
static void stop(struct watch *w, const char *why, int64_t retry_after_ms)
{
    abandon(w);
    list_again(w);
    back_off(w, why, retry_after_ms);
}

static void on_error_event(struct watch *w, const cJSON *status)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(status, "code");
    char why[sizeof w->why];

    if (cJSON_IsNumber(code) && code->valueint == 410) { /* nothing failed: we were away too long */
        abandon(w);
        list_again(w);
        go_on(w);
        return;
    }
    snprintf(why, sizeof why, "%s: %s", text_of(status, "reason"), text_of(status, "message"));
    stop(w, why, -1);
}

static void on_added_or_modified(struct watch *w, const cJSON *object)
{
    set_version(w, metadata_of(object));
    see(w, object);
}

static void on_deleted(struct watch *w, const cJSON *object)
{
    set_version(w, metadata_of(object));
    see_deleted(w, object);
}

static void on_bookmark(struct watch *w, const cJSON *object)
{
    set_version(w, metadata_of(object));
}

static const struct {
    const char *type;
    void (*take)(struct watch *w, const cJSON *object);
} kinds[] = {
    {"ADDED", on_added_or_modified}, {"MODIFIED", on_added_or_modified}, {"DELETED", on_deleted},
    {"BOOKMARK", on_bookmark},       {"ERROR", on_error_event},
};

static void on_line(void *arg, const char *line, size_t len)
{
    struct watch *w = arg;
    struct err e;
    cJSON *event = json_parse(line, len, 0, &e);
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(event, "object");
    size_t i = 0, n = sizeof kinds / sizeof *kinds;

    while (i < n && strcmp(kinds[i].type, text_of(event, "type")) != 0)
        i++;
    if (i < n && cJSON_IsObject(object)) {
        is_well(w);
        w->heard = true;
        timer_set(w->quiet, w->quiet_ms);
        kinds[i].take(w, object);
    } else {
        stop(w, "an event of a watch is none", -1);
    }
    cJSON_Delete(event);
}

/* By its time or with the connection: on from the last version. */
static void on_end(void *arg, const struct kube_reply *r)
{
    struct watch *w = arg;

    w->call = NULL;
    evtimer_del(w->quiet);
    if (r->outcome != KUBE_OK)
        fail(w, r);
    else if (!w->heard && clock_mono_ms() < w->watched_at + SHORT_MS)
        back_off(w, "a watch ended as soon as it began", -1);
    else
        go_on(w);
}

static void watch(struct watch *w)
{
    int64_t left_s = (w->resync_at - clock_mono_ms()) / 1000;
    int seconds = left_s < 1 ? 1 : left_s < WATCH_S ? (int)left_s : WATCH_S;
    struct text path = {0};

    text_addf(&path, "%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=", w->path,
              seconds);
    add_escaped(&path, w->version.s);
    text_add(&path, w->selector);
    w->watched_at = clock_mono_ms();
    w->heard = false;
    timer_set(w->quiet, w->quiet_ms);
    w->call = kube_stream(w->kube,
                          &(struct kube_request){.method = "GET",
                                                 .path = path.s,
                                                 .deadline_ms = seconds * INT64_C(1000) + LATE_MS,
                                                 .begin_ms = BEGIN_MS},
                          on_line, on_end, w);
    text_release(&path);
}

static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd, (void)what;
    abandon(w);
    go_on(w);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd, (void)what;
    if (w->version.len && clock_mono_ms() >= w->resync_at)
        list_again(w);
    if (w->version.len)
        watch(w);
    else
        list(w);
}

struct watch *watch_new(struct kube *k, const struct watch_options *options,
                        const struct watch_events *events)
{
    struct watch *w = xcalloc(1, sizeof *w);
    struct text selector = {0};

    if (options->label_selector) {
        text_add(&selector, "&labelSelector=");
        add_escaped(&selector, options->label_selector);
    }
    *w = (struct watch){
        .kube = k,
        .path = xstrdup(options->path),
        .selector = xstrdup(text_get(&selector)),
        .resync_ms = options->resync_ms ? options->resync_ms : RESYNC_MS,
        .quiet_ms = options->quiet_ms ? options->quiet_ms : QUIET_MS,
        .page_size = options->page_size ? options->page_size : PAGE_SIZE,
        .events = *events,
    };
    text_release(&selector);
    w->next = evtimer_new(kube_base_get(k), on_next, w);
    w->quiet = evtimer_new(kube_base_get(k), on_quiet, w);
    go_on(w);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    kube_cancel(w->call);
    event_free(w->next);
    event_free(w->quiet);
    tdestroy(w->known, known_free);
    text_release(&w->page);
    text_release(&w->version);
    free(w->path);
    free(w->selector);
    free(w);
}

const char *watch_why_get(const struct watch *w)
{
    return w->why;
}
