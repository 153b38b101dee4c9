/* pod: what the objects of the API say, in our words. */
#include "kube/pod.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/mem.h"

#define POD                                                                                                  \
    "{\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"labels\":{\"job-name\":\"j\"},\"annotations\":{\"a/"      \
    "b\":\"c\"}},"                                                                                           \
    "\"status\":%s}"
#define STATE(phase, state) "{\"phase\":\"" phase "\",\"containerStatuses\":[{\"state\":{" state "}}]}"
#define EXITED(code, reason)                                                                                 \
    STATE("Failed",                                                                                          \
          "\"terminated\":{\"exitCode\":" code ",\"reason\":\"" reason "\",\"message\":\"last words\"}")
#define DISRUPTED(reason)                                                                                    \
    "{\"phase\":\"Failed\",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":"   \
    "\"" reason                                                                                              \
    "\"}],\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":143,\"reason\":\"Error\"}}}]}"

static cJSON *object(const char *status)
{
    char *text = xasprintf(POD, status);
    cJSON *v = cJSON_Parse(text);

    assert_non_null(v);
    free(text);
    return v;
}

static void what_waits_says_why(void **state)
{
    static const struct {
        const char *status, *waiting, *message;
    } rows[] = {
        {"{\"phase\":\"Pending\"}", "", ""},
        {STATE("Pending", "\"waiting\":{\"reason\":\"ContainerCreating\"}"), "", ""},
        {STATE("Pending", "\"waiting\":{\"reason\":\"PodInitializing\"}"), "", ""},
        {STATE("Pending", "\"waiting\":{\"reason\":\"ErrImagePull\",\"message\":\"no such image\"}"),
         "ErrImagePull", "no such image"},
        {"{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":"
         "\"Unschedulable\",\"message\":\"0/3 nodes\"}]}",
         "Unschedulable", "0/3 nodes"},
        {"{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"}]}", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *v = object(rows[i].status);
        struct pod p;
        pod_read(&p, v);
        assert_int_equal(p.phase, POD_WAITING);
        assert_string_equal(p.waiting, rows[i].waiting);
        assert_string_equal(p.message, rows[i].message);
        cJSON_Delete(v);
    }
}

static void each_end_is_its_own(void **state)
{
    static const struct {
        const char *status;
        enum pod_end end;
        int code;
    } rows[] = {
        {STATE("Succeeded", "\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}"), POD_EXIT, 0},
        {EXITED("3", "Error"), POD_EXIT, 3},
        {EXITED("137", "Error"), POD_EXIT, 137},
        {EXITED("137", "OOMKilled"), POD_OOM, 137},
        {EXITED("137", "ContainerStatusUnknown"), POD_NODE_LOST, 137},
        {"{\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"disk\"}", POD_EVICTED, 0},
        {"{\"phase\":\"Failed\",\"reason\":\"NodeLost\"}", POD_NODE_LOST, 0},
        {"{\"phase\":\"Failed\",\"reason\":\"DeadlineExceeded\"}", POD_DEADLINE, 0},
        {"{\"phase\":\"Failed\",\"reason\":\"OutOfcpu\",\"message\":\"no room\"}", POD_REJECTED, 0},
        {DISRUPTED("EvictionByEvictionAPI"), POD_EVICTED, 143},
        {DISRUPTED("PreemptionByScheduler"), POD_EVICTED, 143},
        {DISRUPTED("DeletionByTaintManager"), POD_NODE_LOST, 143},
        {DISRUPTED("DeletionByPodGC"), POD_NODE_LOST, 143},
        {DISRUPTED("SomethingNew"), POD_EVICTED, 143},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *v = object(rows[i].status);
        struct pod p;
        pod_read(&p, v);
        assert_int_equal(p.phase, POD_OVER);
        assert_int_equal(p.end, rows[i].end);
        assert_int_equal(p.code, rows[i].code);
        cJSON_Delete(v);
    }
}

/* Deleted while it waits or runs, it was evicted, unless it says more. */
static void what_is_not_over_would_be_evicted(void **state)
{
    static const struct {
        const char *status;
        enum pod_phase phase;
        enum pod_end end;
    } rows[] = {
        {STATE("Running", "\"running\":{}"), POD_RUNNING, POD_EVICTED},
        {STATE("Running", "\"terminated\":{\"exitCode\":1,\"reason\":\"Error\"}"), POD_RUNNING, POD_EVICTED},
        {"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\","
         "\"reason\":"
         "\"DeletionByTaintManager\"}],\"containerStatuses\":[{\"state\":{\"running\":{}}}]}",
         POD_RUNNING, POD_NODE_LOST},
        {"{\"phase\":\"Pending\"}", POD_WAITING, POD_EVICTED},
        {"null", POD_WAITING, POD_EVICTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *v = object(rows[i].status);
        struct pod p;
        pod_read(&p, v);
        assert_int_equal(p.phase, rows[i].phase);
        assert_int_equal(p.end, rows[i].end);
        cJSON_Delete(v);
    }
}

static void it_says_who_it_is(void **state)
{
    cJSON *v = object("null"), *none = cJSON_CreateObject();
    struct pod p;

    (void)state;
    pod_read(&p, v);
    assert_string_equal(p.name, "p");
    assert_string_equal(p.uid, "u");
    assert_string_equal(p.job, "j");
    assert_string_equal(pod_annotation_get(v, "a/b"), "c");
    assert_string_equal(pod_annotation_get(v, "x"), "");
    pod_read(&p, none);
    assert_string_equal(p.name, "");
    assert_string_equal(pod_annotation_get(none, "a/b"), "");
    cJSON_Delete(v);
    cJSON_Delete(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_says_why),
        cmocka_unit_test(each_end_is_its_own),
        cmocka_unit_test(what_is_not_over_would_be_evicted),
        cmocka_unit_test(it_says_who_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
