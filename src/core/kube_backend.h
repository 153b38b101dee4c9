/* kube_backend: the members of run_backend {"type": "kubernetes"}: where Jobs are made, and what their pods
 * ask for. */
#ifndef RIVERS_CORE_KUBE_BACKEND_H
#define RIVERS_CORE_KUBE_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct kube_pair {
    char *key, *value;
};

struct kube_pairs {
    struct kube_pair *items;
    size_t n;
};

struct kube_words {
    char **items;
    size_t n;
};

/* All checked: quantities, names, label values. Members without a default are NULL or empty when not given. */
struct kube_backend {
    char *image;           /* NULL: the image that the dequeuer runs, RIVERS_IMAGE */
    char *namespace;       /* NULL: the pod's own */
    char *service_account; /* of run pods */
    char *run_cpu, *run_memory, *worker_cpu, *worker_memory;
    char *step_service_account;            /* NULL: the namespace's default, and no token is mounted */
    char *redis_secret, *redis_secret_key; /* of a Secret in that namespace; NULL: the URL is in the Job */
    char *priority_class;
    char *tolerations; /* a JSON list, put into pods as it is */
    struct kube_words image_pull_secrets;
    struct kube_pairs labels, annotations, node_selector;
    int64_t run_as_user; /* of all pods; 0: the user that their image names by number */
    int64_t pod_pending_timeout_ms, ttl_after_finished_ms;
};

/* Reads the run_backend object; kube_backend_release also after a failure. */
__attribute__((warn_unused_result)) int kube_backend_read(const struct cJSON *v, const struct json_path *at,
                                                          struct kube_backend *b, struct err *e);

/* The same from the text that is stored in the settings. */
__attribute__((warn_unused_result)) int kube_backend_parse(struct kube_backend *b, const char *run_backend,
                                                           struct err *e);

/* The image, when none is given: that of RIVERS_IMAGE; -1 and e: there is none either. */
__attribute__((warn_unused_result)) int kube_backend_find_image(struct kube_backend *b, struct err *e);
void kube_backend_release(struct kube_backend *b);

#endif
