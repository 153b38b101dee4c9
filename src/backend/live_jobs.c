#include "backend/live_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct live_job **find(struct live_jobs *s, const char *name)
{
    struct live_job **at = &s->first;

    while (*at && strcmp((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static struct live_job *see(struct live_jobs *s, const char *name)
{
    struct live_job *j = *find(s, name);

    if (j)
        return j;
    j = xcalloc(1, sizeof *j);
    snprintf(j->name, sizeof j->name, "%s", name);
    j->next = s->first;
    s->first = j;
    return j;
}

/* Of what is finished nothing has to be known. */
static void drop_when_over(struct live_jobs *s, const char *name)
{
    struct live_job **at = find(s, name), *j = *at;

    if (!j || j->job || j->live)
        return;
    *at = j->next;
    free(j->pod);
    free(j);
}

void live_jobs_see_job(struct live_jobs *s, const char *name, bool there)
{
    see(s, name)->job = there;
    drop_when_over(s, name);
}

/* The end of an earlier pod does not say that the latest is over. A Job whose pod is deleted makes another. */
void live_jobs_see_pod(struct live_jobs *s, const struct pod *p, bool deleted)
{
    struct live_job *j = see(s, p->job);
    bool known = j->pod && strcmp(j->pod, p->uid) == 0;
    bool live = !deleted && pod_is_live(p);

    if (known || live || !j->live) {
        free(j->pod);
        j->pod = deleted ? NULL : xstrdup(p->uid);
        j->live = live;
    }
    drop_when_over(s, p->job);
}

void live_jobs_release(struct live_jobs *s)
{
    for (struct live_job *j = s->first, *next; j; j = next) {
        next = j->next;
        free(j->pod);
        free(j);
    }
    s->first = NULL;
}

bool live_job_is_live(const struct live_job *j)
{
    return j->live || (j->job && !j->pod);
}

bool live_jobs_any(const struct live_jobs *s)
{
    for (const struct live_job *j = s->first; j; j = j->next)
        if (live_job_is_live(j))
            return true;
    return false;
}
