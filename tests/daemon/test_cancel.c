#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/fleet.h"

static void cancel(struct fleet *f, const char *run, const char *grace)
{
    int status;

    free(fleet_call(f, &status, "runs cancel --grace %s %s", grace, run));
    assert_int_equal(status, 0);
}

static void queued_run_is_canceled_at_once(void **state)
{
    struct fleet *f = *state;
    const char *queued = fleet_submit(f, "", "echo ran >>record");
    const char *delayed = fleet_submit(f, "--delay 1h", "echo ran >>record");
    const char *next = fleet_submit(f, "", "true");

    cancel(f, queued, "1h");
    assert_true(fleet_is(f, "Canceled", "HGET @run:%s state", queued));
    cancel(f, delayed, "1h");
    assert_true(fleet_is(f, "Canceled", "HGET @run:%s state", delayed));
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, next), "Success");
    assert_string_equal(fleet_story(f, queued), "RunQueued RunCanceled");
    assert_string_equal(fleet_file(f, "record"), "");
}

static void admitted_run_is_canceled_before_it_starts(void **state)
{
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "--tag team=a", "echo ran >>record");

    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    fleet_admit_for_nobody(f, "30000");
    cancel(f, run, "1h");
    assert_true(fleet_is(f, "Canceled", "HGET @run:%s state", run));
    fleet_assert_idle(f);
}

static void started_run_ends_by_sigterm(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "trap 'echo told; exit 0' TERM; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && strstr(fleet_story(f, run), "StepStart:main"));
    cancel(f, run, "1h");
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_non_null(strstr(lua_cmd(&f->lua, "GET @log:%s/main", run), "told\n"));
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunStart StepStart:main RunCanceling "
                                             "StepCanceled:main RunCanceled");
}

static void sigkill_ends_what_ignores_sigterm(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "",
                                   "trap '' TERM; sleep 1000 & echo $! >>pids; "
                                   "setsid sleep 1000 >/dev/null 2>&1 & echo $! >>pids; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 3);
    cancel(f, run, "50ms");
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

/* The second cancel shortens the grace of the first. */
static void canceled_again_with_less_grace(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "trap 'echo told >>record' TERM; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1);
    cancel(f, run, "1h");
    WAIT_UNTIL(f, fleet_lines(f, "record") >= 1);
    cancel(f, run, "0s");
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

static void step_that_waits_to_be_tried_again_is_canceled_at_once(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `retries`: {`max`: 1, `backoff`: `1h`, `max_backoff`: `1h`}, "
           "`command`: `false`}, {`name`: `b`, `command`: `true`}]}");

    WAIT_UNTIL(f, strstr(fleet_story(f, run), "StepRetry:a"));
    cancel(f, run, "1h");
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunStart StepStart:a StepRetry:a "
                                             "RunCanceling StepSkipped:b StepCanceled:a RunCanceled");
}

static void canceled_run_lets_the_next_one_in(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    fleet_start(f, "dequeuer");
    const char *first = fleet_submit(f, "--tag team=a", UNTIL_KILLED);
    const char *second = fleet_submit(f, "--tag team=a", "true");

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1);
    assert_true(fleet_is(f, "Queued", "HGET @run:%s state", second));
    cancel(f, first, "1h");
    assert_string_equal(fleet_outcome(f, second), "Success");
    assert_string_equal(fleet_outcome(f, first), "Canceled");
    fleet_assert_idle(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(queued_run_is_canceled_at_once),
        FLEET_TEST(admitted_run_is_canceled_before_it_starts),
        FLEET_TEST(started_run_ends_by_sigterm),
        FLEET_TEST(sigkill_ends_what_ignores_sigterm),
        FLEET_TEST(canceled_again_with_less_grace),
        FLEET_TEST(step_that_waits_to_be_tried_again_is_canceled_at_once),
        FLEET_TEST(canceled_run_lets_the_next_one_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
