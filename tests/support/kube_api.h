/* kube_api: the requests of the Kubernetes API on the objects of the store: get, list, watch, create, delete, patch,
 * update, logs, access reviews. */
#ifndef RIVERS_TESTS_KUBE_API_H
#define RIVERS_TESTS_KUBE_API_H

#include "base/options.h"
#include "support/kube_faults.h"
#include "support/kube_http.h"
#include "support/kube_node.h"
#include "support/kube_schema.h"
#include "support/kube_store.h"
#include "support/kube_users.h"
#include "support/kube_watch.h"

struct kube_api {
    struct kube_store *store;
    struct kube_watches *watches;
    struct kube_users *users;
    struct kube_faults *faults;
    const struct kube_node *node; /* NULL: none */
    const struct kube_schema *schema;
    const struct option_list *namespaces; /* beside "default" */
    bool drop_unknown;
    cJSON *counters; /* {"POST jobs": 3, "WATCH pods": 1, ...} */
};

void kube_api_serve(struct kube_api *api, struct kube_call *call);

/* Adds one to a counter. */
void kube_api_count(struct kube_api *api, const char *what);

#endif
