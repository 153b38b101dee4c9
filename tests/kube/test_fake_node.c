/* The test node: what a pod runs, what its status says on the way, and how it ends. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/kube_fake.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_its_command_with_exactly_its_environment),
        cmocka_unit_test(a_job_that_ends_well_is_complete),
        cmocka_unit_test(a_command_that_is_not_there_is_a_start_error),
    };
    const char *const options[] = {"--node", "--secret", "redis/url=unix:///x", NULL};

    kube_server_start(&server, options);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kube_server_stop(&server);
    return failed;
}
