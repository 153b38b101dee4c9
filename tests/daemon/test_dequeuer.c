#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/proxy.h"

#define UNTIL_GO "echo start >>record; until [ -e go ]; do sleep 0.02; done; echo end >>record"

static void submit_many(struct fleet *f, int many, const char *line)
{
    char lines[16384];
    size_t n = 0;

    for (int i = 0; i < many; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "%s\n", line);
    assert_true(n < sizeof lines);
    fleet_submit_json(f, lines);
}

/* From the lines "start" and "end" of the record. */
static int most_at_once(struct fleet *f)
{
    int now = 0, most = 0;

    for (const char *line = fleet_file(f, "record"); *line; line = strchr(line, '\n') + 1) {
        now += *line == 's' ? 1 : -1;
        most = now > most ? now : most;
    }
    assert_int_equal(now, 0);
    return most;
}

static bool all_ended(struct fleet *f)
{
    return fleet_number(f, "ZCARD @history") == (int64_t)f->nids;
}

static void assert_all_succeeded(struct fleet *f)
{
    WAIT_UNTIL(f, all_ended(f));
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
}

static void capacity_bounds_what_a_dequeuer_runs(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer --id small --capacity 2");
    submit_many(f, 10, "{`steps`: [{`name`: `a`, `command`: `" UNTIL_GO "`}]}");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
    fleet_write(f, "go", "");
    assert_all_succeeded(f);
    assert_int_equal(most_at_once(f), 2);
}

static void others_take_what_is_beyond_the_capacity(void **state)
{
    struct fleet *f = *state;

    fleet_start(f, "dequeuer --id small --capacity 2");
    submit_many(f, 5, "{`steps`: [{`name`: `a`, `command`: `" UNTIL_GO "`}]}");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
    fleet_start(f, "dequeuer --id large");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 5);
    assert_true(fleet_is(f, "2", "ZCARD @dequeuer:small"));
    fleet_write(f, "go", "");
    assert_all_succeeded(f);
    assert_true(fleet_is(f, "0", "EXISTS @dequeuer:small"));
}

static void sigterm_drains(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *running = fleet_submit(f, "", UNTIL_GO);

    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    kill(dequeuer, SIGTERM);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    const char *later = fleet_submit(f, "", "true");
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, running), "Success");
    assert_true(fleet_is(f, "Queued", "HGET @run:%s state", later));
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, later), "Success");
}

/* The server holds back what writes, so the admission of the dequeuer is under way until it leaves. */
static void second_sigterm_leaves_at_once(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "CLIENT PAUSE 60000 WRITE");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "dequeuer started"));
    kill(dequeuer, SIGTERM);
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "draining"));
    assert_int_equal(waitpid(dequeuer, NULL, WNOHANG), 0);
    kill(dequeuer, SIGTERM);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    assert_non_null(strstr(fleet_file(f, "log"), "told to end twice"));
}

static void descriptors_limit(pid_t pid, rlim_t most)
{
    struct rlimit limit;

    assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* None of them is replaced by the default: its runs belong elsewhere. */
static void unreadable_backend_is_no_local_one(void **state)
{
    static const char *const settings[][2] = {
        {"docker", "rivers: run_backend: line 1, column 1: expected a value\n"},
        {"{\"type\":\"docker\"}",
         "rivers: run_backend.type: unknown type 'docker', known: local, command, kubernetes\n"},
        {"{\"type\":\"command\",\"lunch\":[]}",
         "rivers: run_backend: unknown key 'lunch', did you mean 'launch'?\n"},
    };
    struct fleet *f = *state;
    const char *run = fleet_submit(f, "", "echo ran >>record");

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        lua_cmd(&f->lua, "HSET @config run_backend %s", settings[i][0]);
        assert_int_equal(fleet_wait_exit(fleet_start(f, "dequeuer")), 1);
        assert_non_null(strstr(fleet_file(f, "log"), settings[i][1]));
    }
    assert_true(fleet_is(f, "Queued", "HGET @run:%s state", run));
}

/* What is open stays open, but no descriptor can be had for another guard. */
static void launch_that_fails_is_told(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");

    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    descriptors_limit(dequeuer, 0);
    kill(fleet_guard(dequeuer), SIGKILL);
    WAIT_UNTIL(f, fleet_children(dequeuer) == 0);
    const char *run = fleet_submit(f, "", "echo ran >>record");
    assert_string_equal(fleet_outcome(f, run),
                        "Failure launch failed: cannot make a socket for executors: Too many open files");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunLaunchFailed RunFailure");
    fleet_assert_idle(f);
    descriptors_limit(dequeuer, 256);
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    assert_string_equal(fleet_file(f, "record"), "");
}

/* Wherever a reply is cut: that of the bell, of the admission, of the launch. */
static void lost_replies_launch_nothing_twice(void **state)
{
    struct fleet *f = *state;
    struct proxy *proxy = proxy_new(&f->server);
    char words[128];

    snprintf(words, sizeof words, "dequeuer --redis %s", proxy_url_get(proxy));
    fleet_start(f, words);
    WAIT_UNTIL(f, fleet_is(f, "1", "HEXISTS @meta swept_at"));
    for (int cut = 0; cut < 160; cut += 8) {
        proxy_cut_reply(proxy, cut);
        fleet_submit(f, "", "echo ran >>record");
        WAIT_UNTIL(f, all_ended(f));
    }
    assert_all_succeeded(f);
    assert_int_equal(fleet_lines(f, "record"), f->nids);
    proxy_free(proxy);
}

static void nothing_is_left_of_ended_runs(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuer = fleet_start(f, "dequeuer");

    const char *run = fleet_submit(f, "", "true");
    WAIT_UNTIL(f, all_ended(f) && fleet_children(dequeuer) == 1);
    pid_t guard = fleet_guard(dequeuer);
    WAIT_UNTIL(f, !fleet_is_alive(fleet_executor(f, run)) && fleet_children(guard) == 1); /* forked ahead */
    size_t descriptors = fleet_descriptors(dequeuer), of_guard = fleet_descriptors(guard);
    submit_many(f, 100, "{`steps`: [{`name`: `a`, `command`: [`true`]}]}");
    assert_all_succeeded(f);
    WAIT_UNTIL(f, fleet_children(guard) == 1 && fleet_descriptors(guard) <= of_guard);
    assert_int_equal(fleet_children(dequeuer), 1);
    WAIT_UNTIL(f, fleet_descriptors(dequeuer) <= descriptors);
    kill(dequeuer, SIGTERM);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    WAIT_UNTIL(f, !fleet_is_alive(guard));
}

static void changed_limits_are_followed(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @tag_limits team 1");
    fleet_start(f, "dequeuer");
    submit_many(f, 4, "{`tags`: {`team`: `a`}, `steps`: [{`name`: `a`, `command`: `" UNTIL_GO "`}]}");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    lua_cmd(&f->lua, "HSET @tag_limits team 2");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 2);
    lua_cmd(&f->lua, "HSET @config max_concurrent_runs 3");
    lua_cmd(&f->lua, "HDEL @tag_limits team");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 3);
    assert_true(fleet_is(f, "1", "ZCARD @queue"));
    lua_cmd(&f->lua,
            "HSET @tag_limits team=* 1"); /* from now on one at a time, counting the three that run */
    fleet_submit_json(f, "{`tags`: {`team`: `a`}, `steps`: [{`name`: `a`, `command`: `echo start >>record; "
                         "sleep 0.05; echo end >>record`}]}");
    WAIT_UNTIL(f, fleet_is(f, "3", "ZCARD @gate:team=a"));
    fleet_write(f, "go", "");
    assert_all_succeeded(f);
    assert_int_equal(most_at_once(f), 3);
}

static size_t told(struct fleet *f, const char *what)
{
    return fleet_count(fleet_file(f, "log"), what);
}

/* Another one beside it makes none of them new; one that was mended is new when it comes again. */
static void unreadable_settings_are_told_once(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease long retention old");
    fleet_start(f, "dequeuer");
    WAIT_UNTIL(f, told(f, "'run_lease'") && told(f, "'retention'"));
    lua_cmd(&f->lua, "HSET @config retention 1d audit_interval never");
    WAIT_UNTIL(f, told(f, "'audit_interval'"));
    lua_cmd(&f->lua, "HSET @config retention old");
    WAIT_UNTIL(f, told(f, "'retention'") == 2);
    assert_int_equal(told(f, "'run_lease'"), 1);
    assert_int_equal(told(f, "'audit_interval'"), 1);
    assert_int_equal(told(f, "cannot be read"), 4);
}

static void changed_backend_needs_a_restart(void **state)
{
    static const char *const warning = "run_backend was changed";
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_backend {\"type\":\"local\"}");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    lua_cmd(&f->lua, "HSET @config run_backend {\"type\":\"command\",\"launch\":[\"false\",\"{run}\"]}");
    WAIT_UNTIL(f, told(f, warning));
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    lua_cmd(&f->lua, "HSET @config run_backend {\"type\":\"local\"} audit_interval never");
    WAIT_UNTIL(f, told(f, "'audit_interval'"));
    assert_int_equal(told(f, warning), 1);
    lua_cmd(&f->lua, "HSET @config run_backend {\"type\":\"kubernetes\"}");
    WAIT_UNTIL(f, told(f, warning) == 2);
}

static int64_t script_calls(struct fleet *f)
{
    const char *calls = strstr(lua_cmd(&f->lua, "INFO commandstats"), "cmdstat_evalsha:calls=");

    return calls ? strtoll(strchr(calls, '=') + 1, NULL, 10) : 0;
}

/* A slow machine can only make it look slower. */
static void interval_of_zero_does_not_spin(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config dequeue_interval 0s");
    fleet_start(f, "dequeuer");
    WAIT_UNTIL(f, script_calls(f) > 0);
    int64_t began_at = clock_mono_ms(), before = script_calls(f);
    WAIT_UNTIL(f, script_calls(f) >= before + 50);
    assert_true(clock_mono_ms() - began_at >= 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(capacity_bounds_what_a_dequeuer_runs),
        FLEET_TEST(others_take_what_is_beyond_the_capacity),
        FLEET_TEST(sigterm_drains),
        FLEET_TEST(second_sigterm_leaves_at_once),
        FLEET_TEST(unreadable_backend_is_no_local_one),
        FLEET_TEST(launch_that_fails_is_told),
        FLEET_TEST(lost_replies_launch_nothing_twice),
        FLEET_TEST(nothing_is_left_of_ended_runs),
        FLEET_TEST(changed_limits_are_followed),
        FLEET_TEST(unreadable_settings_are_told_once),
        FLEET_TEST(changed_backend_needs_a_restart),
        FLEET_TEST(interval_of_zero_does_not_spin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
