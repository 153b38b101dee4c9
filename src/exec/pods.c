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
    const char *config = getenv("RIVERS_RUN_BACKEND"), *image = getenv("RIVERS_IMAGE");
    const char *installation = getenv("RIVERS_INSTALLATION"), *url = getenv("RIVERS_REDIS_URL");
    const struct access_options access = {NULL, NULL, NULL};

    *p = (struct pods){0};
    if (kube_backend_parse(&p->backend, config ? config : "", e))
        goto fail;
    if (!p->backend.image && image)
        p->backend.image = xstrdup(image);
    if (!p->backend.image) {
        err_set(e, ERR_INVALID, "RIVERS_IMAGE does not say which image steps run in");
        goto fail;
    }
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
