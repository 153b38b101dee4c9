/* Which Jobs the fake API server takes: the list of fields that is built in, and how it is held against a Job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/kube_json.h"
#include "support/kube_schema.h"

#define JOB(container)                                                                                       \
    "{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c'" container "}]}}}}"

static const struct {
    const char *job;
    enum kube_fault fault;
    const char *path;
} cases[] = {
    {JOB(""), KUBE_FINE, ""},
    {JOB(",'env':[{'name':'A','value':'1'}],'resources':{'limits':{'cpu':2,'memory':'1Gi','any.org/"
         "gpu':'1'}}"),
     KUBE_FINE, ""},
    {"{'metadata':{'labels':{'a.b/c':'d'},'creationTimestamp':null},"
     "'spec':{'template':{}}}",
     KUBE_FINE, ""},
    {JOB(",'imagee':'x'"), KUBE_UNKNOWN_FIELD, "spec.template.spec.containers[0].imagee"},
    {JOB("},{'name':'d','args':'x'"), KUBE_WRONG_TYPE, "spec.template.spec.containers[1].args"},
    {JOB(",'args':[1]"), KUBE_WRONG_TYPE, "spec.template.spec.containers[0].args[0]"},
    {JOB(",'env':[{'value':'1'}]"), KUBE_MISSING, "spec.template.spec.containers[0].env[0].name"},
    {JOB(",'env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':'s'}}}]"), KUBE_MISSING,
     "spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key"},
    {"{'spec':{'backoffLimit':0}}", KUBE_MISSING, "spec.template"},
    {"{'spec':{'backoffLimit':'0','template':{}}}", KUBE_WRONG_TYPE, "spec.backoffLimit"},
    {"{'spec':{'backoffLimit':0.5,'template':{}}}", KUBE_WRONG_TYPE, "spec.backoffLimit"},
    {"{'metadata':{'labels':{'a':1}}}", KUBE_WRONG_TYPE, "metadata.labels[a]"},
    {"{'spec':{'suspended':true,'template':{}}}", KUBE_UNKNOWN_FIELD, "spec.suspended"},
    {"{'metadata':[]}", KUBE_WRONG_TYPE, "metadata"},
};

static void hold_cases_against(const struct kube_schema *s)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *job = kube_json(cases[i].job);
        struct kube_violation v = kube_schema_check(s, job, false);
        if (v.fault != cases[i].fault || strcmp(v.path, cases[i].path) != 0)
            fail_msg("%s: %d at `%s`", cases[i].job, v.fault, v.path);
        cJSON_Delete(job);
    }
}

static void a_violation_is_named_by_its_path(void **state)
{
    struct kube_schema *s = kube_schema_builtin();

    (void)state;
    hold_cases_against(s);
    kube_schema_free(s);
}

static void unknown_fields_are_dropped_where_that_is_wanted(void **state)
{
    struct kube_schema *s = kube_schema_builtin();
    cJSON *job = kube_json("{'typo':1,'spec':{'template':{},'wrong':{'deep':1},'suspend':true}}");
    cJSON *left = kube_json("{'spec':{'template':{},'suspend':true}}");

    (void)state;
    assert_int_equal(kube_schema_check(s, job, true).fault, KUBE_FINE);
    assert_true(cJSON_Compare(job, left, 1));
    cJSON_Delete(job);
    cJSON_Delete(left);
    kube_schema_free(s);
}

/* A document like those of a release, cut down; with $RIVERS_JOB_SCHEMA also a whole one. */
static void an_openapi_document_is_read(void **state)
{
    static const char document[] =
        "{\"definitions\":{\"io.k8s.api.batch.v1.Job\":{\"properties\":{\"spec\":{\"$ref\":\"#/definitions/"
        "Spec\"},"
        "\"sizes\":{\"type\":\"object\",\"additionalProperties\":{\"$ref\":"
        "\"#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity\"}}}},"
        "\"Spec\":{\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"integer\"},"
        "\"words\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}";
    const char *tmp = getenv("TMPDIR");
    char file[256];

    (void)state;
    snprintf(file, sizeof file, "%s/rivers-schema.%d", tmp ? tmp : "/tmp", (int)getpid());
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs(document, out);
    fclose(out);
    struct kube_schema *s = kube_schema_read(file);
    remove(file);
    assert_int_equal(kube_schema_count(s), 7);
    cJSON *job = kube_json("{'spec':{'n':1,'words':['a']},'sizes':{'x':'1Gi','y':2}}");
    assert_int_equal(kube_schema_check(s, job, false).fault, KUBE_FINE);
    kube_put(job, "spec.n", NULL);
    assert_string_equal(kube_schema_check(s, job, false).path, "spec.n");
    cJSON_Delete(job);
    kube_schema_free(s);
}

static void what_is_built_in_is_what_a_release_says(void **state)
{
    const char *file = getenv("RIVERS_JOB_SCHEMA");
    struct kube_schema *s = file && *file ? kube_schema_read(file) : kube_schema_builtin();

    (void)state;
    hold_cases_against(s);
    for (size_t i = 0; i < kube_job_fields_count; i++)
        if (!kube_schema_knows(s, &kube_job_fields[i]))
            fail_msg("not in the document, or otherwise: `%s`", kube_job_fields[i].path);
    kube_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_violation_is_named_by_its_path),
        cmocka_unit_test(unknown_fields_are_dropped_where_that_is_wanted),
        cmocka_unit_test(an_openapi_document_is_read),
        cmocka_unit_test(what_is_built_in_is_what_a_release_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
