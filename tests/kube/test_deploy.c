/* deploy: what deploy/kubernetes/ says fits together, and with what rivers does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "core/config.h"
#include "core/kube_backend.h"
#include "kube/rights.h"
#include "kube/yaml.h"
#include "support/kube_json.h"

#define MANIFESTS "deploy/kubernetes/*.yaml"
#define BYTES_MAX ((size_t)1 << 20)

struct deploy {
    cJSON *objects; /* an array: all documents of all files */
    struct config config;
    struct kube_backend backend;
};

/* --- reading --- */

static char *read_text(const char *path)
{
    struct text t = {0};
    struct err e;

    if (file_read(&t, path, BYTES_MAX, &e) < 0)
        fail_msg("%s", e.msg);
    return t.s;
}

static void add_document(cJSON *objects, const char *path, const char *s, size_t n)
{
    struct err e;
    cJSON *object = yaml_parse(s, n, &e);

    if (!object)
        fail_msg("%s: %s", path, e.msg);
    cJSON_AddItemToArray(objects, object);
}

static void add_file(cJSON *objects, const char *path)
{
    char *text = read_text(path), *next;

    for (char *s = text; s; s = next) {
        char *end = strstr(s, "\n---\n");
        next = end ? end + 5 : NULL;
        add_document(objects, path, s, end ? (size_t)(end - s) : strlen(s));
    }
    free(text);
}

static const cJSON *find(const struct deploy *d, const char *kind, const char *name)
{
    const cJSON *object;

    cJSON_ArrayForEach(object, d->objects)
    {
        if (!strcmp(kube_text_at(object, "kind"), kind) &&
            !strcmp(kube_text_at(object, "metadata.name"), name))
            return object;
    }
    fail_msg("no %s '%s'", kind, name);
    return NULL;
}

static const char *setting(const struct deploy *d, const char *field)
{
    for (size_t i = 0; i < d->config.n; i++)
        if (!strcmp(d->config.items[i].field, field))
            return d->config.items[i].value;
    fail_msg("no setting '%s'", field);
    return NULL;
}

static int setup(void **state)
{
    struct deploy *d = xcalloc(1, sizeof *d);
    struct err e;
    glob_t files;

    assert_int_equal(glob(MANIFESTS, 0, NULL, &files), 0);
    d->objects = cJSON_CreateArray();
    for (size_t i = 0; i < files.gl_pathc; i++)
        add_file(d->objects, files.gl_pathv[i]);
    globfree(&files);
    const char *json = cJSON_GetStringValue(
        cJSON_GetObjectItem(kube_at(find(d, "ConfigMap", "rivers-config"), "data"), "rivers.json"));
    if (config_parse(&d->config, json, strlen(json), &e) < 0 ||
        kube_backend_parse(&d->backend, setting(d, "run_backend"), &e) < 0)
        fail_msg("rivers.json: %s", e.msg);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct deploy *d = *state;

    kube_backend_release(&d->backend);
    config_release(&d->config);
    cJSON_Delete(d->objects);
    free(d);
    return 0;
}

/* --- what must hold --- */

static void every_object_is_in_the_namespace(void **state)
{
    const struct deploy *d = *state;
    const char *namespace = kube_text_at(find(d, "Namespace", "rivers"), "metadata.name");
    const cJSON *object;

    cJSON_ArrayForEach(object, d->objects)
    {
        assert_non_null(kube_text_at(object, "apiVersion"));
        assert_non_null(kube_text_at(object, "metadata.name"));
        if (strcmp(kube_text_at(object, "kind"), "Namespace") != 0)
            assert_string_equal(kube_text_at(object, "metadata.namespace"), namespace);
    }
}

static bool list_has(const cJSON *list, const char *word)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (!strcmp(cJSON_GetStringValue(item), word))
            return true;
    }
    return false;
}

static bool role_allows(const cJSON *role, const struct right *r)
{
    const cJSON *rule;

    cJSON_ArrayForEach(rule, kube_at(role, "rules"))
    {
        if (list_has(kube_at(rule, "apiGroups"), r->group) &&
            list_has(kube_at(rule, "resources"), r->resource) && list_has(kube_at(rule, "verbs"), r->verb))
            return true;
    }
    return false;
}

static int role_size(const cJSON *role)
{
    const cJSON *rule;
    int n = 0;

    cJSON_ArrayForEach(rule, kube_at(role, "rules"))
    {
        n += cJSON_GetArraySize(kube_at(rule, "apiGroups")) * cJSON_GetArraySize(kube_at(rule, "resources")) *
             cJSON_GetArraySize(kube_at(rule, "verbs"));
    }
    return n;
}

/* Each right of the holder and none beyond, given to the service account of that name. */
static void check_role(const struct deploy *d, const char *name, unsigned holder)
{
    const cJSON *role = find(d, "Role", name), *binding = find(d, "RoleBinding", name);
    int n = 0;

    for (size_t i = 0; i < nrights; i++) {
        bool wanted = rights[i].holders & holder;
        if (role_allows(role, &rights[i]) != wanted)
            fail_msg("Role '%s': %s", name, right_print(&rights[i]));
        n += wanted;
    }
    assert_int_equal(role_size(role), n);
    find(d, "ServiceAccount", name);
    assert_string_equal(kube_text_at(binding, "roleRef.name"), name);
    assert_int_equal(cJSON_GetArraySize(kube_at(binding, "subjects")), 1);
    assert_string_equal(kube_text_at(binding, "subjects.0.name"), name);
    assert_string_equal(kube_text_at(binding, "subjects.0.namespace"),
                        kube_text_at(binding, "metadata.namespace"));
}

static void roles_allow_what_rivers_asks(void **state)
{
    const struct deploy *d = *state;

    check_role(
        d, kube_text_at(find(d, "Deployment", "rivers-dequeuer"), "spec.template.spec.serviceAccountName"),
        RIGHT_DEQUEUER);
    check_role(d, d->backend.service_account, RIGHT_EXECUTOR);
}

static const cJSON *variable(const cJSON *container, const char *name)
{
    const cJSON *var;

    cJSON_ArrayForEach(var, kube_at(container, "env"))
    {
        if (!strcmp(kube_text_at(var, "name"), name))
            return var;
    }
    fail_msg("no variable '%s'", name);
    return NULL;
}

static void dequeuers_and_runs_have_the_same_image_and_redis(void **state)
{
    const struct deploy *d = *state;
    const cJSON *secret = find(d, "Secret", d->backend.redis_secret);
    const cJSON *container =
        kube_at(find(d, "Deployment", "rivers-dequeuer"), "spec.template.spec.containers.0");
    const cJSON *url = variable(container, "RIVERS_REDIS_URL");

    assert_non_null(cJSON_GetObjectItem(kube_at(secret, "stringData"), d->backend.redis_secret_key));
    assert_string_equal(kube_text_at(url, "valueFrom.secretKeyRef.name"), d->backend.redis_secret);
    assert_string_equal(kube_text_at(url, "valueFrom.secretKeyRef.key"), d->backend.redis_secret_key);
    assert_null(d->backend.image);
    assert_string_equal(kube_text_at(variable(container, "RIVERS_IMAGE"), "value"),
                        kube_text_at(container, "image"));
}

static void selectors_find_the_dequeuers(void **state)
{
    const struct deploy *d = *state;
    const cJSON *deployment = find(d, "Deployment", "rivers-dequeuer");
    const cJSON *labels = kube_at(deployment, "spec.template.metadata.labels");
    const cJSON *spread = kube_at(deployment, "spec.template.spec.topologySpreadConstraints.0.labelSelector");
    const cJSON *budget = find(d, "PodDisruptionBudget", "rivers-dequeuer");

    assert_true(cJSON_Compare(kube_at(deployment, "spec.selector.matchLabels"), labels, true));
    assert_true(cJSON_Compare(kube_at(spread, "matchLabels"), labels, true));
    assert_true(cJSON_Compare(kube_at(budget, "spec.selector.matchLabels"), labels, true));
}

/* What pod-security.kubernetes.io/enforce: restricted asks. */
static void the_dequeuer_is_restricted(void **state)
{
    const struct deploy *d = *state;
    const cJSON *pod = kube_at(find(d, "Deployment", "rivers-dequeuer"), "spec.template.spec");

    assert_true(kube_true_at(pod, "securityContext.runAsNonRoot"));
    assert_string_equal(kube_text_at(pod, "securityContext.seccompProfile.type"), "RuntimeDefault");
    assert_true(cJSON_IsFalse(kube_at(pod, "containers.0.securityContext.allowPrivilegeEscalation")));
    assert_string_equal(kube_text_at(pod, "containers.0.securityContext.capabilities.drop.0"), "ALL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_object_is_in_the_namespace),
        cmocka_unit_test(roles_allow_what_rivers_asks),
        cmocka_unit_test(dequeuers_and_runs_have_the_same_image_and_redis),
        cmocka_unit_test(selectors_find_the_dequeuers),
        cmocka_unit_test(the_dequeuer_is_restricted),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
