/* pods: what a run needs to run its steps in pods of their own: the cluster, the settings that its own Job gave it, the
 * workers. */
#ifndef RIVERS_EXEC_PODS_H
#define RIVERS_EXEC_PODS_H

#include <stdbool.h>

#include "exec/worker_job.h"

struct reaper;

struct pods {
    struct kube *kube;
    struct kube_backend backend;
    struct job_site site;
    struct job_run run;
    struct worker_jobs *jobs;
};

/* Whether this process is the executor in the pod of a run (src/kube/job.h says what it is given). */
bool pods_wanted(void);

/* p stays where it is; run->run and namespace (of rivers) are borrowed. After a failure p is empty, and e says what is
 * missing. */
__attribute__((warn_unused_result)) int pods_open(struct pods *p, struct reaper *reaper,
                                                  const struct job_run *run, const char *namespace,
                                                  struct err *e);
void pods_close(struct pods *p); /* p may be zeroed; when no worker is left */

#endif
