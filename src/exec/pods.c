#include "exec/pods.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "kube/client.h"

bool pods_wanted(void)
{
    return getenv("RIVERS_RUN_BACKEND");
}

int pods_open(struct pods *p, struct reaper *reaper, const struct job_run *run, const char *namespace,
              struct err *e)
{
    const char *config = getenv("RIVERS_RUN_BACKEND");
    const char *installation = getenv("RIVERS_INSTALLATION"), *url = getenv("RIVERS_REDIS_URL");
    const struct access_options access = {NULL, NULL, NULL};

    *p = (struct pods){0};
    if (kube_backend_parse(&p->backend, config ? config : "", e) < 0 ||
        kube_backend_find_image(&p->backend, e) < 0)
        goto fail;
    p->kube = kube_new(reaper, &access, e);
    if (!p->kube)
        goto fail;
    p->site = (struct job_site){&p->backend, installation ? installation : "", namespace, url ? url : ""};
    p->run = *run;
    p->jobs = worker_jobs_new(p->kube, &p->site, &p->run);
    return 0;

fail:
    pods_close(p);
    return -1;
}

void pods_close(struct pods *p)
{
    worker_jobs_free(p->jobs);
    if (p->kube)
        kube_free(p->kube);
    kube_backend_release(&p->backend);
    *p = (struct pods){0};
}
