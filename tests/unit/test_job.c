/* job: the objects that are sent, whole, and what must hold for all of them. */
#include "kube/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/mem.h"
#include "core/spec.h"
#include "unit/job_fields.h"

#define RUN "r1hq8k2c4t000ab3d"

#define FULL_BACKEND                                                                                         \
    "{\"type\": \"kubernetes\", \"image\": \"rivers:1\", \"redis_secret\": {\"name\": \"redis\", \"key\": "  \
    "\"url\"},"                                                                                              \
    "\"image_pull_secrets\": [\"pull\"], \"labels\": {\"team\": \"growth\"}, \"annotations\": {\"a/b\": "    \
    "\"c d\"},"                                                                                              \
    "\"node_selector\": {\"disk\": \"ssd\"}, \"tolerations\": [{\"key\": \"gpu\", \"operator\": "            \
    "\"Exists\"}],"                                                                                          \
    "\"priority_class\": \"batch\", \"step_service_account\": \"steps\", \"ttl_after_finished\": \"2h\", "   \
    "\"run_as_user\": 1000}"
#define FULL_SPEC                                                                                            \
    "{\"steps\": [{\"name\": \"Load\", \"command\": \"echo $DAY $$ $(date)\", \"cwd\": \"/data\", "          \
    "\"grace\": "                                                                                            \
    "\"1500ms\", \"image\": \"python:3\", \"resources\": {\"cpu\": \"2\", \"memory\": \"4Gi\", \"gpu\": "    \
    "1}}]}"

struct fixture {
    struct kube_backend backend;
    struct job_site site;
    struct job_run run;
    struct spec spec;
};

static char *const vars[] = {(char[]){"DAY=$(x)"}, (char[]){"EMPTY="}, (char[]){"A=b=c"}, NULL};

static void begin(struct fixture *f, const char *backend, const char *spec)
{
    struct err e = {0};

    if (kube_backend_parse(&f->backend, backend, &e) || spec_parse(&f->spec, spec, strlen(spec), &e))
        fail_msg("%s", e.msg);
    if (!f->backend.image)
        f->backend.image = xstrdup("rivers:0");
    f->site = (struct job_site){&f->backend, "prod/eu", "default", "redis://queue:6379"};
    f->run = (struct job_run){RUN, 2, 41};
}

static void end(struct fixture *f)
{
    kube_backend_release(&f->backend);
    spec_release(&f->spec);
}

#define LABELS(first, component)                                                                             \
    "\"labels\":{" first                                                                                     \
    "\"app.kubernetes.io/name\":\"rivers\",\"app.kubernetes.io/managed-by\":\"rivers\","                     \
    "\"app.kubernetes.io/instance\":\"prod-eu-190232906de42c3b\",\"app.kubernetes.io/"                       \
    "component\":\"" component "\",\"rivers.dev/namespace\":\"default\",\"rivers.dev/run-id\":\"" RUN "\"}"
#define NOTES                                                                                                \
    "\"rivers.dev/namespace\":\"default\",\"rivers.dev/run-id\":\"" RUN "\",\"rivers.dev/attempt\":\"2\","   \
    "\"rivers.dev/token\":\"41\""
#define HASH ",\"rivers.dev/spec-hash\":\"%s\""
#define POD_SECURITY(user)                                                                                   \
    "\"securityContext\":{\"runAsNonRoot\":true," user "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}"
#define CONTAINER_END                                                                                        \
    "\"terminationMessagePolicy\":\"FallbackToLogsOnError\",\"securityContext\":{"                           \
    "\"allowPrivilegeEscalation\":"                                                                          \
    "false,\"capabilities\":{\"drop\":[\"ALL\"]}}}]}}}}"

static void check_text(const struct job *j, const char *golden)
{
    char *text = xstrdup(golden), *hash = strstr(text, "%s");

    char *whole = xasprintf("%.*s%s%s", (int)(hash - text), text, j->hash, hash + 2);
    assert_string_equal(j->text, whole);
    free(whole);
    free(text);
}

static void the_job_of_a_run(void **state)
{
    struct fixture f;
    struct job j;

    (void)state;
    begin(&f, "{\"type\": \"kubernetes\"}", "{\"steps\": [{\"name\": \"a\", \"command\": \"x\"}]}");
    job_make_run(&j, &f.site, &f.run, "{\"type\": \"kubernetes\"}");
    assert_string_equal(j.name, RUN "-2");
    check_text(
        &j,
        "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"" RUN "-2\"," LABELS(
            "",
            "run") ",\"annotations\":{" NOTES HASH "}},"
                   "\"spec\":{\"backoffLimit\":0,\"podReplacementPolicy\":\"Failed\","
                   "\"ttlSecondsAfterFinished\":3600,"
                   "\"template\":{\"metadata\":{" LABELS(
                       "",
                       "run") ",\"annotations\":{" NOTES "}},"
                              "\"spec\":{\"restartPolicy\":\"Never\",\"serviceAccountName\":\"rivers-"
                              "executor\","
                              "\"automountServiceAccountToken\":true,\"enableServiceLinks\":false,"
                              "\"terminationGracePeriodSeconds\":60," POD_SECURITY(
                                  "") ",\"containers\":[{\"name\":\"main\","
                                      "\"image\":\"rivers:0\",\"command\":[\"rivers\",\"execute\",\"" RUN
                                      "\"],\"env\":["
                                      "{\"name\":\"RIVERS_REDIS_URL\",\"value\":\"redis://queue:6379\"},"
                                      "{\"name\":\"RIVERS_TOKEN\",\"value\":\"41\"},{\"name\":\"RIVERS_"
                                      "NAMESPACE\",\"value\":\"default\"},"
                                      "{\"name\":\"RIVERS_INSTALLATION\",\"value\":\"prod/eu\"},"
                                      "{\"name\":\"RIVERS_IMAGE\",\"value\":\"rivers:0\"},"
                                      "{\"name\":\"RIVERS_RUN_BACKEND\",\"value\":\"{\\\"type\\\": "
                                      "\\\"kubernetes\\\"}\"}],"
                                      "\"resources\":{\"requests\":{\"cpu\":\"500m\",\"memory\":\"512Mi\"},"
                                      "\"limits\":{\"memory\":\"512Mi\"}}," CONTAINER_END);
    job_release(&j);
    end(&f);
}

static void the_job_of_a_step(void **state)
{
    struct fixture f;
    struct job j;

    (void)state;
    begin(&f, FULL_BACKEND, FULL_SPEC);
    job_make_step(&j, &f.site, &f.run, &f.spec.steps[0], 3, vars);
    assert_string_equal(j.name, RUN "-2-load-3-11dbdea284948bcf");
    check_text(
        &j,
        "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"" RUN
        "-2-load-3-11dbdea284948bcf\"," LABELS(
            "\"team\":\"growth\",",
            "step") ",\"annotations\":{\"a/b\":\"c d\"," NOTES ",\"rivers.dev/step\":\"Load\","
                    "\"rivers.dev/step-attempt\":\"3\"" HASH "}},"
                    "\"spec\":{\"backoffLimit\":0,\"podReplacementPolicy\":\"Failed\","
                    "\"ttlSecondsAfterFinished\":7200,"
                    "\"template\":{\"metadata\":{" LABELS(
                        "\"team\":\"growth\",",
                        "step") ",\"annotations\":{\"a/b\":\"c d\"," NOTES ",\"rivers.dev/step\":\"Load\","
                                "\"rivers.dev/step-attempt\":\"3\"}},"
                                "\"spec\":{\"restartPolicy\":\"Never\",\"serviceAccountName\":\"steps\","
                                "\"automountServiceAccountToken\":true,\"enableServiceLinks\":false,"
                                "\"terminationGracePeriodSeconds\":2," POD_SECURITY(
                                    "\"runAsUser\":1000,") ",\"imagePullSecrets\":[{\"name\":\"pull\"}],"
                                                           "\"nodeSelector\":{\"disk\":\"ssd\"},"
                                                           "\"tolerations\":[{\"key\":\"gpu\","
                                                           "\"operator\":\"Exists\"}],"
                                                           "\"priorityClassName\":\"batch\",\"containers\":[{"
                                                           "\"name\":\"main\","
                                                           "\"image\":\"python:3\","
                                                           "\"command\":[\"sh\",\"-c\",\"echo $DAY $$$ "
                                                           "$$(date)\"],\"workingDir\":\"/data\",\"env\":["
                                                           "{\"name\":\"DAY\",\"value\":\"$$(x)\"},{\"name\":"
                                                           "\"EMPTY\",\"value\":\"\"},"
                                                           "{\"name\":\"A\",\"value\":\"b=c\"}],"
                                                           "\"resources\":{\"requests\":{\"cpu\":\"2\","
                                                           "\"memory\":\"4Gi\"},"
                                                           "\"limits\":{\"memory\":\"4Gi\",\"nvidia.com/"
                                                           "gpu\":\"1\"}}," CONTAINER_END);
    job_release(&j);
    end(&f);
}

/* A URL that may hold a password stays in its Secret, which steps do not get; a step has no token of the cluster unless that was asked for. */
static void what_is_secret_is_not_in_it(void **state)
{
    struct fixture f;
    struct job run, step;

    (void)state;
    begin(&f, "{\"type\": \"kubernetes\", \"redis_secret\": {\"name\": \"redis\", \"key\": \"url\"}}",
          FULL_SPEC);
    job_make_run(&run, &f.site, &f.run, "{}");
    job_make_step(&step, &f.site, &f.run, &f.spec.steps[0], 1, vars);
    assert_null(strstr(run.text, "redis://"));
    assert_non_null(
        strstr(run.text, "{\"name\":\"RIVERS_REDIS_URL\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"redis\","
                         "\"key\":\"url\"}}}"));
    assert_null(strstr(step.text, "RIVERS_REDIS_URL"));
    assert_non_null(strstr(step.text, "\"automountServiceAccountToken\":false"));
    assert_null(strstr(step.text, "serviceAccountName"));
    job_release(&run);
    job_release(&step);
    end(&f);
}

static void equal_attempts_are_equal_and_no_others(void **state)
{
    struct fixture f;
    struct job first, second, other;

    (void)state;
    begin(&f, FULL_BACKEND, FULL_SPEC);
    job_make_step(&first, &f.site, &f.run, &f.spec.steps[0], 1, vars);
    job_make_step(&second, &f.site, &f.run, &f.spec.steps[0], 1, vars);
    job_make_step(&other, &f.site, &f.run, &f.spec.steps[0], 1, vars + 1);
    cJSON *object = cJSON_Parse(first.text);
    assert_true(job_is_same(&second, object));
    assert_string_equal(other.name, first.name);
    assert_false(job_is_same(&other, object));
    assert_false(job_is_same(&first, NULL));
    cJSON_Delete(object);
    job_release(&first);
    job_release(&second);
    job_release(&other);
    end(&f);
}

static void selectors_select_a_site_and_a_run(void **state)
{
    const struct job_site site = {NULL, "prod/eu", "default", NULL};
    char *all = job_selector(&site, NULL), *one = job_selector(&site, RUN);

    (void)state;
    assert_string_equal(
        all, "app.kubernetes.io/managed-by=rivers,app.kubernetes.io/instance=prod-eu-190232906de42c3b,"
             "rivers.dev/namespace=default");
    assert_memory_equal(one, all, strlen(all));
    assert_string_equal(one + strlen(all), ",rivers.dev/run-id=" RUN);
    free(all);
    free(one);
}

/* --- against the fields that the API knows --- */

static const char *type_of(const cJSON *v)
{
    return cJSON_IsString(v)   ? "string"
           : cJSON_IsBool(v)   ? "boolean"
           : cJSON_IsNumber(v) ? "integer"
                               : "null";
}

static bool is_map(const char *path)
{
    return strstr(path, "labels") || strstr(path, "annotations") || strstr(path, "nodeSelector") ||
           strstr(path, "requests") || strstr(path, "limits");
}

static void check_fields(const cJSON *v, const char *path)
{
    size_t i = 0, n = sizeof job_fields / sizeof *job_fields;

    for (const cJSON *child = v->child; child; child = child->next) {
        const char *name = is_map(path) ? "*" : child->string;
        char *below =
            cJSON_IsArray(v) ? xasprintf("%s[]", path) : xasprintf("%s%s%s", path, *path ? "." : "", name);
        check_fields(child, below);
        free(below);
    }
    if (cJSON_IsObject(v) || cJSON_IsArray(v))
        return;
    while (i < n && strcmp(job_fields[i].path, path))
        i++;
    if (i == n)
        fail_msg("%s: a Job has no such field", path);
    if (strcmp(job_fields[i].type, type_of(v)))
        fail_msg("%s: is %s, must be %s", path, type_of(v), job_fields[i].type);
}

static void every_field_is_one_that_the_api_knows(void **state)
{
    struct fixture f;
    struct job jobs[2];

    (void)state;
    begin(&f, FULL_BACKEND, FULL_SPEC);
    job_make_run(&jobs[0], &f.site, &f.run, FULL_BACKEND);
    job_make_step(&jobs[1], &f.site, &f.run, &f.spec.steps[0], 1, vars);
    for (size_t i = 0; i < 2; i++) {
        cJSON *object = cJSON_Parse(jobs[i].text);
        assert_non_null(object);
        check_fields(object, "");
        cJSON_Delete(object);
        job_release(&jobs[i]);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_job_of_a_run),
        cmocka_unit_test(the_job_of_a_step),
        cmocka_unit_test(what_is_secret_is_not_in_it),
        cmocka_unit_test(equal_attempts_are_equal_and_no_others),
        cmocka_unit_test(selectors_select_a_site_and_a_run),
        cmocka_unit_test(every_field_is_one_that_the_api_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
