/* What becomes of runs and dequeuers when Redis stands still or is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "support/fleet.h"

/* One ends during the outage, two after it. */
static void start_three(struct fleet *f, const char *runs[3])
{
    fleet_start(f, "dequeuer --id a");
    fleet_start(f, "dequeuer --id b");
    runs[0] = fleet_submit(f, "", "echo 0 >>record; until [ -e go ]; do sleep 0.02; done; echo 0 >>ended");
    runs[1] = fleet_submit(f, "", "echo 1 >>record; until [ -e on ]; do sleep 0.02; done; echo 1 >>ended");
    runs[2] = fleet_submit(f, "", "echo 2 >>record; until [ -e on ]; do sleep 0.02; done; echo 2 >>ended");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 3);
}

static void assert_all_went_well(struct fleet *f, const char *runs[3])
{
    fleet_write(f, "on", "");
    for (int i = 0; i < 3; i++)
        assert_string_equal(fleet_outcome(f, runs[i]), "Success");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "echo next >>record")), "Success");
    assert_int_equal(fleet_lines(f, "record"), 4);
    assert_int_equal(fleet_lines(f, "ended"), 3);
    fleet_assert_idle(f);
}

static void server_stands_still(void **state)
{
    struct fleet *f = *state;
    const char *runs[3];

    start_three(f, runs);
    kill(f->server.pid, SIGSTOP);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "ended") == 1);
    kill(f->server.pid, SIGCONT);
    assert_all_went_well(f, runs);
}

static void server_is_killed_and_comes_back(void **state)
{
    struct fleet *f = *state;
    const char *runs[3];

    start_three(f, runs);
    lua_close(&f->lua);
    redis_server_kill(&f->server);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "ended") == 1);
    redis_server_restart(&f->server);
    lua_open(&f->lua, &f->server);
    assert_all_went_well(f, runs);
}

/* A restart without the scripts, with dequeuers and executors that had them loaded. */
static void server_forgets_the_scripts(void **state)
{
    struct fleet *f = *state;
    const char *runs[3];

    start_three(f, runs);
    lua_cmd(&f->lua, "SCRIPT FLUSH");
    fleet_write(f, "go", "");
    assert_all_went_well(f, runs);
}

/* Seven tenths of the lease, in which the run holds its lease and slots. The server is away in one of two ways. */
static void outage_shorter_than_the_lease(struct fleet *f, void (*begin)(struct fleet *),
                                          void (*end)(struct fleet *))
{
    static const struct timespec outage = {.tv_sec = 5, .tv_nsec = 600000000};

    lua_cmd(&f->lua, "HSET @config run_lease 8s");
    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    lua_cmd(&f->lua, "HSET @pool_leases db 8000");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(
        f,
        "{`steps`: [{`name`: `a`, `pool`: `db`, `command`: `echo 0 >>record; until [ -e on ]; do sleep 0.02; "
        "done; echo 0 >>ended`}]}");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    begin(f);
    nanosleep(&outage, NULL);
    end(f);
    const char *next = fleet_submit(f, "", "true");
    assert_string_equal(fleet_outcome(f, next), "Success");
    fleet_write(f, "on", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "ended"), 1);
    assert_int_equal(fleet_count(fleet_story(f, run), "StepStart"), 1);
    fleet_assert_idle(f);
}

static void stop(struct fleet *f)
{
    kill(f->server.pid, SIGSTOP);
}

static void go_on(struct fleet *f)
{
    kill(f->server.pid, SIGCONT);
}

static void kill_server(struct fleet *f)
{
    lua_close(&f->lua);
    redis_server_kill(&f->server);
}

static void restart(struct fleet *f)
{
    redis_server_restart(&f->server);
    lua_open(&f->lua, &f->server);
}

static void standstill_shorter_than_the_lease_disturbs_nothing(void **state)
{
    outage_shorter_than_the_lease(*state, stop, go_on);
}

static void restart_shorter_than_the_lease_disturbs_nothing(void **state)
{
    outage_shorter_than_the_lease(*state, kill_server, restart);
}

/* What runs ends, and says what of its output is not there; nothing new comes in until there is room. */
static void memory_is_full(void **state)
{
    struct fleet *f = *state;
    int status;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo begun; until [ -e go ]; do sleep 0.02; done; echo over");
    WAIT_UNTIL(f, fleet_number(f, "STRLEN @log:%s/main", run) == 6);
    lua_cmd(&f->lua, "CONFIG SET maxmemory 1");
    free(fleet_call(f, &status, "submit -- true"));
    assert_int_equal(status, 1);
    assert_non_null(strstr(fleet_file(f, "log"), "run/submit was refused: raise its maxmemory"));
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "cannot admit"));
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    WAIT_UNTIL(f, fleet_is(f, "5", "HGET @run:%s missing:main", run));
    char *said = fleet_call(f, NULL, "runs logs %s", run);
    assert_string_equal(said, "begun\n[5 bytes could not be kept]\n");
    free(said);
    assert_non_null(strstr(fleet_file(f, "log"), "output of a step could not be kept"));
    lua_cmd(&f->lua, "CONFIG SET maxmemory 0");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    fleet_assert_idle(f);
}

/* Who follows is told where output is missing, and sees nothing twice. */
static void follower_is_told_what_full_memory_cost(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "",
                                   "echo begun; until [ -e go ]; do sleep 0.02; done; echo lost; "
                                   "until [ -e on ]; do sleep 0.02; done; echo over");
    char *words = xasprintf("runs logs -f %s", run);
    pid_t follower = fleet_start(f, words);
    free(words);
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "begun\n"));
    lua_cmd(&f->lua, "CONFIG SET maxmemory 1");
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "[5 bytes could not be kept]\n"));
    lua_cmd(&f->lua, "CONFIG SET maxmemory 0");
    fleet_write(f, "on", "");
    assert_int_equal(fleet_wait_exit(follower), 0);
    assert_int_equal(fleet_count(fleet_file(f, "log"), "begun"), 1);
    assert_int_equal(fleet_count(fleet_file(f, "log"), "kept]"), 1);
    assert_int_equal(fleet_count(fleet_file(f, "log"), "over"), 1);
}

/* The step writes nothing more, and its log is whole all the same. */
static void output_of_an_outage_comes_before_the_step_ends(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "",
                                   "echo begun; until [ -e go ]; do sleep 0.02; done; "
                                   "head -c 262144 /dev/zero | tr '\\0' x; sleep 0.5; echo last; sleep 0.5; "
                                   "echo >>written; until [ -e on ]; do sleep 0.02; done");
    WAIT_UNTIL(f, fleet_number(f, "STRLEN @log:%s/main", run) == 6);
    kill(f->server.pid, SIGSTOP);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "written") == 1);
    kill(f->server.pid, SIGCONT);
    WAIT_UNTIL(f, fleet_number(f, "STRLEN @log:%s/main", run) == 6 + 262144 + 5);
    fleet_write(f, "on", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
}

/* Longer than any lease and deadline: nothing the step did or wrote is lost, nor is it there twice. */
static void outcome_waits_for_the_server(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "",
                                   "echo before; echo 0 >>record; until [ -e go ]; do sleep 0.02; done; "
                                   "echo behind; echo 0 >>ended");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1 && fleet_number(f, "STRLEN @log:%s/main", run) == 7);
    pid_t executor = fleet_executor(f, run);
    kill_server(f);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "ended") == 1);
    nanosleep(&(struct timespec){.tv_sec = 6}, NULL);
    assert_true(fleet_is_alive(executor));
    restart(f);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_true(fleet_is(f, "before\nbehind\n", "GET @log:%s/main", run));
    assert_string_equal(fleet_story(f, run),
                        "RunQueued RunDequeued RunStart StepStart:main StepSuccess:main RunSuccess");
}

/* It is not given to a run that someone else has by then. */
static void outcome_that_comes_too_late_is_refused(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit(f, "", "echo 0 >>record; until [ -e go ]; do sleep 0.02; done; echo 0 >>ended");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1 && fleet_count(fleet_story(f, run), "StepStart"));
    pid_t executor = fleet_executor(f, run);
    kill_server(f);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "ended") == 1);
    kill(executor, SIGSTOP);
    restart(f);
    assert_memory_equal(fleet_outcome(f, run), "Failure executor lost", strlen("Failure executor lost"));
    kill(executor, SIGCONT);
    WAIT_UNTIL(f, !fleet_is_alive(executor));
    assert_memory_equal(fleet_outcome(f, run), "Failure executor lost", strlen("Failure executor lost"));
}

static void health_file_says_whether_runs_are_admitted(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer --health-file health");

    WAIT_UNTIL(f, strcmp(fleet_file(f, "health"), "ready\n") == 0);
    fleet_write(f, "health", "old");
    WAIT_UNTIL(f, strcmp(fleet_file(f, "health"), "ready\n") == 0); /* it is written again and again */
    kill_server(f);
    WAIT_UNTIL(f, strstr(fleet_file(f, "health"), "not ready: "));
    restart(f);
    WAIT_UNTIL(f, strcmp(fleet_file(f, "health"), "ready\n") == 0);
    kill(dequeuer, SIGTERM);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    assert_string_equal(fleet_file(f, "health"), "");
}

/* The server is killed, then stands still: neither is waited for. */
static void told_to_end_without_a_server(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer"), other = fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit(f, "", "echo 0 >>record; until [ -e go ]; do sleep 0.02; done; echo 0 >>ended");

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1 && fleet_executor(f, run));
    pid_t executor = fleet_executor(f, run);
    kill(f->server.pid, SIGSTOP);
    kill(other, SIGTERM);
    assert_int_equal(fleet_wait_exit(other), 0);
    kill_server(f);
    fleet_write(f, "go", "");
    WAIT_UNTIL(f, fleet_lines(f, "ended") == 1);
    kill(executor, SIGTERM);
    WAIT_UNTIL(f, !fleet_is_alive(executor));
    kill(dequeuer, SIGTERM);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    restart(f);
}

/* The executor ends its steps while the server cannot be asked, before their lease ends there. */
static void executor_fences_itself_when_the_outage_outlasts_its_lease(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 2s");
    fleet_start(f, "dequeuer");
    const char *run =
        fleet_submit(f, "",
                     "setsid sh -c 'trap : TERM; echo $$ >>pids; while :; do sleep 0.02; done' & "
                     "while :; do [ -s pids ] && break; done; " UNTIL_KILLED);

    WAIT_UNTIL(f, fleet_lines(f, "pids") == 2);
    kill(f->server.pid, SIGSTOP);
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 0);
    kill(f->server.pid, SIGCONT);
    assert_memory_equal(fleet_outcome(f, run), "Failure executor lost", strlen("Failure executor lost"));
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(server_stands_still),
        FLEET_TEST(server_is_killed_and_comes_back),
        FLEET_TEST(server_forgets_the_scripts),
        FLEET_TEST(standstill_shorter_than_the_lease_disturbs_nothing),
        FLEET_TEST(restart_shorter_than_the_lease_disturbs_nothing),
        FLEET_TEST(memory_is_full),
        FLEET_TEST(follower_is_told_what_full_memory_cost),
        FLEET_TEST(output_of_an_outage_comes_before_the_step_ends),
        FLEET_TEST(outcome_waits_for_the_server),
        FLEET_TEST(outcome_that_comes_too_late_is_refused),
        FLEET_TEST(health_file_says_whether_runs_are_admitted),
        FLEET_TEST(told_to_end_without_a_server),
        FLEET_TEST(executor_fences_itself_when_the_outage_outlasts_its_lease),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
