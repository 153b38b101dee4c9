/* The test node: what a pod runs, what its status says on the way, and how it ends. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/kube_fake.h"

#define JOBS "/apis/batch/v1/namespaces/default/jobs"

static struct kube_server server;

static void a_job_runs_its_command_with_exactly_its_environment(void **state)
{
    (void)state;
    fake_job(&server, "env",
             "'command':['sh','-c','env | cut -d= -f1 | sort | xargs; echo $0 $1 $URL; exit 3',"
             "'$(WHO)','$$(WHO)'],"
             "'env':[{'name':'WHO','value':'me'},{'name':'URL','valueFrom':{'secretKeyRef':"
             "{'name':'redis','key':'url'}}},{'name':'POD','valueFrom':{'fieldRef':{'fieldPath':"
             "'metadata.name'}}}]");
    fake_until(&server, "jobs/env", "status.conditions.0.type", "Failed");
    fake_is(&server, "jobs/env", "status.conditions.0.reason", "BackoffLimitExceeded");
    fake_is(&server, "jobs/env", "status.failed", "1");
    fake_pod_is(&server, "env", "status.phase", "Failed");
    fake_pod_is(&server, "env", "status.containerStatuses.0.state.terminated.exitCode", "3");
    fake_pod_is(&server, "env", "status.containerStatuses.0.state.terminated.reason", "Error");
    fake_log_is(&server, "env", "?tailLines=2",
                "HOSTNAME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT PATH POD PWD URL WHO\n"
                "me $(WHO) unix:///x\n");
    fake_log_is(&server, "env", "?tailLines=1&limitBytes=5", "me $(");
}

static void a_job_that_ends_well_is_complete(void **state)
{
    (void)state;
    fake_job(&server, "good", "'command':['true']");
    fake_until(&server, "jobs/good", "status.conditions.0.type", "Complete");
    fake_is(&server, "jobs/good", "status.succeeded", "1");
    fake_pod_is(&server, "good", "status.phase", "Succeeded");
    fake_pod_is(&server, "good", "status.containerStatuses.0.state.terminated.reason", "Completed");
}

static void a_command_that_is_not_there_is_a_start_error(void **state)
{
    (void)state;
    fake_job(&server, "none", "'command':['no-such-program']");
    fake_until(&server, "jobs/none", "status.conditions.0.type", "Failed");
    fake_pod_is(&server, "none", "status.containerStatuses.0.state.terminated.exitCode", "128");
    fake_pod_is(&server, "none", "status.containerStatuses.0.state.terminated.reason", "StartError");
}

static void last_words_are_the_termination_message(void **state)
{
    (void)state;
    fake_job(&server, "words",
             "'command':['sh','-c','echo out of luck; exit 1'],"
             "'terminationMessagePolicy':'FallbackToLogsOnError'");
    fake_until(&server, "jobs/words", "status.conditions.0.type", "Failed");
    fake_pod_is(&server, "words", "status.containerStatuses.0.state.terminated.message", "out of luck\n");
}

/* What a container that runs says when it is killed: 128 and the signal, as container runtimes do. */
static void a_killed_container_ends_with_128_and_the_signal(void **state)
{
    (void)state;
    fake_job(&server, "killed", "'command':['sh','-c','kill -KILL $$$$']");
    fake_until(&server, "jobs/killed", "status.conditions.0.type", "Failed");
    fake_pod_is(&server, "killed", "status.containerStatuses.0.state.terminated.exitCode", "137");
}

static void a_secret_that_is_not_there_keeps_the_pod_waiting(void **state)
{
    (void)state;
    fake_job(&server, "secretive",
             "'command':['true'],'env':[{'name':'U','valueFrom':"
             "{'secretKeyRef':{'name':'gone','key':'url'}}}]");
    fake_pod_until(&server, "secretive", "status.containerStatuses.0.state.waiting.reason",
                   "CreateContainerConfigError");
    fake_pod_is(&server, "secretive", "status.containerStatuses.0.state.waiting.message",
                "secret \"gone\" not found");
    fake_do(&server, 200, "DELETE", JOBS "/secretive?propagationPolicy=Foreground", NULL);
    fake_until_gone(&server, "jobs/secretive");
}

/* ---- deletion ---- */

static void wait_for_log(const char *job, const char *want)
{
    fake_pod_until(&server, job, "status.phase", "Running");
    fake_log_until(&server, job, want);
}

static void a_deleted_pod_is_told_to_end_and_its_job_waits_for_it(void **state)
{
    (void)state;
    fake_job(&server, "polite",
             "'command':['sh','-c','trap \\'echo bye; exit 0\\' TERM; echo ready; while :; do "
             "sleep 0.05; done']");
    wait_for_log("polite", "ready\n");
    fake_do(&server, 200, "DELETE", JOBS "/polite?propagationPolicy=Foreground", NULL);
    fake_until_gone(&server, "jobs/polite");
    assert_int_equal(fake_pods(&server, "polite"), 0);
    assert_int_equal(fake_number(&server, "processes"), 0);
}

static void what_ignores_sigterm_is_killed_after_its_grace(void **state)
{
    (void)state;
    fake_job(&server, "deaf",
             "'command':['sh','-c','trap \\'\\' TERM; echo ready; while :; do sleep 0.05; done']");
    wait_for_log("deaf", "ready\n");
    char *pod = fake_pod(&server, "deaf"), *path = fake_path(&server, pod);
    fake_do(&server, 200, "DELETE", JOBS "/deaf?propagationPolicy=Orphan", NULL);
    fake_do(&server, 200, "DELETE", path, "{'gracePeriodSeconds':1}");
    fake_is(&server, pod, "metadata.deletionGracePeriodSeconds", "1");
    fake_until_gone(&server, pod);
    assert_int_equal(fake_number(&server, "processes"), 0);
    free(path);
    free(pod);
}

static void a_deadline_ends_the_pod_and_fails_the_job(void **state)
{
    (void)state;
    fake_do(
        &server, 201, "POST", JOBS,
        "{'metadata':{'name':'late'},'spec':{'activeDeadlineSeconds':1,'template':{'spec':{'restartPolicy':"
        "'Never','containers':[{'name':'c','image':'x','command':['sleep','600']}]}}}}");
    fake_until(&server, "jobs/late", "status.conditions.0.reason", "DeadlineExceeded");
    fake_is(&server, "jobs/late", "status.failed", "1");
    for (char *pod; (pod = fake_pod(&server, "late")); free(pod))
        fake_until_gone(&server, pod);
}

/* ---- images that make faults ---- */

static const struct {
    const char *image, *path, *want;
} faults[] = {
    {"errimagepull", "status.containerStatuses.0.state.waiting.reason", "ImagePullBackOff"},
    {"invalidimagename", "status.containerStatuses.0.state.waiting.reason", "InvalidImageName"},
    {"configerror", "status.containerStatuses.0.state.waiting.reason", "CreateContainerConfigError"},
    {"unschedulable", "status.conditions.0.reason", "Unschedulable"},
    {"oomkilled", "status.containerStatuses.0.state.terminated.reason", "OOMKilled"},
    {"evicted", "status.reason", "Evicted"},
    {"deadline", "status.reason", "DeadlineExceeded"},
};

static void an_image_makes_its_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char *container = xasprintf("'image':'fault/%s:1','command':['true']", faults[i].image);
        fake_job(&server, faults[i].image, container);
        fake_pod_until(&server, faults[i].image, faults[i].path, faults[i].want);
        free(container);
    }
    fake_pod_is(&server, "unschedulable", "spec.nodeName", "");
    fake_pod_is(&server, "oomkilled", "status.containerStatuses.0.state.terminated.exitCode", "137");
    fake_until(&server, "jobs/evicted", "status.conditions.0.reason", "BackoffLimitExceeded");
}

static void a_lost_node_leaves_its_pod_and_another_starts(void **state)
{
    (void)state;
    fake_job(&server, "lost", "'image':'fault/nodelost','command':['echo','second']");
    fake_until(&server, "jobs/lost", "status.succeeded", "1");
    assert_int_equal(fake_pods(&server, "lost"), 2);
    fake_log_until(&server, "lost", "second\n");
}

/* ---- the end ---- */

static bool is_alive(pid_t pid)
{
    return kill(pid, 0) == 0;
}

/* Also what made a session of its own, as the processes of a container cannot leave it. */
static void nothing_outlives_the_server(void **state)
{
    static const char *const options[] = {"--node", NULL};
    struct kube_server own;

    (void)state;
    kube_server_start(&own, options);
    fake_job(&own, "a", "'command':['sh','-c','setsid sleep 600 & echo $!; wait']");
    fake_pod_until(&own, "a", "status.phase", "Running");
    pid_t pid = (pid_t)fake_log_number(&own, "a");
    assert_true(is_alive(pid));
    kube_server_stop(&own);
    assert_false(is_alive(pid));
}

static void nothing_outlives_its_container(void **state)
{
    (void)state;
    fake_job(&server, "parent", "'command':['sh','-c','setsid sleep 600 & echo $!']");
    fake_until(&server, "jobs/parent", "status.succeeded", "1");
    assert_false(is_alive((pid_t)fake_log_number(&server, "parent")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_its_command_with_exactly_its_environment),
        cmocka_unit_test(a_job_that_ends_well_is_complete),
        cmocka_unit_test(a_command_that_is_not_there_is_a_start_error),
        cmocka_unit_test(last_words_are_the_termination_message),
        cmocka_unit_test(a_killed_container_ends_with_128_and_the_signal),
        cmocka_unit_test(a_secret_that_is_not_there_keeps_the_pod_waiting),
        cmocka_unit_test(a_deleted_pod_is_told_to_end_and_its_job_waits_for_it),
        cmocka_unit_test(what_ignores_sigterm_is_killed_after_its_grace),
        cmocka_unit_test(a_deadline_ends_the_pod_and_fails_the_job),
        cmocka_unit_test(an_image_makes_its_fault),
        cmocka_unit_test(a_lost_node_leaves_its_pod_and_another_starts),
        cmocka_unit_test(nothing_outlives_its_container),
        cmocka_unit_test(nothing_outlives_the_server),
    };
    const char *const options[] = {"--node", "--secret", "redis/url=unix:///x", NULL};

    kube_server_start(&server, options);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kube_server_stop(&server);
    return failed;
}
