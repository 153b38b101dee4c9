/* step pods: runs whose steps are Jobs of the fake API server, run by its node: what they record, what they leave. */
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
#include "support/fleet.h"
#include "support/kube_fake.h"
#include "support/kube_json.h"

static struct kube_server api;

#define JOBS "/apis/batch/v1/namespaces/default/jobs"
#define PODS "/api/v1/namespaces/default/pods"

/* What the Job of a run would give its executor. The dequeuer's executors inherit it. */
static void dequeuer_start(struct fleet *f, const char *more)
{
    char backend[512];

    snprintf(backend, sizeof backend, "{\"type\": \"kubernetes\", \"image\": \"rivers\"%s}", more);
    setenv("RIVERS_RUN_BACKEND", backend, 1);
    setenv("RIVERS_INSTALLATION", f->server.dir, 1); /* what earlier tests left is not ours */
    setenv("KUBECONFIG", api.kubeconfig, 1);
    fleet_start(f, "dequeuer");
}

static int begin(void **state)
{
    int failed = fleet_open(state);

    kube_server_start(&api, (const char *const[]){"--node", NULL});
    return failed;
}

static int finish(void **state)
{
    kube_server_stop(&api);
    return fleet_close(state);
}

#define POD_TEST(test) cmocka_unit_test_setup_teardown(test, begin, finish)

static bool none_runs(void)
{
    return fake_running(&api) == 0;
}

static void a_step_runs_in_a_pod(void **state)
{
    struct fleet *f = *state;
    char want[256];

    dequeuer_start(f, "");
    const char *run = fleet_submit_json(
        f, "{`job`: `nightly`, `tags`: {`team`: `growth`}, `env`: {`DAY`: `monday`}, `steps`: ["
           "{`name`: `Extract_all`, `command`: `echo $RIVERS_RUN_ID $RIVERS_JOB $RIVERS_STEP "
           "$RIVERS_STEP_ATTEMPT "
           "$RIVERS_TOKEN $RIVERS_TAG_TEAM $DAY; echo $HOSTNAME`},"
           "{`name`: `load`, `command`: `printf 'a\\nb'`}]}");

    assert_string_equal(fleet_outcome(f, run), "Success");
    const char *log = lua_cmd(&f->lua, "GET @log:%s/Extract_all", run);
    snprintf(want, sizeof want, "%s nightly Extract_all 1 1 growth monday\n%s-1-extract-all-1-", run, run);
    assert_memory_equal(log, want, strlen(want));
    assert_string_equal(lua_cmd(&f->lua, "GET @log:%s/load", run), "a\nb\n");
    assert_int_equal(fake_jobs(&api), 2);
    assert_true(none_runs());
}

static void each_end_of_a_pod_has_its_word(void **state)
{
    static const struct {
        const char *image, *outcome;
    } rows[] = {
        {"x", "Failure step 'a' failed: exit:3"},
        {"fault/oomkilled", "Failure step 'a' failed: oom"},
        {"fault/evicted", "Failure step 'a' failed: evicted"},
        {"fault/deadline", "Failure step 'a' failed: deadline"},
        {"fault/nodelost", "Failure step 'a' failed: node-lost"},
    };
    struct fleet *f = *state;

    dequeuer_start(f, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[256];
        snprintf(json, sizeof json, "{`steps`: [{`name`: `a`, `image`: `%s`, `command`: `exit 3`}]}",
                 rows[i].image);
        const char *outcome = fleet_outcome(f, fleet_submit_json(f, json));
        if (strncmp(outcome, rows[i].outcome, strlen(rows[i].outcome)))
            assert_string_equal(outcome, rows[i].outcome);
    }
}

static void an_end_is_tried_again_by_its_name(void **state)
{
    struct fleet *f = *state;

    dequeuer_start(f, "");
    const char *run =
        fleet_submit_json(f, "{`steps`: [{`name`: `a`, `image`: `fault/oomkilled`, `command`: `x`, "
                             "`retries`: {`max`: 2, `backoff`: `0s`, `on`: [`oom`]}}]}");
    const char *other =
        fleet_submit_json(f, "{`steps`: [{`name`: `a`, `image`: `fault/oomkilled`, `command`: `x`, "
                             "`retries`: {`max`: 2, `backoff`: `0s`}}]}");

    fleet_outcome(f, run);
    fleet_outcome(f, other);
    assert_memory_equal(lua_cmd(&f->lua, "HGET @run:%s step:a", run), "Failure 3 ", 10);
    assert_memory_equal(lua_cmd(&f->lua, "HGET @run:%s step:a", other), "Failure 1 ", 10);
}

static void what_keeps_a_pod_waiting_is_told_and_fails_it_in_the_end(void **state)
{
    struct fleet *f = *state;

    dequeuer_start(f, ", \"pod_pending_timeout\": \"2s\"");
    const char *run = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `image`: `fault/errimagepull`, `command`: `x`, `pool`: `p`}]}");

    const char *outcome = fleet_outcome(f, run);
    assert_non_null(strstr(outcome, "Failure step 'a' failed: not-run: "));
    assert_non_null(strstr(outcome, "ImagePull"));
    assert_true(fleet_count(fleet_story(f, run), "StepWaiting:a") >= 1);
    WAIT_UNTIL(f, fake_jobs(&api) == 0);
}

static void a_canceled_step_is_over_when_its_pod_is(void **state)
{
    struct fleet *f = *state;
    char script[512];

    dequeuer_start(f, "");
    snprintf(script, sizeof script,
             "{`steps`: [{`name`: `a`, `grace`: `5s`, `command`: `trap 'sleep 0.3; echo end >>%s/record; "
             "exit' TERM; "
             "echo begin >>%s/record; while :; do sleep 0.02; done`}]}",
             f->server.dir, f->server.dir);
    const char *run = fleet_submit_json(f, script);
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_string_equal(fleet_file(f, "record"), "begin\nend\n");
    assert_true(none_runs());
}

static void a_step_that_takes_too_long_is_ended(void **state)
{
    struct fleet *f = *state;

    dequeuer_start(f, "");
    const char *run = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `timeout`: `300ms`, `grace`: `1s`, `command`: `sleep 600`}]}");
    assert_string_equal(fleet_outcome(f, run), "Failure step 'a' failed: timeout");
    assert_true(none_runs());
}

/* Each records when it begins and ends; at no point of the record are there more begun than the pool has slots. */
static void delete_its_only_pod(void)
{
    cJSON *dump = fake_ask(&api, 200, "GET", "/-/dump", NULL);
    char *path = xasprintf(PODS "/%s", kube_text_at(dump, "objects.pods.0.metadata.name"));

    fake_do(&api, 200, "DELETE", path, NULL);
    free(path);
    cJSON_Delete(dump);
}

/* The answer to its creation is lost, no watch comes through, and its pod is gone before it is asked for again. */
static void a_step_that_was_over_unseen_ends_at_once(void **state)
{
    struct fleet *f = *state;

    fake_do(&api, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'reset-after'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'503','times':1000},"
            "{'match':{'method':'GET','path':'" PODS "'},'do':'503','skip':1,'times':1000}]");
    dequeuer_start(f, "");
    const char *run = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `command`: `true`}]}");
    char *job = xasprintf("jobs/%s-1-a-1", run);

    WAIT_UNTIL(f, fake_number(&api, "objects.jobs") == 1);
    fake_until(&api, job, "status.succeeded", "1");
    delete_its_only_pod();
    WAIT_UNTIL(f, fake_number(&api, "objects.pods") == 0);
    fake_do(&api, 200, "POST", "/-/expire-watches", NULL); /* what happened meanwhile is not told any more */
    fake_do(&api, 200, "DELETE", "/-/faults", NULL);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fake_number(&api, "objects.jobs"), 1);
    free(job);
}

static void pools_hold_across_pods_and_faults(void **state)
{
    struct fleet *f = *state;
    char script[512];
    int now = 0, most = 0, n = 0;

    free(fleet_call(f, NULL, "pools set p 3"));
    fake_do(&api, 200, "POST", "/-/faults",
            "[{'match': {'method': 'POST', 'path': '" JOBS
            "'}, 'times': 3, 'do': '429-text', 'retry_after': 1},"
            " {'match': {'method': 'POST', 'path': '" JOBS "'}, 'times': 3, 'skip': 3, 'do': 'reset-after'},"
            " {'match': {'method': 'POST', 'path': '" JOBS "'}, 'times': 3, 'skip': 6, 'do': '500'}]");
    dequeuer_start(f, "");
    snprintf(script, sizeof script,
             "{`steps`: [{`name`: `a`, `pool`: `p`, `command`: `echo begin >>%s/record; sleep 0.2; echo end "
             ">>%s/record`}]}",
             f->server.dir, f->server.dir);
    for (int i = 0; i < 12; i++)
        fleet_submit_json(f, script);
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    for (const char *p = fleet_file(f, "record"); *p; p = strchr(p, '\n') + 1, n++) {
        now += *p == 'b' ? 1 : -1;
        most = now > most ? now : most;
    }
    assert_int_equal(n, 24); /* each ran once */
    assert_int_equal(now, 0);
    assert_true(most <= 3);
    assert_true(none_runs());
}

static void steps_of_one_process_make_no_pods(void **state)
{
    struct fleet *f = *state;

    dequeuer_start(f, "");
    const char *run = fleet_submit_json(
        f, "{`executor`: `in_process`, `steps`: [{`name`: `a`, `command`: `echo $RIVERS_STEP`}]}");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(lua_cmd(&f->lua, "GET @log:%s/a", run), "a\n");
    assert_int_equal(fake_jobs(&api), 0);
}

/* A killed executor leaves its pod; the next attempt of the run ends it before it starts its own. */
static void the_pods_of_an_earlier_attempt_end_first(void **state)
{
    struct fleet *f = *state;
    char script[512];

    dequeuer_start(f, "");
    snprintf(
        script, sizeof script,
        "{`on_lost`: `requeue`, `steps`: [{`name`: `a`, `command`: `echo $RIVERS_ATTEMPT begin >>%s/record; "
        "[ $RIVERS_ATTEMPT = 2 ] || { trap 'echo 1 end >>%s/record; exit' TERM; while :; do sleep 0.02; "
        "done; }`}]}",
        f->server.dir, f->server.dir);
    const char *run = fleet_submit_json(f, script);
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(fleet_executor(f, run), SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_file(f, "record"), "1 begin\n1 end\n2 begin\n");
    assert_true(none_runs());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POD_TEST(a_step_runs_in_a_pod),
        POD_TEST(each_end_of_a_pod_has_its_word),
        POD_TEST(an_end_is_tried_again_by_its_name),
        POD_TEST(what_keeps_a_pod_waiting_is_told_and_fails_it_in_the_end),
        POD_TEST(a_canceled_step_is_over_when_its_pod_is),
        POD_TEST(a_step_that_takes_too_long_is_ended),
        POD_TEST(steps_of_one_process_make_no_pods),
        POD_TEST(the_pods_of_an_earlier_attempt_end_first),
    };
    const struct CMUnitTest faults[] = {
        POD_TEST(a_step_that_was_over_unseen_ends_at_once),
        POD_TEST(pools_hold_across_pods_and_faults),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    if (!kube_server_is_real())
        failed += cmocka_run_group_tests(faults, NULL, NULL);
    return failed;
}
