/* kube_schema: which fields a Job may have and of which type, as a flat list of paths: of the OpenAPI document of a
 * Kubernetes release, or, without one, of those fields that are built in here. */
#ifndef RIVERS_TESTS_KUBE_SCHEMA_H
#define RIVERS_TESTS_KUBE_SCHEMA_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum kube_type {
    KUBE_OBJECT,
    KUBE_MAP,   /* of any names; its values are at `path{}` */
    KUBE_ARRAY, /* its items are at `path[]` */
    KUBE_STRING,
    KUBE_INTEGER,
    KUBE_BOOLEAN,
    KUBE_QUANTITY, /* "500m", or a number */
    KUBE_INT_OR_STRING,
    KUBE_ANY,
};

struct kube_field {
    const char *path; /* `spec.template.spec.containers[].image`; "" is the Job */
    enum kube_type type;
    bool required;
};

/* The built-in ones. */
extern const struct kube_field kube_job_fields[];
extern const size_t kube_job_fields_count;

struct kube_schema;
struct kube_schema *kube_schema_builtin(void);
struct kube_schema *
kube_schema_read(const char *file); /* definitions of io.k8s.api.batch.v1.Job and what it refers to */
void kube_schema_free(struct kube_schema *s);
size_t kube_schema_count(const struct kube_schema *s);
bool kube_schema_knows(const struct kube_schema *s,
                       const struct kube_field *f); /* the same path, type, requirement */

enum kube_fault { KUBE_FINE, KUBE_UNKNOWN_FIELD, KUBE_WRONG_TYPE, KUBE_MISSING };
struct kube_violation {
    enum kube_fault fault;
    char path[512];   /* `spec.template.spec.containers[0].imagee` */
    const char *want; /* "integer": KUBE_WRONG_TYPE */
};

/* The first violation of a Job. drop_unknown: unknown fields are no violation but removed, as the real server does. */
struct kube_violation kube_schema_check(const struct kube_schema *s, cJSON *job, bool drop_unknown);

#endif
