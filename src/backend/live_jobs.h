/* live_jobs: which of some Jobs run something, or will, by what the watches on Jobs and pods say. */
#ifndef RIVERS_BACKEND_LIVE_JOBS_H
#define RIVERS_BACKEND_LIVE_JOBS_H

#include <stdbool.h>

#include "kube/job_name.h"
#include "kube/pod.h"

struct live_job {
    job_name name;
    char *pod;    /* the uid of the latest; NULL: there is none yet, or again none */
    bool job;     /* it is there, and not finished */
    bool live;    /* that pod is */
    bool deleted; /* asked for, by the owner of the list */
    struct live_job *next;
};

struct live_jobs { /* {0} is none */
    struct live_job *first;
};

/* A Job is there, or is no more: finished or gone. */
void live_jobs_see_job(struct live_jobs *s, const char *name, bool there);
void live_jobs_see_pod(struct live_jobs *s, const struct pod *p, bool deleted);
void live_jobs_release(struct live_jobs *s);

bool live_job_is_live(const struct live_job *j);
bool live_jobs_any(const struct live_jobs *s);

#endif
