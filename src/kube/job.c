#include "kube/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"

#define RUN_GRACE_SECONDS                                                                                    \
    60 /* an executor that is told to end gives its steps 10 s and waits for their pods */

/* What a run and a step differ in. */
struct pod {
    const struct job_site *site;
    const struct job_run *run;
    const char *component, *image, *cpu, *memory, *service_account;
    bool token_mounted;
    int64_t gpu, grace_seconds;
    const struct step *step; /* NULL: the executor of a run */
    int64_t step_attempt;
    const char *const *argv;
    char *const *vars;
    const char *config; /* of a run */
};

static void put_number_string(struct text *t, const char *key, int64_t n)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRId64, n);
    json_put_string_member(t, key, number);
}

static void open_member(struct text *t, const char *key, char bracket)
{
    json_put_key(t, key);
    json_put_open(t, bracket);
}

static void put_bool_member(struct text *t, const char *key, bool truth)
{
    json_put_key(t, key);
    json_put_bool(t, truth);
}

static void put_whole_member(struct text *t, const char *key, int64_t n)
{
    json_put_key(t, key);
    json_put_whole(t, n);
}

static void put_pairs(struct text *t, const struct kube_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        json_put_string_member(t, pairs->items[i].key, pairs->items[i].value);
}

/* --- metadata --- */

static void put_label(struct text *t, const char *key, const char *value)
{
    job_name label;

    job_label_make(label, value);
    json_put_string_member(t, key, label);
}

static void put_labels(struct text *t, const struct pod *p)
{
    open_member(t, "labels", '{');
    put_pairs(t, &p->site->backend->labels);
    json_put_string_member(t, "app.kubernetes.io/name", "rivers");
    json_put_string_member(t, "app.kubernetes.io/managed-by", "rivers");
    put_label(t, JOB_LABEL_INSTALLATION, p->site->installation);
    json_put_string_member(t, JOB_LABEL_COMPONENT, p->component);
    put_label(t, JOB_LABEL_NAMESPACE, p->site->namespace);
    put_label(t, JOB_LABEL_RUN, p->run->run);
    json_put_close(t, '}');
}

/* hash: NULL for a pod. */
static void put_annotations(struct text *t, const struct pod *p, const char *hash)
{
    open_member(t, "annotations", '{');
    put_pairs(t, &p->site->backend->annotations);
    json_put_string_member(t, JOB_NOTE_NAMESPACE, p->site->namespace);
    json_put_string_member(t, JOB_NOTE_RUN, p->run->run);
    put_number_string(t, JOB_NOTE_ATTEMPT, p->run->attempt);
    put_number_string(t, JOB_NOTE_TOKEN, p->run->token);
    if (p->step) {
        json_put_string_member(t, JOB_NOTE_STEP, p->step->name);
        put_number_string(t, JOB_NOTE_STEP_ATTEMPT, p->step_attempt);
    }
    json_put_string_member(t, JOB_NOTE_HASH, hash);
    json_put_close(t, '}');
}

/* --- the container --- */

/* Kubernetes replaces $(NAME) in commands and values, and $$ by $: both are written so that they stay as they are. */
static void put_literal(struct text *t, const char *s)
{
    struct text escaped = {0};

    for (; *s; s++) {
        if (*s == '$' && (s[1] == '$' || s[1] == '('))
            text_add(&escaped, "$");
        text_add_bytes(&escaped, s, 1);
    }
    json_put_string(t, text_get(&escaped));
    text_release(&escaped);
}

static void put_variable(struct text *t, const char *name, const char *value)
{
    json_put_open(t, '{');
    json_put_string_member(t, "name", name);
    json_put_key(t, "value");
    put_literal(t, value);
    json_put_close(t, '}');
}

static void put_redis_url(struct text *t, const struct job_site *site)
{
    const struct kube_backend *b = site->backend;

    if (!b->redis_secret) {
        put_variable(t, "RIVERS_REDIS_URL", site->redis_url);
        return;
    }
    json_put_open(t, '{');
    json_put_string_member(t, "name", "RIVERS_REDIS_URL");
    open_member(t, "valueFrom", '{');
    open_member(t, "secretKeyRef", '{');
    json_put_string_member(t, "name", b->redis_secret);
    json_put_string_member(t, "key", b->redis_secret_key);
    json_put_close(t, '}');
    json_put_close(t, '}');
    json_put_close(t, '}');
}

static void put_variables_of_run(struct text *t, const struct pod *p)
{
    char token[24];

    snprintf(token, sizeof token, "%" PRId64, p->run->token);
    put_redis_url(t, p->site);
    put_variable(t, "RIVERS_TOKEN", token);
    put_variable(t, "RIVERS_NAMESPACE", p->site->namespace);
    put_variable(t, "RIVERS_INSTALLATION", p->site->installation);
    put_variable(t, "RIVERS_IMAGE", p->image);
    put_variable(t, "RIVERS_RUN_BACKEND", p->config);
}

static void put_environment(struct text *t, const struct pod *p)
{
    open_member(t, "env", '[');
    if (!p->step)
        put_variables_of_run(t, p);
    for (char *const *var = p->vars; var && *var; var++) {
        char *name = xstrdup(*var), *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        put_variable(t, name, value ? value : "");
        free(name);
    }
    json_put_close(t, ']');
}

static void put_command(struct text *t, const char *const *argv)
{
    open_member(t, "command", '[');
    while (*argv)
        put_literal(t, *argv++);
    json_put_close(t, ']');
}

static void put_resources(struct text *t, const struct pod *p)
{
    open_member(t, "resources", '{');
    open_member(t, "requests", '{');
    json_put_string_member(t, "cpu", p->cpu);
    json_put_string_member(t, "memory", p->memory);
    json_put_close(t, '}');
    open_member(t, "limits", '{');
    json_put_string_member(t, "memory", p->memory);
    if (p->gpu)
        put_number_string(t, "nvidia.com/gpu", p->gpu);
    json_put_close(t, '}');
    json_put_close(t, '}');
}

static void put_container(struct text *t, const struct pod *p)
{
    json_put_open(t, '{');
    json_put_string_member(t, "name", JOB_CONTAINER);
    json_put_string_member(t, "image", p->image);
    put_command(t, p->argv);
    if (p->step)
        json_put_string_member(t, "workingDir", p->step->cwd);
    put_environment(t, p);
    put_resources(t, p);
    json_put_string_member(t, "terminationMessagePolicy", "FallbackToLogsOnError");
    open_member(t, "securityContext", '{');
    put_bool_member(t, "allowPrivilegeEscalation", false);
    json_put_key(t, "capabilities");
    text_add(t, "{\"drop\":[\"ALL\"]}");
    json_put_close(t, '}');
    json_put_close(t, '}');
}

/* --- the pod and the Job --- */

static void put_pull_secrets(struct text *t, const struct kube_words *secrets)
{
    if (!secrets->n)
        return;
    open_member(t, "imagePullSecrets", '[');
    for (size_t i = 0; i < secrets->n; i++) {
        json_put_open(t, '{');
        json_put_string_member(t, "name", secrets->items[i]);
        json_put_close(t, '}');
    }
    json_put_close(t, ']');
}

static void put_placement(struct text *t, const struct kube_backend *b)
{
    if (b->node_selector.n) {
        open_member(t, "nodeSelector", '{');
        put_pairs(t, &b->node_selector);
        json_put_close(t, '}');
    }
    if (b->tolerations) {
        json_put_key(t, "tolerations");
        text_add(t, b->tolerations);
    }
    json_put_string_member(t, "priorityClassName", b->priority_class);
}

static void put_pod_spec(struct text *t, const struct pod *p)
{
    open_member(t, "spec", '{');
    json_put_string_member(t, "restartPolicy", "Never");
    json_put_string_member(t, "serviceAccountName", p->service_account);
    put_bool_member(t, "automountServiceAccountToken", p->token_mounted);
    put_bool_member(t, "enableServiceLinks", false);
    put_whole_member(t, "terminationGracePeriodSeconds", p->grace_seconds);
    open_member(t, "securityContext", '{');
    put_bool_member(t, "runAsNonRoot", true);
    if (p->site->backend->run_as_user)
        put_whole_member(t, "runAsUser", p->site->backend->run_as_user);
    json_put_key(t, "seccompProfile");
    text_add(t, "{\"type\":\"RuntimeDefault\"}");
    json_put_close(t, '}');
    put_pull_secrets(t, &p->site->backend->image_pull_secrets);
    put_placement(t, p->site->backend);
    open_member(t, "containers", '[');
    put_container(t, p);
    json_put_close(t, ']');
    json_put_close(t, '}');
}

/* No second try by Kubernetes, and no second pod while the first may still run: rivers itself retries. */
static void put_job_spec(struct text *t, const struct pod *p)
{
    open_member(t, "spec", '{');
    put_whole_member(t, "backoffLimit", 0);
    json_put_string_member(t, "podReplacementPolicy", "Failed");
    put_whole_member(t, "ttlSecondsAfterFinished", (p->site->backend->ttl_after_finished_ms + 999) / 1000);
    open_member(t, "template", '{');
    open_member(t, "metadata", '{');
    put_labels(t, p);
    put_annotations(t, p, NULL);
    json_put_close(t, '}');
    put_pod_spec(t, p);
    json_put_close(t, '}');
    json_put_close(t, '}');
}

static void put_job(struct text *t, const struct pod *p, const char *name, const char *hash)
{
    json_put_open(t, '{');
    json_put_string_member(t, "apiVersion", "batch/v1");
    json_put_string_member(t, "kind", "Job");
    open_member(t, "metadata", '{');
    json_put_string_member(t, "name", name);
    put_labels(t, p);
    put_annotations(t, p, hash);
    json_put_close(t, '}');
    put_job_spec(t, p);
    json_put_close(t, '}');
}

/* The hash is of the Job without it. */
static void make(struct job *j, const struct pod *p)
{
    struct text t = {0};

    job_name_make(j->name, p->run->run, p->run->attempt, p->step ? p->step->name : NULL, p->step_attempt);
    put_job(&t, p, j->name, NULL);
    job_hash_make(j->hash, t.s, t.len);
    text_clear(&t);
    put_job(&t, p, j->name, j->hash);
    j->text = t.s;
}

void job_make_run(struct job *j, const struct job_site *site, const struct job_run *run, const char *config)
{
    const struct kube_backend *b = site->backend;
    const char *const argv[] = {"rivers", "execute", run->run, NULL};

    make(j, &(struct pod){
                .site = site,
                .run = run,
                .component = "run",
                .image = b->image,
                .cpu = b->run_cpu,
                .memory = b->run_memory,
                .service_account = b->service_account,
                .token_mounted = true,
                .grace_seconds = RUN_GRACE_SECONDS,
                .argv = argv,
                .config = config,
            });
}

void job_make_step(struct job *j, const struct job_site *site, const struct job_run *run,
                   const struct step *step, int64_t attempt, char *const *vars)
{
    const struct kube_backend *b = site->backend;
    const struct resources *r = &step->resources;

    make(j, &(struct pod){
                .site = site,
                .run = run,
                .component = "step",
                .image = step->image ? step->image : b->image,
                .cpu = r->cpu ? r->cpu : b->worker_cpu,
                .memory = r->memory ? r->memory : b->worker_memory,
                .gpu = r->gpu,
                .service_account = b->step_service_account,
                .token_mounted = b->step_service_account,
                .grace_seconds = (step->grace_ms + 999) / 1000,
                .step = step,
                .step_attempt = attempt,
                .argv = (const char *const *)step->argv,
                .vars = vars,
            });
}

void job_release(struct job *j)
{
    free(j->text);
    j->text = NULL;
}

bool job_is_same(const struct job *j, const cJSON *object)
{
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const cJSON *annotations = cJSON_GetObjectItemCaseSensitive(metadata, "annotations");
    const char *hash = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(annotations, JOB_NOTE_HASH));

    return hash && strcmp(hash, j->hash) == 0;
}

const cJSON *job_condition_get(const cJSON *object, const char *type)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(object, "status"), *c;

    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(status, "conditions"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(c, "type"));
        const char *holds = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(c, "status"));
        if (name && holds && strcmp(name, type) == 0 && strcmp(holds, "True") == 0)
            return c;
    }
    return NULL;
}

char *job_selector(const struct job_site *site, const char *run)
{
    job_name installation, namespace, id;

    job_label_make(installation, site->installation);
    job_label_make(namespace, site->namespace);
    job_label_make(id, run ? run : "");
    return xasprintf("app.kubernetes.io/managed-by=rivers," JOB_LABEL_INSTALLATION "=%s," JOB_LABEL_NAMESPACE
                     "=%s%s%s",
                     installation, namespace, run ? "," JOB_LABEL_RUN "=" : "", id);
}
