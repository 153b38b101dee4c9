/*
 * watch: all objects of a kind as the API server has them, and every change: lists them, then watches from there
 * on.
 *
 *           list, page by page            bookmarks and events
 *   LIST ──────────────────────> WATCH ──────────────────────────> ended by its time, or the connection
 *    ^                             ^                                   │        │
 *    │                             └── from the last resource version ─┘        │
 *    └───────── version expired (410), every resync_ms, or an answer that makes no sense ──────────┘
 *
 * After a failure it goes on with a back-off (full jitter, 250 ms to 30 s, or what the server asked for).
 */
#ifndef RIVERS_KUBE_WATCH_H
#define RIVERS_KUBE_WATCH_H

#include <stdint.h>

struct cJSON;
struct kube;
struct watch;

enum watch_change {
    WATCH_ADDED,    /* not seen before */
    WATCH_MODIFIED, /* changed, or listed again by a resync */
    WATCH_DELETED,  /* gone: as it was last when the server said so; after a list that lacks it only
                       metadata.name, .namespace, .uid, .labels and .annotations */
};

struct watch_options {
    const char *path;           /* "/apis/batch/v1/namespaces/default/jobs" */
    const char *label_selector; /* "rivers.dev/namespace=default", not escaped; NULL: all */
    int64_t resync_ms;          /* 0: 5 minutes */
    int64_t quiet_ms;           /* a watch that told nothing for so long is begun anew; 0: 75 s */
    int page_size;              /* objects in an answer; 0: 500 */
};

/* The object is borrowed. watch_free is not allowed in either. */
struct watch_events {
    void (*on_object)(void *arg, enum watch_change change, const struct cJSON *object);
    void (*on_synced)(void *arg); /* after each whole list: what exists was reported; NULL: nobody cares */
    void *arg;
};

/* Starts at once; no callback before this has returned. Both are copied. k must live longer. */
struct watch *watch_new(struct kube *k, const struct watch_options *options,
                        const struct watch_events *events);
void watch_free(struct watch *w);

/* Why the list may be behind: the last failure since it last heard from the server; "" when all is well. */
const char *watch_why_get(const struct watch *w);

#endif
