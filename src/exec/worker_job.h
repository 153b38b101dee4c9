/* worker_job: attempts of steps as Jobs of Kubernetes, each with a pod of its own; see worker.h. */
#ifndef RIVERS_EXEC_WORKER_JOB_H
#define RIVERS_EXEC_WORKER_JOB_H

#include "kube/job.h"

struct kube;
struct worker_jobs; /* what the workers of a run share: one watch on its pods */

/* k, the site with its backend and the run are borrowed. What pods of earlier attempts of the run still run is ended before
 * anything is started. */
struct worker_jobs *worker_jobs_new(struct kube *k, const struct job_site *site, const struct job_run *run);
void worker_jobs_free(struct worker_jobs *jobs); /* when no worker is left */

/* place: struct worker_jobs. Signals other than those that end it do not reach a pod. */
extern const struct worker_type worker_job;

#endif
