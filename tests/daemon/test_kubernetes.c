/* Whole runs on a cluster: dequeuer, Job, executor in a pod of the test node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "support/fleet.h"
#include "support/kube_fake.h"

static struct kube_server server;
static char *rivers, *usual_path;

#define JOBS "/apis/batch/v1/namespaces/default/jobs"

static void use(struct fleet *f, const char *image, const char *more)
{
    char *config =
        xasprintf("{\"run_backend\": {\"type\": \"kubernetes\", \"image\": \"%s\"%s}}", image, more);
    int status = -1;

    fleet_write(f, "rivers.json", config);
    free(fleet_call(f, &status, "config apply rivers.json"));
    assert_int_equal(status, 0);
    free(config);
}

/* With its step in the pod of the run, whose directory is gone with it: what it leaves goes to that of the fleet. */
static const char *submit(struct fleet *f, const char *line)
{
    char *job = xasprintf("{`executor`: `in_process`, `steps`: [{`name`: `a`, `command`: `cd %s; %s`}]}",
                          f->server.dir, line);
    const char *run = fleet_submit_json(f, job);

    free(job);
    return run;
}

static void runs_go_through(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 10; i++)
        submit(f, "echo $RIVERS_NAMESPACE $RIVERS_ATTEMPT >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "record"), 10);
    fleet_assert_idle(f);
}

static void image_that_cannot_be_pulled(void **state)
{
    struct fleet *f = *state;

    use(f, "fault/errimagepull:1", ", \"pod_pending_timeout\": \"5s\"");
    fleet_start(f, "dequeuer");
    const char *run = submit(f, "echo ran >>record");
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "ImagePull"));
    assert_non_null(
        strstr(fleet_outcome(f, run), "Failure launch failed: waited too long for ImagePullBackOff"));
    fleet_assert_idle(f);
}

static void canceled_run_takes_its_job_along(void **state)
{
    struct fleet *f = *state;
    char *job;

    use(f, "fault/unschedulable:1", "");
    fleet_start(f, "dequeuer");
    const char *run = submit(f, "echo ran >>record");
    job = xasprintf("jobs/%s-1", run);
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    fake_until_gone(&server, job);
    free(job);
}

static void run_outlives_its_dequeuer(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run =
        submit(f, "echo begun >>record; until [ -e go ]; do sleep 0.02; done; echo done >>record");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    fleet_start(f, "dequeuer");
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 2);
}

/* The requests are answered 500 before or after they were carried out, or not at all. */
static void unknown_outcomes_launch_once(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fake_do(&server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'reset-after'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'500'}]");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 3; i++)
        submit(f, "echo ran >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "record"), 3);
    assert_int_equal(fake_number(&server, "faults"), 0);
}

static void refused_job_fails_its_run_at_once(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", ", \"namespace\": \"nowhere\"");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, submit(f, "true")),
                        "Failure launch failed: namespaces \"nowhere\" not found");
}

static void pod_that_ends_before_its_executor_began(void **state)
{
    struct fleet *f = *state;

    use(f, "fault/oomkilled:1", "");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, submit(f, "true")), "Failure executor lost: out of memory");
}

/* What the server puts off or has no quota for is asked again. */
static void requests_that_are_put_off_come_through(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fake_do(&server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'429-text'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'quota-403'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'503'}]");
    fleet_start(f, "dequeuer");
    const char *run = submit(f, "echo ran >>record");

    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
    assert_int_equal(fake_number(&server, "faults"), 0);
}

/* Canceled while no dequeuer was there: the next one finds the Job and no run that wants it. */
static void job_that_no_run_owns_is_deleted(void **state)
{
    struct fleet *f = *state;

    use(f, "fault/unschedulable:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = submit(f, "echo ran >>record");
    char *job = xasprintf("jobs/%s-1", run);
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    fleet_start(f, "dequeuer");
    fake_until_gone(&server, job);
    free(job);
}

/* A step that takes its time to end: until `go` is there. */
#define SLOW_TO_END                                                                                          \
    "trap 'echo ending >>record; until [ -e go ]; do sleep 0.02; done; echo ended >>record; exit' TERM; "    \
    "echo begun >>record; while :; do sleep 0.02; done"

/* more: members of the step. */
static const char *submit_in_pods(struct fleet *f, const char *line, const char *more)
{
    char *job = xasprintf("{`steps`: [{`name`: `a`, `grace`: `1m`, `command`: `cd %s; %s`%s}]}",
                          f->server.dir, line, more);
    const char *run = fleet_submit_json(f, job);

    free(job);
    return run;
}

/* Returns when the step of the run is on its way out, and its executor is gone. */
static void lose_executor(struct fleet *f, const char *run)
{
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(fleet_executor(f, run), SIGKILL);
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
}

static void lost_run_ends_when_its_pods_are_gone(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    const char *run = submit_in_pods(f, SLOW_TO_END, ", `pools`: {`db`: 1}");
    lose_executor(f, run);
    int64_t lease = fleet_number(f, "ZSCORE @running %s", run),
            slot = fleet_number(f, "ZSCORE @slots %s/a", run);
    WAIT_UNTIL(f, fleet_number(f, "ZSCORE @running %s", run) > lease); /* it is held meanwhile */
    WAIT_UNTIL(f, fleet_number(f, "ZSCORE @slots %s/a", run) > slot);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: its container exited with 137");
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
    assert_int_equal(fake_number(&server, "processes"), 0);
    fleet_assert_idle(f);
}

static void canceled_run_ends_when_its_pods_are_gone(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    const char *run = submit_in_pods(f, SLOW_TO_END, "");
    lose_executor(f, run);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    int64_t lease = fleet_number(f, "ZSCORE @running %s", run);
    WAIT_UNTIL(f, fleet_number(f, "ZSCORE @running %s", run) > lease);
    fleet_write(f, "go", "");
    assert_memory_equal(fleet_outcome(f, run), "Canceled", 8);
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
    assert_int_equal(fake_number(&server, "processes"), 0);
}

/* The same when the executor lives to see it. */
static void executor_waits_for_its_pods(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    const char *run = submit_in_pods(f, SLOW_TO_END, "");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    free(fleet_call(f, NULL, "runs cancel --grace 1m %s", run));
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
    assert_true(fleet_is(f, "Started", "HGET @run:%s state", run));
    fleet_write(f, "go", "");
    assert_memory_equal(fleet_outcome(f, run), "Canceled", 8);
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
}

/* Nobody was there when the executor and its Job went: the next dequeuer ends what they left. */
static void steps_without_a_job_of_their_run_are_ended(void **state)
{
    struct fleet *f = *state;

    use(f, "rivers:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = submit_in_pods(f, SLOW_TO_END, "");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    char *path = xasprintf("/apis/batch/v1/namespaces/default/jobs/%s-1", run);
    pid_t executor = fleet_executor(f, run);
    kill(executor, SIGKILL);
    fake_do(&server, 200, "DELETE", path, "{'propagationPolicy':'Background'}");
    free(path);
    fleet_write(f, "go", "");
    fleet_start(f, "dequeuer");
    assert_non_null(strstr(fleet_outcome(f, run), "Failure executor lost: its "));
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
    assert_int_equal(fake_number(&server, "processes"), 0);
}

/* The pods of the test node have no files of a service account: executors find the API server as the test does. */
static void rivers_of_pods_make(struct fleet *f)
{
    char *file = xasprintf("%s/rivers", f->server.dir);
    char *script =
        xasprintf("#!/bin/sh\nunset KUBERNETES_SERVICE_HOST\nexport KUBECONFIG=%s\nexec %s \"$@\"\n",
                  server.kubeconfig, rivers);

    fleet_write(f, "rivers", script);
    chmod(file, 0755);
    free(script);
    free(file);
}

/* What is left at the end of a test is killed, so each has a server of its own. */
static int begin(void **state)
{
    const char *const options[] = {"--node", NULL};

    if (fleet_open(state))
        return -1;
    struct fleet *f = *state;
    char *path = xasprintf("%s:%s", f->server.dir, usual_path);
    setenv("PATH", path, 1); /* pods find the command `rivers` */
    kube_server_start(&server, options);
    setenv("KUBECONFIG", server.kubeconfig, 1);
    rivers_of_pods_make(f);
    free(path);
    return 0;
}

static int end(void **state)
{
    kube_server_stop(&server);
    return fleet_close(state);
}

#define KUBE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KUBE_TEST(runs_go_through),
        KUBE_TEST(image_that_cannot_be_pulled),
        KUBE_TEST(canceled_run_takes_its_job_along),
        KUBE_TEST(run_outlives_its_dequeuer),
        KUBE_TEST(unknown_outcomes_launch_once),
        KUBE_TEST(refused_job_fails_its_run_at_once),
        KUBE_TEST(pod_that_ends_before_its_executor_began),
        KUBE_TEST(requests_that_are_put_off_come_through),
        KUBE_TEST(job_that_no_run_owns_is_deleted),
        KUBE_TEST(lost_run_ends_when_its_pods_are_gone),
        KUBE_TEST(canceled_run_ends_when_its_pods_are_gone),
        KUBE_TEST(executor_waits_for_its_pods),
        KUBE_TEST(steps_without_a_job_of_their_run_are_ended),
    };
    const char *named = getenv("RIVERS");

    rivers = realpath(named ? named : "build/rivers", NULL);
    usual_path = xstrdup(getenv("PATH"));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(usual_path);
    free(rivers);
    return failed;
}
