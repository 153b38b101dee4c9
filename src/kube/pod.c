#include "kube/pod.h"

#include <string.h>

#include <cjson/cJSON.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const cJSON *member(const cJSON *v, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(v, key);
}

static const char *string(const cJSON *v, const char *key)
{
    const char *s = cJSON_GetStringValue(member(v, key));

    return s ? s : "";
}

/* A condition that is true or false as said; NULL: it is not. */
static const cJSON *condition(const cJSON *status, const char *type, const char *is)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, member(status, "conditions"))
    {
        if (!strcmp(string(c, "type"), type) && !strcmp(string(c, "status"), is))
            return c;
    }
    return NULL;
}

/* What status.reason of the pod, the reason of its disruption or that of its container means. */
static const struct {
    const char *reason;
    enum pod_end end;
} ends[] = {
    {"OOMKilled", POD_OOM},
    {"Evicted", POD_EVICTED},
    {"Preempting", POD_EVICTED},
    {"Shutdown", POD_EVICTED},
    {"NodeShutdown", POD_EVICTED},
    {"Terminated", POD_EVICTED}, /* by a node that shuts down */
    {"EvictionByEvictionAPI", POD_EVICTED},
    {"PreemptionByScheduler", POD_EVICTED},
    {"PreemptionByKubeScheduler", POD_EVICTED},
    {"TerminationByKubelet", POD_EVICTED},
    {"NodeLost", POD_NODE_LOST},
    {"DeletionByTaintManager", POD_NODE_LOST},
    {"DeletionByPodGC", POD_NODE_LOST},
    {"ContainerStatusUnknown", POD_NODE_LOST},
    {"DeadlineExceeded", POD_DEADLINE},
};

static bool end_of(const char *reason, enum pod_end *end)
{
    for (size_t i = 0; i < COUNT(ends); i++)
        if (!strcmp(reason, ends[i].reason)) {
            *end = ends[i].end;
            return true;
        }
    return false;
}

/* From the surest source to the vaguest. An exit code comes after those: what is evicted exits as well. */
static void read_end(struct pod *p, const cJSON *status, const cJSON *terminated)
{
    const cJSON *disruption = condition(status, "DisruptionTarget", "True");
    const cJSON *code = member(terminated, "exitCode");

    p->message = *string(status, "message") ? string(status, "message") : string(terminated, "message");
    p->code = cJSON_IsNumber(code) ? code->valueint : 0;
    p->end = POD_EVICTED;
    if (!strcmp(string(status, "phase"), "Succeeded"))
        p->end = POD_EXIT;
    else if (!end_of(string(terminated, "reason"), &p->end) &&
             !end_of(string(disruption, "reason"), &p->end) && !end_of(string(status, "reason"), &p->end) &&
             !disruption)
        p->end = code ? POD_EXIT : p->phase == POD_OVER ? POD_REJECTED : POD_EVICTED;
}

/* What every pod says on its way is not worth a word. */
static bool is_usual(const char *reason)
{
    return !strcmp(reason, "ContainerCreating") || !strcmp(reason, "PodInitializing");
}

static void read_waiting(struct pod *p, const cJSON *status, const cJSON *waiting)
{
    const cJSON *unscheduled = condition(status, "PodScheduled", "False");
    const cJSON *why = unscheduled ? unscheduled : waiting;

    if (is_usual(string(why, "reason")))
        return;
    p->waiting = string(why, "reason");
    p->message = string(why, "message");
}

void pod_read(struct pod *p, const cJSON *object)
{
    const cJSON *metadata = member(object, "metadata"), *status = member(object, "status");
    const cJSON *container = cJSON_GetArrayItem(member(status, "containerStatuses"), 0);
    const cJSON *state = member(container, "state");
    const char *phase = string(status, "phase");

    *p = (struct pod){
        .name = string(metadata, "name"),
        .uid = string(metadata, "uid"),
        .job = string(member(metadata, "labels"), "job-name"),
        .deleting = member(metadata, "deletionTimestamp"),
        .waiting = "",
        .message = "",
    };
    if (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
        p->phase = POD_OVER;
    else if (member(state, "running") || member(state, "terminated"))
        p->phase = POD_RUNNING;
    if (p->phase == POD_WAITING)
        read_waiting(p, status, member(state, "waiting"));
    else
        read_end(p, status, member(state, "terminated"));
    if (p->phase != POD_OVER && p->end == POD_EXIT)
        p->end = POD_EVICTED;
}

bool pod_is_live(const struct pod *p)
{
    return p->phase != POD_OVER && !(p->deleting && p->end == POD_NODE_LOST);
}

const char *pod_annotation_get(const cJSON *object, const char *key)
{
    return string(member(member(object, "metadata"), "annotations"), key);
}
