#include "support/kube_job.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

#define SUBDOMAIN                                                                                            \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "    \
    "must start "                                                                                            \
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "              \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LABEL                                                                                                \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "  \
    "and end "                                                                                               \
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "           \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define LABEL_VALUE                                                                                          \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "     \
    "must start "                                                                                            \
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "   \
    "validation "                                                                                            \
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define ENV_NAME                                                                                             \
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "    \
    "and must not "                                                                                          \
    "start with a digit"
#define QUANTITY "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/* Begins and ends with a lower case letter or digit, in each part between dots (none allowed unless dots). */
static bool dns_name(const char *s, bool dots, size_t max)
{
    bool edge = true; /* a letter or digit must come */

    if (strlen(s) > max)
        return false;
    for (; *s; s++) {
        bool plain = islower((unsigned char)*s) || isdigit((unsigned char)*s);
        if (!plain && (edge || !(*s == '-' || (dots && *s == '.' && s[-1] != '-'))))
            return false;
        edge = !plain && *s == '.';
        if (*s == '-' && (s[1] == '\0' || s[1] == '.'))
            return false;
    }
    return !edge;
}

/* What label values and the names of labels and annotations share. */
static bool qualified(const char *s, size_t n)
{
    if (n == 0 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
            return false;
    return true;
}

static void check_key(struct kube_causes *c, const char *field, const char *key)
{
    const char *slash = strchr(key, '/');
    const char *name = slash ? slash + 1 : key;
    char *prefix = slash ? xmemdup(key, (size_t)(slash - key)) : NULL;

    if (prefix && !dns_name(prefix, true, 253))
        kube_cause_invalid(c, field, key, "prefix part " SUBDOMAIN);
    if (strlen(name) > 63)
        kube_cause_invalid(c, field, key, "name part must be no more than 63 characters");
    else if (!qualified(name, strlen(name)))
        kube_cause_invalid(c, field, key,
                           "name part must consist of alphanumeric characters, '-', '_' or '.'");
    free(prefix);
}

static void check_labels(struct kube_causes *c, const char *field, const cJSON *labels)
{
    const cJSON *l;

    for (l = kube_first(labels); l; l = l->next) {
        const char *value = cJSON_GetStringValue(l);
        check_key(c, field, l->string);
        if (!value || strlen(value) > 63)
            kube_cause_invalid(c, field, value ? value : "", "must be no more than 63 characters");
        else if (*value && !qualified(value, strlen(value)))
            kube_cause_invalid(c, field, value, LABEL_VALUE);
    }
}

void kube_check_metadata(struct kube_causes *c, const cJSON *object)
{
    const char *name = kube_text_at(object, "metadata.name");
    const cJSON *a;

    if (!name && !kube_text_at(object, "metadata.generateName"))
        kube_cause(c, "FieldValueRequired", "metadata.name",
                   "Required value: name or generateName is required");
    else if (name && !dns_name(name, true, 253))
        kube_cause_invalid(c, "metadata.name", name, SUBDOMAIN);
    check_labels(c, "metadata.labels", kube_at(object, "metadata.labels"));
    for (a = kube_first(kube_at(object, "metadata.annotations")); a; a = a->next)
        check_key(c, "metadata.annotations", a->string);
}

static void check_not_negative(struct kube_causes *c, const cJSON *job, const char *path)
{
    int64_t n = kube_whole_at(job, path, 0);

    if (n < 0)
        kube_cause(c, "FieldValueInvalid", path, "Invalid value: %lld: must be greater than or equal to 0",
                   (long long)n);
}

/* The value of a quantity, in thousandths; -1 when it is none. */
static double quantity(const cJSON *v)
{
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {{"", 1},
                 {"m", 1e-3},
                 {"k", 1e3},
                 {"M", 1e6},
                 {"G", 1e9},
                 {"T", 1e12},
                 {"P", 1e15},
                 {"Ki", 1024},
                 {"Mi", 1024. * 1024},
                 {"Gi", 1024. * 1024 * 1024},
                 {"Ti", 1024. * 1024 * 1024 * 1024}};
    char *end;

    if (cJSON_IsNumber(v))
        return v->valuedouble * 1000;
    if (!cJSON_IsString(v) || !strchr("+-.0123456789", *v->valuestring))
        return -1;
    double n = strtod(v->valuestring, &end);
    for (size_t i = 0; end != v->valuestring && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].suffix) == 0)
            return n * units[i].factor * 1000;
    return -1;
}

static void check_quantities(struct kube_causes *c, const char *field, const cJSON *resources,
                             const char *which)
{
    char path[256];
    const cJSON *q;

    for (q = kube_first(cJSON_GetObjectItem(resources, which)); q; q = q->next) {
        const cJSON *limit =
            cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItem(resources, "limits"), q->string);
        snprintf(path, sizeof path, "%s.resources.%s[%s]", field, which, q->string);
        if (quantity(q) < 0)
            kube_cause_invalid(c, path, cJSON_IsString(q) ? q->valuestring : "", QUANTITY);
        else if (strcmp(which, "requests") == 0 && limit && quantity(limit) < quantity(q))
            kube_cause(c, "FieldValueInvalid", path,
                       "Invalid value: \"%s\": must be less than or equal to %s limit",
                       q->valuestring ? q->valuestring : "", q->string);
    }
}

static void check_env(struct kube_causes *c, const char *field, const cJSON *env)
{
    char path[256];
    const cJSON *v;
    int i = 0;

    for (v = kube_first(env); v; v = v->next) {
        const char *name = kube_text_at(v, "name");
        snprintf(path, sizeof path, "%s.env[%d].name", field, i++);
        if (!name || !*name)
            kube_cause(c, "FieldValueRequired", path, "Required value");
        else if (isdigit((unsigned char)*name) ||
                 name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-.")])
            kube_cause_invalid(c, path, name, ENV_NAME);
        if (cJSON_HasObjectItem(v, "valueFrom") && kube_text_at(v, "value") && *kube_text_at(v, "value"))
            kube_cause_invalid(c, path, name ? name : "", "may not be specified when `value` is not empty");
    }
}

static void check_container(struct kube_causes *c, const char *field, const cJSON *container)
{
    const char *name = kube_text_at(container, "name");
    const char *image = kube_text_at(container, "image");
    char path[256];

    snprintf(path, sizeof path, "%s.name", field);
    if (!name || !*name)
        kube_cause(c, "FieldValueRequired", path, "Required value");
    else if (!dns_name(name, false, 63))
        kube_cause_invalid(c, path, name, LABEL);
    snprintf(path, sizeof path, "%s.image", field);
    if (!image || !*image)
        kube_cause(c, "FieldValueRequired", path, "Required value");
    check_env(c, field, cJSON_GetObjectItem(container, "env"));
    check_quantities(c, field, cJSON_GetObjectItem(container, "resources"), "limits");
    check_quantities(c, field, cJSON_GetObjectItem(container, "resources"), "requests");
}

static void check_pod(struct kube_causes *c, const cJSON *spec)
{
    const cJSON *containers = cJSON_GetObjectItem(spec, "containers");
    const char *restart = kube_text_at(spec, "restartPolicy");
    const cJSON *one;
    char path[128];
    int i = 0;

    if (cJSON_GetArraySize(containers) == 0)
        kube_cause(c, "FieldValueRequired", "spec.template.spec.containers", "Required value");
    for (one = kube_first(containers); one; one = one->next) {
        snprintf(path, sizeof path, "spec.template.spec.containers[%d]", i++);
        check_container(c, path, one);
    }
    if (!restart || (strcmp(restart, "Never") != 0 && strcmp(restart, "OnFailure") != 0))
        kube_cause(c, "FieldValueNotSupported", "spec.template.spec.restartPolicy",
                   "Unsupported value: \"%s\": supported values: \"OnFailure\", \"Never\"",
                   restart ? restart : "Always");
}

cJSON *kube_job_malformed(const struct kube_schema *s, cJSON *job, bool drop_unknown)
{
    struct kube_violation v = kube_schema_check(s, job, drop_unknown);
    const char *name = kube_text_at(job, "metadata.name");
    struct kube_causes c = {0};

    switch (v.fault) {
    case KUBE_FINE:
        return NULL;
    case KUBE_WRONG_TYPE:
        return kube_status(400, "BadRequest", NULL,
                           "Job in version \"v1\" cannot be handled as a Job: %s: must be %s", v.path,
                           v.want);
    case KUBE_UNKNOWN_FIELD:
        kube_cause_invalid(&c, v.path, v.path, "unknown field");
        break;
    case KUBE_MISSING:
        kube_cause(&c, "FieldValueRequired", v.path, "Required value");
        break;
    }
    return kube_invalid(&c, &kube_jobs, name ? name : "");
}

cJSON *kube_job_invalid(const cJSON *job)
{
    static const char *const counts[] = {"spec.parallelism", "spec.completions", "spec.backoffLimit",
                                         "spec.activeDeadlineSeconds", "spec.ttlSecondsAfterFinished"};
    const char *name = kube_text_at(job, "metadata.name");
    struct kube_causes c = {0};

    kube_check_metadata(&c, job);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_not_negative(&c, job, counts[i]);
    check_labels(&c, "spec.template.labels", kube_at(job, "spec.template.metadata.labels"));
    check_pod(&c, kube_at(job, "spec.template.spec"));
    return kube_invalid(&c, &kube_jobs, name ? name : "");
}

static void complete_container(cJSON *container)
{
    const char *image = kube_text_at(container, "image");
    const char *tag = image ? strrchr(image, ':') : NULL;
    bool latest = !tag || strchr(tag, '/') || strcmp(tag, ":latest") == 0;

    kube_put_default(container, "resources", cJSON_CreateObject());
    kube_put_default(container, "terminationMessagePath", cJSON_CreateString("/dev/termination-log"));
    kube_put_default(container, "terminationMessagePolicy", cJSON_CreateString("File"));
    kube_put_default(container, "imagePullPolicy", cJSON_CreateString(latest ? "Always" : "IfNotPresent"));
}

static void complete_pod(cJSON *spec)
{
    cJSON *container;

    for (container = kube_first(cJSON_GetObjectItem(spec, "containers")); container;
         container = container->next)
        complete_container(container);
    kube_put_default(spec, "terminationGracePeriodSeconds", cJSON_CreateNumber(30));
    kube_put_default(spec, "dnsPolicy", cJSON_CreateString("ClusterFirst"));
    kube_put_default(spec, "securityContext", cJSON_CreateObject());
    kube_put_default(spec, "schedulerName", cJSON_CreateString("default-scheduler"));
}

void kube_job_complete(cJSON *job)
{
    const char *uid = kube_text_at(job, "metadata.uid");
    cJSON *labels = kube_at(job, "spec.template.metadata.labels");
    cJSON *copy = labels ? cJSON_Duplicate(labels, 1) : cJSON_CreateObject();

    kube_put(copy, "controller-uid", cJSON_CreateString(uid));
    kube_put(copy, "job-name", cJSON_CreateString(kube_text_at(job, "metadata.name")));
    kube_put_default(job, "metadata.labels", cJSON_Duplicate(copy, 1));
    kube_put(job, "spec.template.metadata.labels", copy);
    kube_put(job, "spec.template.metadata.creationTimestamp", cJSON_CreateNull());
    kube_put_default(job, "spec.selector", kube_json("{'matchLabels':{'controller-uid':%s}}", uid));
    kube_put_default(job, "spec.parallelism", cJSON_CreateNumber(1));
    kube_put_default(job, "spec.completions", cJSON_CreateNumber(1));
    kube_put_default(job, "spec.backoffLimit", cJSON_CreateNumber(6));
    complete_pod(kube_at(job, "spec.template.spec"));
    kube_put(job, "status", cJSON_CreateObject());
}

static bool same_at(const cJSON *a, const cJSON *b, const char *path)
{
    return cJSON_Compare(kube_at(a, path), kube_at(b, path), 1);
}

cJSON *kube_job_immutable(const cJSON *old, const cJSON *job)
{
    struct kube_causes c = {0};

    if (!kube_at(job, "spec.selector"))
        kube_cause(&c, "FieldValueRequired", "spec.selector", "Required value");
    if (!kube_text_at(job, "spec.template.metadata.labels.controller-uid"))
        kube_cause(&c, "FieldValueInvalid", "spec.template.metadata.labels",
                   "Invalid value: `selector` does not match template `labels`");
    if (!same_at(old, job, "spec.selector"))
        kube_cause(&c, "FieldValueInvalid", "spec.selector", "Invalid value: \"null\": field is immutable");
    if (!same_at(old, job, "spec.template"))
        kube_cause(&c, "FieldValueInvalid", "spec.template",
                   "Invalid value: core.PodTemplateSpec{...}: field is immutable");
    return kube_invalid(&c, &kube_jobs, kube_text_at(old, "metadata.name"));
}

static bool has_resources(const cJSON *spec)
{
    const cJSON *container;

    for (container = kube_first(cJSON_GetObjectItem(spec, "containers")); container;
         container = container->next)
        if (kube_at(container, "resources")->child)
            return true;
    return false;
}

/* What admission adds: waits five minutes on a node that does not answer. */
static cJSON *node_toleration(const char *key)
{
    return kube_json("{'key':%s,'operator':'Exists','effect':'NoExecute','tolerationSeconds':300}", key);
}

cJSON *kube_job_pod(const struct kube_object *job)
{
    cJSON *pod = cJSON_Duplicate(kube_at(job->json, "spec.template"), 1);
    cJSON *spec = cJSON_GetObjectItem(pod, "spec");
    char *prefix = xasprintf("%s-", job->name);

    kube_put_text(pod, "metadata.generateName", prefix);
    kube_put(pod, "metadata.ownerReferences",
             kube_json("[{'apiVersion':'batch/v1','kind':'Job','name':%s,'uid':%s,'controller':true,"
                       "'blockOwnerDeletion':true}]",
                       job->name, job->uid));
    kube_put_default(spec, "tolerations", cJSON_CreateArray());
    cJSON_AddItemToArray(cJSON_GetObjectItem(spec, "tolerations"),
                         node_toleration("node.kubernetes.io/not-ready"));
    cJSON_AddItemToArray(cJSON_GetObjectItem(spec, "tolerations"),
                         node_toleration("node.kubernetes.io/unreachable"));
    kube_put_default(spec, "priority", cJSON_CreateNumber(0));
    kube_put_default(spec, "enableServiceLinks", cJSON_CreateTrue());
    kube_put_default(spec, "preemptionPolicy", cJSON_CreateString("PreemptLowerPriority"));
    kube_put(
        pod, "status",
        kube_json("{'phase':'Pending','qosClass':%s}", has_resources(spec) ? "Burstable" : "BestEffort"));
    free(prefix);
    return pod;
}
