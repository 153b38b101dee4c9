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

#include "base/mem.h"
#include "support/kube_fake.h"
#include "support/kube_fleet.h"

static void runs_go_through(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 10; i++)
        kube_fleet_submit(f, "echo $RIVERS_NAMESPACE $RIVERS_ATTEMPT >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "record"), 10);
    fleet_assert_idle(f);
}

static void image_that_cannot_be_pulled(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/errimagepull:1", ", \"pod_pending_timeout\": \"5s\"");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "ImagePull"));
    assert_non_null(
        strstr(fleet_outcome(f, run), "Failure launch failed: waited too long for ImagePullBackOff"));
    fleet_assert_idle(f);
}

static void canceled_run_takes_its_job_along(void **state)
{
    struct fleet *f = *state;
    char *job;

    kube_fleet_use(f, "fault/unschedulable:1", "");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    job = xasprintf("jobs/%s-1", run);
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    fake_until_gone(&kube_fleet_server, job);
    free(job);
}

static void run_outlives_its_dequeuer(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run =
        kube_fleet_submit(f, "echo begun >>record; until [ -e go ]; do sleep 0.02; done; echo done >>record");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    fleet_start(f, "dequeuer");
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 2);
}

static void refused_job_fails_its_run_at_once(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", ", \"namespace\": \"nowhere\"");
    fleet_start(f, "dequeuer");
    const char *outcome = fleet_outcome(f, kube_fleet_submit(f, "true"));
    assert_memory_equal(outcome, "Failure launch failed: ", strlen("Failure launch failed: "));
    assert_non_null(strstr(outcome, "\"nowhere\"")); /* not found, or not ours to use */
}

static void pod_that_ends_before_its_executor_began(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/oomkilled:1", "");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, kube_fleet_submit(f, "true")),
                        "Failure executor lost: out of memory");
}

/* Canceled while no dequeuer was there: the next one finds the Job and no run that wants it. */
static void job_that_no_run_owns_is_deleted(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/unschedulable:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    char *job = xasprintf("jobs/%s-1", run);
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    fleet_start(f, "dequeuer");
    fake_until_gone(&kube_fleet_server, job);
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

    kube_fleet_use(f, "rivers:1", "");
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
    assert_int_equal(fake_running(&kube_fleet_server), 0);
    fleet_assert_idle(f);
}

static void canceled_run_ends_when_its_pods_are_gone(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    const char *run = submit_in_pods(f, SLOW_TO_END, "");
    lose_executor(f, run);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    int64_t lease = fleet_number(f, "ZSCORE @running %s", run);
    WAIT_UNTIL(f, fleet_number(f, "ZSCORE @running %s", run) > lease);
    fleet_write(f, "go", "");
    assert_memory_equal(fleet_outcome(f, run), "Canceled", 8);
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
    assert_int_equal(fake_running(&kube_fleet_server), 0);
}

/* The same when the executor lives to see it. */
static void executor_waits_for_its_pods(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
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

    kube_fleet_use(f, "rivers:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = submit_in_pods(f, SLOW_TO_END, "");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    char *job = xasprintf("jobs/%s-1", run), *path = fake_path(&kube_fleet_server, job);
    pid_t executor = fleet_executor(f, run);
    kill(executor, SIGKILL);
    fake_do(&kube_fleet_server, 200, "DELETE", path, "{'propagationPolicy':'Background'}");
    free(path);
    free(job);
    fleet_write(f, "go", "");
    fleet_start(f, "dequeuer");
    assert_non_null(strstr(fleet_outcome(f, run), "Failure executor lost: its "));
    assert_string_equal(fleet_file(f, "record"), "begun\nending\nended\n");
    assert_int_equal(fake_running(&kube_fleet_server), 0);
}

/* Whoever meets them first says so: the pod's end, or the Job that failed for it. */
static void each_end_of_the_pod_of_a_run_has_its_reason(void **state)
{
    static const struct {
        const char *image, *reason;
    } rows[] = {
        {"fault/oomkilled:1", "out of memory"},
        {"fault/evicted:1", "its pod was evicted"},
        {"fault/deadline:1", "its deadline passed"},
    };
    struct fleet *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kube_fleet_use(f, rows[i].image, "");
        pid_t dequeuer = fleet_start(f, "dequeuer");
        const char *outcome = fleet_outcome(f, kube_fleet_submit(f, "echo ran >>record"));
        if (!strstr(outcome, rows[i].reason) || strncmp(outcome, "Failure ", 8) != 0)
            assert_string_equal(outcome, rows[i].reason);
        kill(dequeuer, SIGTERM);
        assert_int_equal(fleet_wait_exit(dequeuer), 0);
    }
    assert_int_equal(fleet_lines(f, "record"), 0);
    fleet_assert_idle(f);
}

/* Its pod is deleted while it runs, so the Job starts another: with a token that has had its run. */
static void a_second_pod_runs_nothing(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record; until [ -e go ]; do sleep 0.02; done");
    char *job = xasprintf("%s-1", run);
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    char *pod = fake_pod(&kube_fleet_server, job), *path = fake_path(&kube_fleet_server, pod);
    fake_do(&kube_fleet_server, 200, "DELETE", path, NULL);
    assert_memory_equal(fleet_outcome(f, run), "Failure ", 8);
    char *object = xasprintf("jobs/%s", job);
    WAIT_UNTIL(f, fake_unfinished(&kube_fleet_server) == 0);
    assert_int_equal(fleet_lines(f, "record"), 1);
    assert_int_equal(fleet_count(fleet_story(f, run), "RunStart"), 1);
    free(object);
    free(path);
    free(pod);
    free(job);
}

/* A dequeuer looks only after the Jobs of its own installation and namespace of rivers. */
static void others_in_the_same_place_are_left_alone(void **state)
{
    struct fleet *f = *state;
    struct redis_server other;
    char *job, words[256];

    kube_fleet_use(f, "fault/unschedulable:1", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    job = xasprintf("jobs/%s-1", run);
    WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);

    redis_server_start(&other, NULL);
    const char *const others[] = {other.url, f->server.url}, *const namespaces[] = {"test", "elsewhere"};
    for (int i = 0; i < 2;
         i++) { /* of which each has a run of its own, so all has been seen once it is over */
        const char *where = others[i], *ns = namespaces[i];
        int status = -1;
        free(fleet_call(f, &status, "config apply --redis %s --namespace %s rivers.json", where, ns));
        assert_int_equal(status, 0);
        snprintf(words, sizeof words, "dequeuer --redis %s --namespace %s", where, ns);
        pid_t stranger = fleet_start(f, words);
        char *id = fleet_call(f, &status, "submit --redis %s --namespace %s -- true", where, ns);
        id[strcspn(id, "\n")] = '\0';
        WAIT_UNTIL(f, fake_jobs(&kube_fleet_server) == 2);
        free(fleet_call(f, &status, "runs cancel --redis %s --namespace %s %s", where, ns, id));
        WAIT_UNTIL(f, fake_jobs(&kube_fleet_server) == 1);
        fake_is(&kube_fleet_server, job, "spec.backoffLimit", "0");
        kill(stranger, SIGTERM);
        assert_int_equal(fleet_wait_exit(stranger), 0);
        free(id);
    }
    redis_server_stop(&other);
    free(job);
}

static void a_job_of_another_kind_is_not_taken_over(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    char *job = xasprintf("%s-1", run);
    fake_job(&kube_fleet_server, job, "'command':['true']");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, run),
                        "Failure launch failed: a Job of that name exists, and is another");
    assert_int_equal(fleet_lines(f, "record"), 0);
    free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KUBE_TEST(runs_go_through),
        KUBE_TEST(image_that_cannot_be_pulled),
        KUBE_TEST(canceled_run_takes_its_job_along),
        KUBE_TEST(run_outlives_its_dequeuer),
        KUBE_TEST(refused_job_fails_its_run_at_once),
        KUBE_TEST(pod_that_ends_before_its_executor_began),
        KUBE_TEST(job_that_no_run_owns_is_deleted),
        KUBE_TEST(lost_run_ends_when_its_pods_are_gone),
        KUBE_TEST(canceled_run_ends_when_its_pods_are_gone),
        KUBE_TEST(executor_waits_for_its_pods),
        KUBE_TEST(steps_without_a_job_of_their_run_are_ended),
        KUBE_TEST(each_end_of_the_pod_of_a_run_has_its_reason),
        KUBE_TEST(a_second_pod_runs_nothing),
        KUBE_TEST(others_in_the_same_place_are_left_alone),
        KUBE_TEST(a_job_of_another_kind_is_not_taken_over),
    };

    kube_fleet_path();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
