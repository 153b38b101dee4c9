#include "core/kube_backend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/duration.h"
#include "base/mem.h"
#include "core/kube_name.h"
#include "core/name.h"
#include "core/quantity.h"

#define TTL_MIN_MS 60000 /* a dequeuer that was away for a moment must still find what became of a Job */

/* --- single values: each takes a string that passed its check --- */

static void take(char **field, const char *s)
{
    free(*field);
    *field = xstrdup(s);
}

static int read_named(const cJSON *v, const struct json_path *at, bool (*is_good)(const char *s),
                      const char *rule, void *into, struct err *e)
{
    const char *s;

    if (json_string(v, at, &s, e))
        return -1;
    if (!is_good(s))
        return json_fault(e, at, "must be %s, not \"%s\"", rule, s);
    take(into, s);
    return 0;
}

#define SUBDOMAIN_RULE "1 to 253 of a-z 0-9 - ., each part starting and ending with a letter or digit"

static int read_subdomain(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_named(v, at, kube_name_is_subdomain, SUBDOMAIN_RULE, into, e);
}

static int read_namespace(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_named(v, at, kube_name_is_label,
                      "1 to 63 of a-z 0-9 -, starting and ending with a letter or digit", into, e);
}

static int read_data_key(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_named(v, at, kube_name_is_data_key, "1 to 253 of A-Z a-z 0-9 - _ .", into, e);
}

static int read_image(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_named(v, at, name_is_image, "the name of an image", into, e);
}

static int read_ms(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_duration_ms(v, at, into, e);
}

static int read_user(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 1, INT32_MAX, into, e);
}

static int read_ttl(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t *ms = into;

    if (json_duration_ms(v, at, ms, e))
        return -1;
    return *ms < TTL_MIN_MS ? json_fault(e, at, "must be at least 1m") : 0;
}

/* --- lists and objects --- */

static int read_words(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct kube_words *w = into;
    struct json_path below = {at, NULL, 0};

    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list of names");
    w->items = xcalloc((size_t)cJSON_GetArraySize(v), sizeof *w->items);
    for (const cJSON *item = v->child; item; item = item->next, below.index++) {
        if (read_subdomain(item, &below, &w->items[w->n], e))
            return -1;
        w->n++;
    }
    return 0;
}

static bool is_anything(const char *s)
{
    (void)s;
    return true;
}

static int read_pairs(const cJSON *v, const struct json_path *at, bool (*is_value)(const char *s), void *into,
                      struct err *e)
{
    struct kube_pairs *p = into;

    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object of strings");
    p->items = xcalloc((size_t)cJSON_GetArraySize(v), sizeof *p->items);
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, 0};
        if (!kube_name_is_key(child->string))
            return json_fault(e, at,
                              "'%s' cannot be a key: [subdomain/]name, the name 1 to 63 of A-Z a-z 0-9 - _ .",
                              child->string);
        char **value = &p->items[p->n].value;
        if (read_named(child, &below, is_value, "empty or 1 to 63 of A-Z a-z 0-9 - _ .", value, e))
            return -1;
        p->items[p->n++].key = xstrdup(child->string);
    }
    return 0;
}

/* What the Jobs are found and told apart by is ours. */
static int read_labels(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    for (const cJSON *child = cJSON_IsObject(v) ? v->child : NULL; child; child = child->next)
        if (!strncmp(child->string, "app.kubernetes.io/", 18) || !strncmp(child->string, "rivers.dev/", 11))
            return json_fault(e, at, "'%s' is set by rivers", child->string);
    return read_pairs(v, at, kube_name_is_value, into, e);
}

static int read_node_selector(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_pairs(v, at, kube_name_is_value, into, e);
}

static int read_annotations(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return read_pairs(v, at, is_anything, into, e);
}

/* One of the words, which are separated by blanks. */
static int read_one_of(const cJSON *v, const struct json_path *at, const char *words, struct err *e)
{
    const char *s, *found;

    if (json_string(v, at, &s, e))
        return -1;
    found = *s ? strstr(words, s) : NULL;
    if (found && (found == words || found[-1] == ' ') && strchr(" ", found[strlen(s)]))
        return 0;
    return json_fault(e, at, "must be one of %s", words);
}

static int read_operator(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    (void)into;
    return read_one_of(v, at, "Equal Exists", e);
}

static int read_effect(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    (void)into;
    return read_one_of(v, at, "NoSchedule PreferNoSchedule NoExecute", e);
}

static int read_seconds(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t seconds;

    (void)into;
    return json_whole(v, at, INT64_MIN, INT64_MAX, &seconds, e);
}

static int read_toleration_key(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *s;

    (void)into;
    if (json_string(v, at, &s, e))
        return -1;
    return kube_name_is_key(s) ? 0 : json_fault(e, at, "'%s' cannot be a key", s);
}

static int read_toleration_value(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *s;

    (void)into;
    return json_string(v, at, &s, e);
}

static const struct json_member toleration_members[] = {
    {"key", read_toleration_key, 0, false},        {"operator", read_operator, 0, false},
    {"value", read_toleration_value, 0, false},    {"effect", read_effect, 0, false},
    {"tolerationSeconds", read_seconds, 0, false},
};

static int read_tolerations(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct json_path below = {at, NULL, 0};

    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list of tolerations");
    for (const cJSON *item = v->child; item; item = item->next, below.index++)
        if (json_object(item, &below, toleration_members,
                        sizeof toleration_members / sizeof *toleration_members, NULL, e))
            return -1;
    *(char **)into = json_print(v);
    return 0;
}

static const struct json_member secret_members[] = {
    {"name", read_subdomain, offsetof(struct kube_backend, redis_secret), true},
    {"key", read_data_key, offsetof(struct kube_backend, redis_secret_key), true},
};

static int read_secret(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_object(v, at, secret_members, sizeof secret_members / sizeof *secret_members, into, e);
}

#define AT(member) offsetof(struct kube_backend, member)

static const struct json_member members[] = {
    {"type", NULL, 0, true},
    {"image", read_image, AT(image), false},
    {"namespace", read_namespace, AT(namespace), false},
    {"service_account", read_subdomain, AT(service_account), false},
    {"run_cpu", quantity_read_cpu, AT(run_cpu), false},
    {"run_memory", quantity_read_memory, AT(run_memory), false},
    {"worker_cpu", quantity_read_cpu, AT(worker_cpu), false},
    {"worker_memory", quantity_read_memory, AT(worker_memory), false},
    {"step_service_account", read_subdomain, AT(step_service_account), false},
    {"redis_secret", read_secret, 0, false},
    {"image_pull_secrets", read_words, AT(image_pull_secrets), false},
    {"labels", read_labels, AT(labels), false},
    {"annotations", read_annotations, AT(annotations), false},
    {"node_selector", read_node_selector, AT(node_selector), false},
    {"tolerations", read_tolerations, AT(tolerations), false},
    {"priority_class", read_subdomain, AT(priority_class), false},
    {"run_as_user", read_user, AT(run_as_user), false},
    {"pod_pending_timeout", read_ms, AT(pod_pending_timeout_ms), false},
    {"ttl_after_finished", read_ttl, AT(ttl_after_finished_ms), false},
};

int kube_backend_read(const cJSON *v, const struct json_path *at, struct kube_backend *b, struct err *e)
{
    *b = (struct kube_backend){
        .service_account = xstrdup("rivers-executor"),
        .run_cpu = xstrdup("500m"),
        .run_memory = xstrdup("512Mi"),
        .worker_cpu = xstrdup("500m"),
        .worker_memory = xstrdup("512Mi"),
        .pod_pending_timeout_ms = 600000,
        .ttl_after_finished_ms = 3600000,
    };
    return json_object(v, at, members, sizeof members / sizeof *members, b, e);
}

int kube_backend_parse(struct kube_backend *b, const char *run_backend, struct err *e)
{
    const struct json_path at = {NULL, "run_backend", 0};
    cJSON *v = json_parse(run_backend, strlen(run_backend), 0, e);

    *b = (struct kube_backend){0};
    if (!v)
        return json_place(e, &at);
    int failed = kube_backend_read(v, &at, b, e);
    cJSON_Delete(v);
    return failed;
}

int kube_backend_find_image(struct kube_backend *b, struct err *e)
{
    const char *image = getenv("RIVERS_IMAGE");

    if (b->image)
        return 0;
    if (!image || !*image)
        return err_set(e, ERR_INVALID, "run_backend.image is not given, and RIVERS_IMAGE is not set either");
    b->image = xstrdup(image);
    return 0;
}

static void pairs_release(struct kube_pairs *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].key);
        free(p->items[i].value);
    }
    free(p->items);
}

void kube_backend_release(struct kube_backend *b)
{
    char *owned[] = {b->image,
                     b->namespace,
                     b->service_account,
                     b->run_cpu,
                     b->run_memory,
                     b->worker_cpu,
                     b->worker_memory,
                     b->redis_secret,
                     b->redis_secret_key,
                     b->priority_class,
                     b->step_service_account,
                     b->tolerations};

    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    for (size_t i = 0; i < b->image_pull_secrets.n; i++)
        free(b->image_pull_secrets.items[i]);
    free(b->image_pull_secrets.items);
    pairs_release(&b->labels);
    pairs_release(&b->annotations);
    pairs_release(&b->node_selector);
    *b = (struct kube_backend){0};
}
