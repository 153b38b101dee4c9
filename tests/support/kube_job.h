/* kube_job: what an API server adds to a Job and what it refuses in one. */
#ifndef RIVERS_TESTS_KUBE_JOB_H
#define RIVERS_TESTS_KUBE_JOB_H

#include <cjson/cJSON.h>

#include "support/kube_schema.h"
#include "support/kube_store.h"

/* NULL, or the Status that refuses the Job: first its form, then its values. drop_unknown: see kube_schema_check. */
cJSON *kube_job_malformed(const struct kube_schema *s, cJSON *job, bool drop_unknown);
cJSON *kube_job_invalid(const cJSON *job);

/* Before kube_job_invalid: a uid, the selector and the labels of the pods that follow from it, and defaults. */
void kube_job_complete(cJSON *job);

/* NULL, or why `old` may not become `job`. */
cJSON *kube_job_immutable(const cJSON *old, const cJSON *job);

/* A pod for a Job, as its controller makes it; owned by the caller. */
cJSON *kube_job_pod(const struct kube_object *job);

/* metadata.name, labels and annotations of any object. */
struct kube_causes;
void kube_check_metadata(struct kube_causes *c, const cJSON *object);

#endif
