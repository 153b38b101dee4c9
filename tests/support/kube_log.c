#include "support/kube_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

static int64_t option(const struct kube_call *call, const char *name)
{
    const char *text = kube_query(call, name);
    int64_t n = -1;

    return text && number_parse(text, 0, INT64_MAX, &n) == 0 ? n : -1;
}

/* Where the last lines begin; a last line without its end counts. */
static size_t tail_begin(const char *log, size_t len, int64_t lines)
{
    size_t at = len;

    if (lines == 0)
        return len;
    if (at > 0 && log[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (log[at - 1] == '\n' && --lines == 0)
            break;
    return at;
}

static cJSON *not_started(const struct kube_object *pod)
{
    const cJSON *container = kube_first(kube_at(pod->json, "status.containerStatuses"));
    const char *reason = kube_text_at(container, "state.waiting.reason");

    return kube_status(400, "BadRequest", NULL, "container \"%s\" in pod \"%s\" is waiting to start: %s",
                       kube_text_at(kube_first(kube_at(pod->json, "spec.containers")), "name"), pod->name,
                       reason ? reason : "ContainerCreating");
}

void kube_log_serve(const struct kube_node *node, const struct kube_object *pod, struct kube_call *call)
{
    int64_t lines = option(call, "tailLines"), bytes = option(call, "limitBytes");
    size_t len = 0;
    const char *log = node ? kube_node_log(node, pod->uid, &len) : NULL;

    if (!log) {
        cJSON *status = not_started(pod);
        kube_answer(call, kube_status_code(status), status);
        return;
    }
    size_t from = lines >= 0 ? tail_begin(log, len, lines) : 0;
    size_t n = bytes >= 0 && (size_t)bytes < len - from ? (size_t)bytes : len - from;
    char *text = xmemdup(log + from, n);
    kube_answer_text(call, 200, text);
    free(text);
}
