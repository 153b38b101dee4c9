/* What becomes of runs when dequeuers and executors are killed or stand still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fleet.h"

/* A dequeuer that was killed between admission and launch is one that never launches. */
static void run_of_a_dead_dequeuer_is_launched_by_another(void **state)
{
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "--tag team=a", "echo ran >>record");

    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    fleet_admit_for_nobody(f, "1");
    fleet_start(f, "dequeuer --id alive");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunRequeued RunDequeued RunStart "
                                             "StepStart:main StepSuccess:main RunSuccess");
    assert_true(fleet_is(f, "alive 2", "HMGET @run:%s dequeuer attempt", run));
    assert_int_equal(fleet_lines(f, "record"), 1);
    fleet_assert_idle(f);
}

static void runs_outlive_their_dequeuer(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit(f, "", "echo ready >>record; until [ -e go ]; do sleep 0.02; done; echo done >>record");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 2);
}

/* The lease has its default of 30s: the loss is seen by the end of the process. */
static void dequeuer_sees_its_executor_die(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(
        f, "--tag team=a", "setsid sleep 1000 & echo $! >>pids; sleep 1000 & echo $! >>pids; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 3 && fleet_count(fleet_story(f, run), "StepStart"));
    kill(fleet_executor(f, run), SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: killed by signal 9");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
    fleet_assert_idle(f);
    assert_string_equal(fleet_story(f, run),
                        "RunQueued RunDequeued RunStart StepStart:main StepLost:main RunFailure");
}

static void lease_ends_when_dequeuer_and_executor_die(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 2s");
    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    pid_t first = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "--tag team=a", UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1);
    kill(first, SIGKILL);
    assert_int_equal(fleet_wait_exit(first), 128 + SIGKILL);
    kill(fleet_executor(f, run), SIGKILL);
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost");
    fleet_assert_idle(f);
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 0);
}

static void lost_run_is_queued_again_without_the_steps_that_succeeded(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit_json(f, "{`on_lost`: `requeue`, `steps`: [{`name`: `a`, `command`: `echo a >>record`}, "
                             "{`name`: `b`, `command`: `echo $RIVERS_ATTEMPT $RIVERS_STEP_ATTEMPT >>b; "
                             "until [ -e go ]; do sleep 0.02; done`}]}");

    WAIT_UNTIL(f, fleet_lines(f, "b") == 1 && fleet_count(fleet_story(f, run), "StepStart:b"));
    kill(fleet_executor(f, run), SIGKILL);
    WAIT_UNTIL(f, fleet_lines(f, "b") == 2);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_file(f, "b"), "1 1\n2 2\n");
    assert_int_equal(fleet_lines(f, "record"), 1);
}

static void lost_run_is_given_up_after_max_attempts(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit_json(f, "{`on_lost`: `requeue`, `max_attempts`: 2, `steps`: [{`name`: `a`, "
                             "`command`: `" UNTIL_KILLED "`}]}");

    for (size_t attempt = 1; attempt <= 2; attempt++) {
        WAIT_UNTIL(f, fleet_lines(f, "pids") == attempt);
        kill(fleet_executor(f, run), SIGKILL);
    }
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: killed by signal 9");
    assert_int_equal(fleet_lines(f, "pids"), 2);
    assert_int_equal(fleet_count(fleet_story(f, run), "RunRequeued"), 1);
}

/* Nobody on this host knows them any more but the guard of the executor. */
static void nothing_is_left_when_dequeuer_and_executor_die(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "",
                                   "(setsid sh -c 'trap \"\" TERM; echo $$ >>pids; sleep 1000' &) & "
                                   "sleep 1000 & echo $! >>pids; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 3 && fleet_executor(f, run));
    pid_t executor = fleet_executor(f, run);
    kill(dequeuer, SIGSTOP);
    kill(executor, SIGKILL);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 0);
}

/* It is another process each time that somebody looks. */
static void orphans_that_fork_on_are_ended(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    fleet_write(f, "hop", "echo >>hops; [ $1 -ge 20000 ] || setsid sh hop $(($1 + 1)) &\n");
    const char *run = fleet_submit(f, "", "setsid sh hop 0 & " UNTIL_KILLED);
    WAIT_UNTIL(f, fleet_lines(f, "hops") > 10 && fleet_lines(f, "pids") == 1);
    kill(fleet_executor(f, run), SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: killed by signal 9");
    size_t hops = fleet_lines(f, "hops");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    assert_int_equal(fleet_lines(f, "hops"), hops);
}

/* The guard of another run is the same; the next one gets another guard. That a run is lost is said by the dequeuer, or before that
 * by its executor, which the kernel tells. */
static void dequeuer_sees_its_guard_die(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *first = fleet_submit(f, "", "setsid sleep 1000 & echo $! >>pids; " UNTIL_KILLED);
    const char *second = fleet_submit(f, "", UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 3 && fleet_executor(f, first) && fleet_executor(f, second));
    assert_int_equal(getpgid(fleet_executor(f, first)), fleet_guard(dequeuer));
    assert_int_equal(getpgid(fleet_executor(f, second)), fleet_guard(dequeuer));
    kill(fleet_guard(dequeuer), SIGKILL);
    assert_memory_equal(fleet_outcome(f, first), "Failure executor lost", strlen("Failure executor lost"));
    assert_memory_equal(fleet_outcome(f, second), "Failure executor lost", strlen("Failure executor lost"));
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 0);
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
}

/* One executor is killed, others of the same guard go on, and so does what left its group below them. */
static void executor_that_dies_leaves_others_alone(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *first = fleet_submit(f, "", "setsid sleep 1000 & echo $! >>pids; " UNTIL_KILLED);
    const char *second = fleet_submit(f, "",
                                      "(setsid sh -c 'echo $$ >>others; exec sleep 1000' &) & "
                                      "until [ -e go ]; do sleep 0.02; done");

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 2 && fleet_lines(f, "others") == 1 && fleet_executor(f, second));
    kill(fleet_executor(f, first), SIGKILL);
    assert_string_equal(fleet_outcome(f, first), "Failure executor lost: killed by signal 9");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
    assert_int_equal(fleet_alive_in(f, "others"), 1);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, second), "Success");
    assert_int_equal(fleet_alive_in(f, "others"), 0);
}

/* No run misses it, and the next one is forked for its run. */
static void executor_forked_ahead_dies(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");

    WAIT_UNTIL(f, fleet_children(dequeuer) == 1 && fleet_children(fleet_guard(dequeuer)) == 1);
    pid_t guard = fleet_guard(dequeuer), ahead = fleet_child(guard);
    kill(ahead, SIGKILL);
    WAIT_UNTIL(f, !fleet_is_alive(ahead));
    const char *run = fleet_submit(f, "", "true");
    assert_string_equal(fleet_outcome(f, run), "Success");
    WAIT_UNTIL(f, fleet_children(guard) == 1 && fleet_child(guard) != fleet_executor(f, run));
    ahead = fleet_child(guard);
    run = fleet_submit(f, "", "true");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_executor(f, run), ahead);
    fleet_assert_idle(f);
}

static void executor_ends_its_run_when_its_guard_dies(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_executor(f, run));
    pid_t guard = fleet_guard(dequeuer);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    kill(guard, SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost: executor terminated by signal 15");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

/* Its guard kills it before its lease is given on: nothing of the run lives when that is known. */
static void executor_that_stands_still_is_ended_in_time(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 8s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "setsid sleep 1000 & echo $! >>pids; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 2 && fleet_count(fleet_story(f, run), "StepStart"));
    kill(fleet_executor(f, run), SIGSTOP);
    assert_memory_equal(fleet_outcome(f, run), "Failure executor lost", strlen("Failure executor lost"));
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

/* Its fence and the stale token both tell it, in either order. Its guard stands still as well. */
static void executor_that_stood_still_gives_its_run_up(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_count(fleet_story(f, run), "StepStart"));
    pid_t executor = fleet_executor(f, run), guard = getpgid(executor);
    kill(-guard, SIGSTOP);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost");
    assert_int_equal(fleet_alive_in(f, "pids"), 1);
    kill(-guard, SIGCONT);
    WAIT_UNTIL(f, !fleet_is_alive(executor) && fleet_alive_in(f, "pids") == 0);
    assert_string_equal(fleet_story(f, run),
                        "RunQueued RunDequeued RunStart StepStart:main StepLost:main RunFailure");
}

/* The first executor and all above it come back while the second works on the run. */
static void executor_that_was_replaced_changes_nothing(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(
        f, "{`on_lost`: `requeue`, `steps`: [{`name`: `a`, `command`: `echo $RIVERS_ATTEMPT >>record; "
           "until [ -e go ]; do sleep 0.02; done; echo end $RIVERS_ATTEMPT >>ended`}]}");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    pid_t first = fleet_executor(f, run), guard = getpgid(first);
    kill(dequeuer, SIGSTOP);
    kill(-guard, SIGSTOP);
    fleet_start(f, "dequeuer");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
    kill(dequeuer, SIGCONT);
    kill(-guard, SIGCONT);
    WAIT_UNTIL(f, !fleet_is_alive(first));
    assert_true(fleet_is(f, "Started 2", "HMGET @run:%s state attempt", run));
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_file(f, "ended"), "end 2\n");
}

/* What was ordered from it goes back to its place when the lease of the launch ends. */
static void guard_that_stands_still_is_replaced(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "until [ -e go ]; do sleep 0.02; done");

    WAIT_UNTIL(f, fleet_executor(f, run));
    pid_t guard = getpgid(fleet_executor(f, run));
    kill(guard, SIGSTOP);
    const char *next = fleet_submit(f, "", "echo ran >>record");
    assert_string_equal(fleet_outcome(f, next), "Success");
    assert_string_equal(fleet_story(f, next), "RunQueued RunDequeued RunRequeued RunDequeued RunStart "
                                              "StepStart:main StepSuccess:main RunSuccess");
    assert_int_equal(fleet_children(dequeuer), 2);
    kill(guard, SIGCONT);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    WAIT_UNTIL(f, fleet_children(dequeuer) == 1 && !fleet_is_alive(guard));
    assert_int_equal(fleet_lines(f, "record"), 1);
}

/* It is another guard that launches what comes when the first one was given up. */
static void wait_for_another_guard(struct fleet *f, pid_t dequeuer)
{
    for (int i = 0; fleet_children(dequeuer) < 2; i++) {
        assert_true(i < 150);
        fleet_submit(f, "", "true");
        usleep(200000);
    }
}

/* It was given up, but goes on before the lease of the launch ends: then what it launches counts, and is no less looked after. */
static void what_a_guard_launches_late_is_looked_after(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config max_concurrent_runs 200");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    pid_t guard = fleet_guard(dequeuer);
    kill(guard, SIGSTOP);
    const char *first = fleet_submit(f, "", "setsid sleep 1000 & echo $! >>pids; " UNTIL_KILLED);
    const char *second = fleet_submit(f, "", "setsid sleep 1000 & echo $! >>pids; " UNTIL_KILLED);
    wait_for_another_guard(f, dequeuer);
    kill(guard, SIGCONT);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 4 && fleet_executor(f, first) && fleet_executor(f, second));
    assert_int_equal(getpgid(fleet_executor(f, first)), guard);
    kill(fleet_executor(f, first), SIGKILL);
    assert_string_equal(fleet_outcome(f, first), "Failure executor lost: killed by signal 9");
    assert_int_equal(fleet_alive_in(f, "pids"), 2);
    kill(guard, SIGKILL);
    assert_string_equal(fleet_outcome(f, second), "Failure executor lost: killed by signal 9");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

static void no_executor_within_start_timeout(void **state)
{
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "", "true");
    char token[24];

    snprintf(token, sizeof token, "%lld", (long long)fleet_admit_for_nobody(f, "30000"));
    assert_string_equal(lua_run(&f->lua, SCRIPT_RUN_ATTEND, "", "15000", "1000", run, token, "1", "", NULL),
                        "OK NotStarted");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, run), "Failure no executor appeared within 1s of dequeue");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunLaunchFailed RunFailure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(run_of_a_dead_dequeuer_is_launched_by_another),
        FLEET_TEST(runs_outlive_their_dequeuer),
        FLEET_TEST(dequeuer_sees_its_executor_die),
        FLEET_TEST(lease_ends_when_dequeuer_and_executor_die),
        FLEET_TEST(lost_run_is_queued_again_without_the_steps_that_succeeded),
        FLEET_TEST(lost_run_is_given_up_after_max_attempts),
        FLEET_TEST(nothing_is_left_when_dequeuer_and_executor_die),
        FLEET_TEST(orphans_that_fork_on_are_ended),
        FLEET_TEST(dequeuer_sees_its_guard_die),
        FLEET_TEST(executor_that_dies_leaves_others_alone),
        FLEET_TEST(executor_forked_ahead_dies),
        FLEET_TEST(executor_ends_its_run_when_its_guard_dies),
        FLEET_TEST(executor_that_stands_still_is_ended_in_time),
        FLEET_TEST(executor_that_stood_still_gives_its_run_up),
        FLEET_TEST(executor_that_was_replaced_changes_nothing),
        FLEET_TEST(guard_that_stands_still_is_replaced),
        FLEET_TEST(what_a_guard_launches_late_is_looked_after),
        FLEET_TEST(no_executor_within_start_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
