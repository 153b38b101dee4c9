/* kube_watch: the WATCH requests: what changed, from a resource version on, a line each, with bookmarks, until the
 * time that was asked for is over. */
#ifndef RIVERS_TESTS_KUBE_WATCH_H
#define RIVERS_TESTS_KUBE_WATCH_H

#include "support/kube_http.h"
#include "support/kube_selector.h"
#include "support/kube_store.h"

struct kube_watches;

struct kube_watches *kube_watches_new(struct event_base *base, struct kube_store *store, int64_t bookmark_ms);
void kube_watches_free(struct kube_watches *w); /* after all connections are gone */

/* Streams to the call; ns NULL: all namespaces. selector is taken over. */
void kube_watch_begin(struct kube_watches *all, struct kube_call *call, const struct kube_resource *r,
                      const char *ns, struct kube_selector *selector);

/* Answers the call as a watch does whose resource version is too old. */
void kube_watch_expired(struct kube_watches *w, struct kube_call *call);

int kube_watches_open(const struct kube_watches *w);
void kube_watches_cut(struct kube_watches *all); /* resets the connections of all */
void kube_watches_expire(
    struct kube_watches *all); /* tells all that their version is too old, and ends them */

#endif
