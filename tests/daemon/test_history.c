/* What becomes of dequeuers and executors when the server comes back with older data than they have seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/fleet.h"

static void in_server_directory(struct fleet *f, const char *command)
{
    char *line = xasprintf("cd '%s' && %s", f->server.dir, command);

    assert_int_equal(system(line), 0);
    free(line);
}

static void restore(struct fleet *f)
{
    lua_close(&f->lua);
    redis_server_kill(&f->server);
    in_server_directory(f, "rm -r appendonlydir && mv backup appendonlydir");
    redis_server_restart(&f->server);
    lua_open(&f->lua, &f->server);
}

/* One run is known to the backup and goes on, one is not: its steps are ended before anything is admitted. */
static void restore_of_a_backup(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 4s");
    fleet_start(f, "dequeuer --id a");
    const char *known = fleet_submit(f, "", "echo 0 >>known; until [ -e on ]; do sleep 0.02; done");
    WAIT_UNTIL(f, fleet_lines(f, "known") == 1 && fleet_count(fleet_story(f, known), "StepStart"));
    in_server_directory(f, "cp -r appendonlydir backup");
    const char *unknown = fleet_submit(f, "", UNTIL_KILLED);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_count(fleet_story(f, unknown), "StepStart"));
    int64_t token = fleet_number(f, "HGET @run:%s token", unknown);

    restore(f);
    const char *next = fleet_submit(
        f, "", "kill -0 $(cat pids) 2>/dev/null && echo alive >>overlap; echo $RIVERS_TOKEN >>next");
    assert_string_equal(fleet_outcome(f, next), "Success");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
    assert_int_equal(fleet_lines(f, "overlap"), 0);
    assert_true(strtoll(fleet_file(f, "next"), NULL, 10) > token);
    assert_true(fleet_is(f, "14", "HSTRLEN @meta epoch"));
    assert_true(fleet_is(f, "0", "EXISTS @run:%s", unknown));
    char *events = fleet_call(f, NULL, "events");
    assert_int_equal(fleet_count(events, "  HistoryLost "), 1);
    free(events);
    fleet_write(f, "on", "");
    assert_string_equal(fleet_outcome(f, known), "Success");
    assert_int_equal(fleet_lines(f, "known"), 1);
    WAIT_UNTIL(f, fleet_count(fleet_file(f, "log"), "history was lost") == 1);
    fleet_assert_idle(f);
}

/* A dequeuer that never saw the tokens which were lost gives the run out again, mostly under the token that its executor has. That
 * one ends while the other works. */
static void run_is_given_out_again(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 10s");
    const char *run = fleet_submit(f, "", "echo $$ >>pids; until [ -e on ]; do sleep 0.02; done");
    in_server_directory(f, "cp -r appendonlydir backup");
    pid_t first = fleet_start(f, "dequeuer --id a");
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1);
    kill(first, SIGKILL);
    fleet_wait_exit(first);

    restore(f);
    fleet_start(f, "dequeuer --id b");
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 2);
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 1);
    assert_true(fleet_is(f, "Started", "HGET @run:%s state", run));
    fleet_write(f, "on", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    fleet_assert_idle(f);
}

/* By one of two dequeuers; it is in no log of the other, and nothing is put right. */
static void drift_is_found_in_the_background(void **state)
{
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "--delay 1h", "true");

    lua_cmd(&f->lua, "ZREM @delayed %s", run);
    fleet_start(f, "dequeuer --id a");
    fleet_start(f, "dequeuer --id b");
    WAIT_UNTIL(f, fleet_is(f, "1", "HGET @meta drift"));
    WAIT_UNTIL(f, fleet_count(fleet_file(f, "log"), "drift found") == 1);
    assert_true(fleet_is(f, "0", "EXISTS @delayed @queue"));
    char *top = fleet_call(f, NULL, "top");
    assert_int_equal(fleet_count(top, "DRIFT FOUND"), 1);
    free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(restore_of_a_backup),
        FLEET_TEST(run_is_given_out_again),
        FLEET_TEST(drift_is_found_in_the_background),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
