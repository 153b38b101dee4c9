#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fleet.h"

#define LOG_KEPT_MAX (1048576 + 262144)

static void assert_log(struct fleet *f, const char *run, const char *step, const char *want)
{
    assert_string_equal(lua_cmd(&f->lua, "GET @log:%s/%s", run, step), want);
}

/* Shells tell of signals there as well. */
static void assert_in_log(struct fleet *f, const char *run, const char *step, const char *want)
{
    assert_non_null(strstr(lua_cmd(&f->lua, "GET @log:%s/%s", run, step), want));
}

static void steps_run_in_order_with_their_environment(void **state)
{
    struct fleet *f = *state;
    char want[256];

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(
        f,
        "{`job`: `nightly`, `tags`: {`team`: `growth`}, `env`: {`DAY`: `monday`, `HOUR`: `5`}, `steps`: ["
        "{`name`: `extract`, `command`: `echo $RIVERS_RUN_ID $RIVERS_JOB $RIVERS_NAMESPACE $RIVERS_ATTEMPT "
        "$RIVERS_TOKEN $RIVERS_STEP $RIVERS_STEP_ATTEMPT $RIVERS_TAG_TEAM $DAY $HOUR`},"
        "{`name`: `load`, `command`: [`sh`, `-c`, `echo $DAY $HOUR >&2`], `env`: {`DAY`: `tuesday`}}]}");

    assert_string_equal(fleet_outcome(f, run), "Success");
    snprintf(want, sizeof want, "%s nightly test 1 1 extract 1 growth monday 5\n", run);
    assert_log(f, run, "extract", want);
    assert_log(f, run, "load", "tuesday 5\n");
    assert_string_equal(fleet_story(f, run),
                        "RunQueued RunDequeued RunStart StepStart:extract StepSuccess:extract StepStart:load "
                        "StepSuccess:load RunSuccess");
}

static void failed_step_fails_the_run_and_skips_the_rest(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `command`: `echo oh; exit 3`},"
                                           "{`name`: `b`, `command`: `echo b >>record`}]}");

    assert_string_equal(fleet_outcome(f, run), "Failure step 'a' failed: exit:3");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunStart StepStart:a StepFailure:a "
                                             "StepSkipped:b RunFailure");
    assert_log(f, run, "a", "oh\n");
    assert_string_equal(fleet_file(f, "record"), "");
}

static void step_killed_by_a_signal_fails(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "kill -KILL $$")),
                        "Failure step 'main' failed: signal:9");
}

static void command_that_is_missing_is_told_in_the_log(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `command`: [`no-such-command`]}]}");

    assert_string_equal(fleet_outcome(f, run), "Failure step 'a' failed: exit:127");
    assert_log(f, run, "a", "cannot run 'no-such-command': No such file or directory\n");
}

static void step_works_in_its_directory(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *here = fleet_submit(f, "", "pwd");
    const char *root = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `command`: `pwd`, `cwd`: `/`}]}");
    const char *nowhere =
        fleet_submit_json(f, "{`steps`: [{`name`: `a`, `command`: `pwd`, `cwd`: `/nowhere`}]}");

    assert_string_equal(fleet_outcome(f, here), "Success");
    assert_non_null(strstr(lua_cmd(&f->lua, "GET @log:%s/main", here), f->server.dir));
    assert_string_equal(fleet_outcome(f, root), "Success");
    assert_log(f, root, "a", "/\n");
    assert_string_equal(fleet_outcome(f, nowhere), "Failure step 'a' failed: exit:127");
    assert_log(f, nowhere, "a", "cannot enter directory '/nowhere': No such file or directory\n");
}

static void timeout_ends_a_step_gently_then_by_force(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *gentle = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `timeout`: `1s`, `command`: `trap \\`echo told; exit 0\\` TERM; "
           "while :; do sleep 0.02; done`}]}");
    const char *stubborn = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `timeout`: `1s`, `grace`: `10ms`, `command`: `trap \\`\\` TERM; "
           "echo $$ >>pids; while :; do sleep 0.02; done`}]}");

    assert_string_equal(fleet_outcome(f, gentle), "Failure step 'a' failed: timeout");
    assert_in_log(f, gentle, "a", "told\n");
    assert_string_equal(fleet_outcome(f, stubborn), "Failure step 'a' failed: timeout");
    assert_int_equal(fleet_lines(f, "pids"), 1);
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

static void failed_step_is_tried_again(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *third = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `retries`: {`max`: 3, `backoff`: `10ms`}, "
           "`command`: `echo $RIVERS_STEP_ATTEMPT >>record; [ $RIVERS_STEP_ATTEMPT = 3 ]`}]}");

    assert_string_equal(fleet_outcome(f, third), "Success");
    assert_string_equal(fleet_file(f, "record"), "1\n2\n3\n");
    assert_string_equal(fleet_story(f, third),
                        "RunQueued RunDequeued RunStart StepStart:a StepRetry:a StepStart:a StepRetry:a "
                        "StepStart:a StepSuccess:a RunSuccess");
}

static void retries_end(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *never = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `retries`: {`max`: 1, `backoff`: "
                                             "`10ms`}, `command`: `echo try >>record; exit 7`}]}");
    const char *other = fleet_submit_json(f, "{`steps`: [{`name`: `a`, `retries`: {`max`: 5, `on`: [9]}, "
                                             "`command`: `echo try >>other; exit 7`}]}");

    assert_string_equal(fleet_outcome(f, never), "Failure step 'a' failed: exit:7");
    assert_int_equal(fleet_lines(f, "record"), 2);
    assert_string_equal(fleet_outcome(f, other), "Failure step 'a' failed: exit:7");
    assert_int_equal(fleet_lines(f, "other"), 1);
}

static void the_end_of_a_long_log_is_kept(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end");

    assert_string_equal(fleet_outcome(f, run), "Success");
    int64_t kept = fleet_number(f, "STRLEN @log:%s/main", run);
    assert_true(kept <= LOG_KEPT_MAX);
    /* That none was missing, because Redis kept up, is as good; and when it did not, none may have been too much. */
    assert_int_equal(kept + fleet_number(f, "HINCRBY @run:%s dropped:main 0", run) +
                         fleet_number(f, "HINCRBY @run:%s missing:main 0", run),
                     3000009);
    assert_true(fleet_is(f, "x\nthe end\n", "GETRANGE @log:%s/main -10 -1", run));
}

/* Also one that made a session of its own. */
static void nothing_of_a_run_survives_it(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(
        f, "", "sleep 1000 & echo $! >>pids; setsid sleep 1000 >/dev/null 2>&1 & echo $! >>pids");

    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "pids"), 2);
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

static void signals_go_to_the_steps(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(
        f, "", "trap 'echo usr1; exit 0' USR1; echo ready >>record; while :; do sleep 0.02; done");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(fleet_executor(f, run), SIGUSR1);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_in_log(f, run, "main", "usr1\n");
}

static void executor_that_is_told_to_end_ends_its_steps(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "trap 'echo told; exit 0' TERM; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1);
    kill(fleet_executor(f, run), SIGTERM);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: executor terminated by signal 15");
    assert_in_log(f, run, "main", "told\n");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

static int execute(struct fleet *f, const char *run, int64_t token)
{
    char number[24];
    int status;

    snprintf(number, sizeof number, "%lld", (long long)token);
    setenv("RIVERS_TOKEN", number, 1);
    free(fleet_call(f, &status, "execute %s", run));
    unsetenv("RIVERS_TOKEN");
    return status;
}

static void stale_token_executes_nothing(void **state)
{
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "", "echo ran >>record");
    int64_t stale =
        fleet_admit_for_nobody(f, "0"); /* its launch lease has ended: the next call takes it back */
    int64_t token = fleet_admit_for_nobody(f, "30000");

    assert_true(token > stale);
    assert_int_equal(execute(f, run, stale), 0);
    assert_true(fleet_is(f, "NotStarted", "HGET @run:%s state", run));
    assert_int_equal(execute(f, run, token), 0);
    assert_int_equal(execute(f, run, token), 0);
    assert_int_equal(execute(f, "r00000000000000000", token), 0);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(steps_run_in_order_with_their_environment),
        FLEET_TEST(failed_step_fails_the_run_and_skips_the_rest),
        FLEET_TEST(step_killed_by_a_signal_fails),
        FLEET_TEST(command_that_is_missing_is_told_in_the_log),
        FLEET_TEST(step_works_in_its_directory),
        FLEET_TEST(timeout_ends_a_step_gently_then_by_force),
        FLEET_TEST(failed_step_is_tried_again),
        FLEET_TEST(retries_end),
        FLEET_TEST(the_end_of_a_long_log_is_kept),
        FLEET_TEST(nothing_of_a_run_survives_it),
        FLEET_TEST(signals_go_to_the_steps),
        FLEET_TEST(executor_that_is_told_to_end_ends_its_steps),
        FLEET_TEST(stale_token_executes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
