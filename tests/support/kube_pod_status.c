#include "support/kube_pod_status.h"

#include <stdio.h>
#include <string.h>

#include "support/kube_json.h"

static void set_condition(struct kube_object *pod, const char *type, const char *status, const char *reason,
                          const char *message)
{
    cJSON *conditions, *condition;
    char now[32];
    int i = 0;

    kube_put_default(pod->json, "status.conditions", cJSON_CreateArray());
    conditions = kube_at(pod->json, "status.conditions");
    for (condition = conditions->child; condition && strcmp(kube_text_at(condition, "type"), type) != 0; i++)
        condition = condition->next;
    cJSON_DeleteItemFromArray(conditions, condition ? i : -1);
    condition = kube_json("{'type':%s,'status':%s,'lastProbeTime':null,'lastTransitionTime':%s}", type,
                          status, kube_time(now, 0));
    if (reason)
        kube_put_text(condition, "reason", reason);
    if (message)
        kube_put_text(condition, "message", message);
    cJSON_AddItemToArray(conditions, condition);
}

/* state is taken over. */
static void set_container(struct kube_object *pod, cJSON *state, bool ready)
{
    const cJSON *container = kube_first(kube_at(pod->json, "spec.containers"));
    const char *image = kube_text_at(container, "image");
    cJSON *status = kube_json(
        "{'name':%s,'lastState':{},'ready':%r,'restartCount':0,'image':%s,'imageID':'','started':%r}",
        kube_text_at(container, "name"), ready ? "true" : "false", image, ready ? "true" : "false");

    cJSON_AddItemToObject(status, "state", state);
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, status);
    kube_put(pod->json, "status.containerStatuses", list);
}

static void set_ready(struct kube_object *pod, const char *status, const char *reason)
{
    set_condition(pod, "Ready", status, reason, NULL);
    set_condition(pod, "ContainersReady", status, reason, NULL);
}

void kube_pod_scheduled(struct kube_object *pod, const char *node)
{
    kube_put_text(pod->json, "spec.nodeName", node);
    set_condition(pod, "PodScheduled", "True", NULL, NULL);
}

void kube_pod_unschedulable(struct kube_object *pod, const char *message)
{
    set_condition(pod, "PodScheduled", "False", "Unschedulable", message);
}

void kube_pod_waiting(struct kube_object *pod, const char *reason, const char *message)
{
    cJSON *state = kube_json("{'waiting':{'reason':%s}}", reason);
    char now[32];

    if (message)
        kube_put_text(state, "waiting.message", message);
    kube_put_text(pod->json, "status.phase", "Pending");
    kube_put_text(pod->json, "status.hostIP", "127.0.0.1");
    kube_put_default(pod->json, "status.startTime", cJSON_CreateString(kube_time(now, 0)));
    set_condition(pod, "Initialized", "True", NULL, NULL);
    set_ready(pod, "False", "ContainersNotReady");
    set_container(pod, state, false);
}

void kube_pod_running(struct kube_object *pod)
{
    char now[32];

    kube_put_text(pod->json, "status.phase", "Running");
    kube_put_text(pod->json, "status.podIP", "127.0.0.1");
    set_ready(pod, "True", NULL);
    set_container(pod, kube_json("{'running':{'startedAt':%s}}", kube_time(now, 0)), true);
}

void kube_pod_terminated(struct kube_object *pod, int exit_code, const char *reason, const char *message)
{
    const cJSON *before = kube_first(kube_at(pod->json, "status.containerStatuses"));
    const char *started = kube_text_at(before, "state.running.startedAt");
    char now[32];

    kube_time(now, 0);
    cJSON *state = kube_json("{'terminated':{'exitCode':%d,'reason':%s,'startedAt':%s,'finishedAt':%s}}",
                             exit_code, reason, started ? started : now, now);
    if (message)
        kube_put_text(state, "terminated.message", message);
    kube_put_text(pod->json, "status.phase", exit_code == 0 ? "Succeeded" : "Failed");
    set_ready(pod, "False", exit_code == 0 ? "PodCompleted" : "ContainersNotReady");
    set_container(pod, state, false);
}

void kube_pod_failed(struct kube_object *pod, const char *reason, const char *message)
{
    char now[32];

    kube_put_text(pod->json, "status.phase", "Failed");
    kube_put_text(pod->json, "status.reason", reason);
    kube_put_text(pod->json, "status.message", message);
    kube_put_default(pod->json, "status.startTime", cJSON_CreateString(kube_time(now, 0)));
}

/* As the node controller marks it: the status of the container stays what it was. */
void kube_pod_node_lost(struct kube_object *pod, const char *node)
{
    char message[256], now[32];

    snprintf(message, sizeof message, "Node %s which was running pod %s is unresponsive", node, pod->name);
    kube_put_text(pod->json, "status.reason", "NodeLost");
    kube_put_text(pod->json, "status.message", message);
    set_condition(pod, "Ready", "False", NULL, NULL);
    set_condition(pod, "DisruptionTarget", "True", "DeletionByTaintManager",
                  "Taint manager: deleting due to NoExecute taint");
    kube_put_text(pod->json, "metadata.deletionTimestamp", kube_time(now, 30000));
    kube_put(pod->json, "metadata.deletionGracePeriodSeconds", cJSON_CreateNumber(30));
}
