/*
 * job: the batch/v1 Jobs of rivers, as the text that goes to the API server: one for each attempt of a run, which runs its
 * executor, and one for each attempt of a step that runs in a pod of its own.
 *
 * Names are deterministic, so that an attempt is created only once: a Job of that name with our hash is ours, whoever
 * made it.
 */
#ifndef RIVERS_KUBE_JOB_H
#define RIVERS_KUBE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/kube_backend.h"
#include "core/step.h"
#include "kube/job_name.h"

struct cJSON;

#define JOB_CONTAINER "main" /* the only one of a pod */

/* Labels of Jobs and pods, to select by. */
#define JOB_LABEL_INSTALLATION "app.kubernetes.io/instance"
#define JOB_LABEL_COMPONENT    "app.kubernetes.io/component" /* "run" or "step" */
#define JOB_LABEL_NAMESPACE    "rivers.dev/namespace"
#define JOB_LABEL_RUN          "rivers.dev/run-id"

/* Annotations of Jobs and pods: in full what names and labels may have cut. */
#define JOB_NOTE_NAMESPACE    "rivers.dev/namespace"
#define JOB_NOTE_RUN          "rivers.dev/run-id"
#define JOB_NOTE_ATTEMPT      "rivers.dev/attempt" /* of the run */
#define JOB_NOTE_TOKEN        "rivers.dev/token"
#define JOB_NOTE_STEP         "rivers.dev/step"
#define JOB_NOTE_STEP_ATTEMPT "rivers.dev/step-attempt"
#define JOB_NOTE_HASH         "rivers.dev/spec-hash" /* of Jobs alone */

/* What all Jobs of an installation share; borrowed. */
struct job_site {
    const struct kube_backend *backend; /* with its image */
    const char *installation;           /* tells the Jobs of one Redis from another's in the same cluster */
    const char *namespace;              /* of rivers */
    const char *redis_url; /* for run pods when the backend names no Secret: it holds none then */
};

/* Whose attempt it is. */
struct job_run {
    const char *run;
    int64_t attempt, token;
};

struct job {
    job_name name;
    job_hash hash;
    char *text; /* owned */
};

/* `rivers execute RUN` in the image of the backend. config: the run_backend document that its executor is to work by. */
void job_make_run(struct job *j, const struct job_site *site, const struct job_run *run, const char *config);

/* The command of the step, in its own image or that of the backend. vars: its environment, "NAME=value" up to a NULL. */
void job_make_step(struct job *j, const struct job_site *site, const struct job_run *run,
                   const struct step *step, int64_t attempt, char *const *vars);
void job_release(struct job *j);

/* Whether a Job of that name was made from the same. */
bool job_is_same(const struct job *j, const struct cJSON *object);

/* The condition "Complete" or "Failed" of a Job, which is over then; NULL: it does not hold. */
const struct cJSON *job_condition_get(const struct cJSON *object, const char *type);

/* What selects all Jobs and pods of a site, or those of one run; not escaped, owned by the caller. run: NULL for all. */
char *job_selector(const struct job_site *site, const char *run);

#endif
