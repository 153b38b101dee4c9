/* kube_status: the Status objects with which an API server says no. */
#ifndef RIVERS_TESTS_KUBE_STATUS_H
#define RIVERS_TESTS_KUBE_STATUS_H

#include <cjson/cJSON.h>

#include "support/kube_store.h"

/* details: taken over, NULL for none. */
cJSON *kube_status(int code, const char *reason, cJSON *details, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int kube_status_code(const cJSON *status);

cJSON *kube_not_found(const struct kube_resource *r, const char *name);

/* A violation list that grows to a 422. */
struct kube_causes {
    cJSON *list; /* NULL while there is none */
};
void kube_cause(struct kube_causes *c, const char *reason, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void kube_cause_invalid(struct kube_causes *c, const char *field, const char *value, const char *why);
/* NULL when there were none; empties c. */
cJSON *kube_invalid(struct kube_causes *c, const struct kube_resource *r, const char *name);

#endif
