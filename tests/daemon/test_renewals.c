/* Dequeuers renew the leases of their executors' runs. What becomes of the runs when either of them is gone, or cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/fleet.h"

#define UNTIL_GO "echo $$ >>pids; until [ -e go ]; do sleep 0.02; done"

static int64_t lease_end(struct fleet *f, const char *run)
{
    return fleet_number(f, "ZSCORE @running %s", run);
}

static void assert_goes_on_to_success(struct fleet *f, const char *run)
{
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_count(fleet_story(f, run), "RunStart"), 1);
}

/* --- what is asked */

struct renewals { /* by how many runs they name */
    int of_one, of_two;
};

/* EVALSHA sha 1 prefix now lease, and three words for each run; in a line of MONITOR each is in quotes. */
static void count(struct renewals *n, const char *line)
{
    if (!strstr(line, scripts[SCRIPT_RUN_RENEW].sha1))
        return;
    size_t words = fleet_count(line, "\"") / 2;
    n->of_one += words == 9;
    n->of_two += words == 12;
}

static redisContext *watch(const struct fleet *f)
{
    redisContext *c = redisConnectUnix(f->server.url + strlen("unix://"));

    assert_int_equal(c->err, 0);
    assert_int_equal(redisSetTimeout(c, (struct timeval){.tv_sec = 30}), REDIS_OK);
    freeReplyObject(redisCommand(c, "MONITOR"));
    return c;
}

static struct renewals count_until(redisContext *c, int of_two)
{
    struct renewals n = {0};

    for (int64_t deadline = fleet_deadline(); n.of_two < of_two;) {
        redisReply *line;
        assert_int_equal(redisGetReply(c, (void **)&line), REDIS_OK);
        count(&n, line->str);
        freeReplyObject(line);
        assert_true(clock_mono_ms() < deadline);
    }
    return n;
}

/* Two executors that ask for themselves ask twenty times in one lease, and never for two runs. Some calls are spared where the machine
 * stands still for longer than a thirtieth of it. */
static void executors_leave_it_to_their_dequeuer(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 12s");
    fleet_start(f, "dequeuer");
    const char *first = fleet_submit(f, "", UNTIL_GO), *second = fleet_submit(f, "", UNTIL_GO);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 2);
    redisContext *c = watch(f);
    count_until(c, 1);
    struct renewals n = count_until(c, 16);
    redisFree(c);
    if (n.of_one >= 10)
        fail_msg("%d calls of a dequeuer, %d of executors", n.of_two, n.of_one);
    assert_goes_on_to_success(f, first);
    assert_goes_on_to_success(f, second);
}

/* --- executors that cannot ask */

static int64_t last_client(struct fleet *f)
{
    int64_t last = 0;

    for (const char *c = lua_cmd(&f->lua, "CLIENT LIST"); (c = strstr(c, "id=")); c++)
        last = strtoll(c + 3, NULL, 10) > last ? strtoll(c + 3, NULL, 10) : last;
    return last;
}

static void move_socket(const struct fleet *f, const char *from, const char *to)
{
    char *old = xasprintf("%s/%s", f->server.dir, from), *new = xasprintf("%s/%s", f->server.dir, to);

    assert_int_equal(rename(old, new), 0);
    free(old);
    free(new);
}

/* Closes all connections but the older ones. There are no others until the socket is moved back. */
static void cut_off_all_after(struct fleet *f, int64_t client)
{
    move_socket(f, "redis.sock", "moved");
    for (int64_t last = last_client(f); last > client; last--)
        lua_cmd(&f->lua, "CLIENT KILL ID %d", (int)last);
}

static void executor_that_is_cut_off_holds_its_lease(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")), "Success");
    int64_t dequeuer = last_client(f);
    const char *run = fleet_submit(f, "", UNTIL_GO);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_executor(f, run));
    cut_off_all_after(f, dequeuer);
    int64_t cut_off = lease_end(f, run);
    WAIT_UNTIL(f, lease_end(f, run) > cut_off + 6000);
    move_socket(f, "moved", "redis.sock");
    assert_goes_on_to_success(f, run);
}

/* Nobody rings, and the dequeuer does not tell. */
static void executor_asks_when_its_run_is_canceled(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 4s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_KILLED);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_executor(f, run));
    lua_cmd(&f->lua, "HSET @run:%s cancel_at 1 cancel_grace 0", run);
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
}

/* --- dequeuers that do not ask any more */

/* The other dequeuer would end the run with its lease. */
static void run_goes_on_after(struct fleet *f, int sig)
{
    lua_cmd(&f->lua, "HSET @config run_lease 5s");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_GO);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_executor(f, run));
    int64_t begun = lease_end(f, run);
    WAIT_UNTIL(f, lease_end(f, run) > begun);
    fleet_start(f, "dequeuer");
    kill(dequeuer, sig);
    int64_t left = lease_end(f, run);
    WAIT_UNTIL(f, lease_end(f, run) > left + 6000);
    kill(dequeuer, SIGCONT);
    assert_goes_on_to_success(f, run);
}

static void run_goes_on_when_its_dequeuer_is_killed(void **state)
{
    run_goes_on_after(*state, SIGKILL);
}

static void run_goes_on_when_its_dequeuer_leaves(void **state)
{
    run_goes_on_after(*state, SIGTERM);
}

static void run_goes_on_when_its_dequeuer_stands_still(void **state)
{
    run_goes_on_after(*state, SIGSTOP);
}

/* --- executors that nobody may renew for */

/* Its guard does not see it. */
static void lease_of_a_dead_executor_ends(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 2s");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_KILLED);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_count(fleet_story(f, run), "StepStart"));
    pid_t guard = fleet_guard(dequeuer);
    kill(guard, SIGSTOP);
    kill(fleet_executor(f, run), SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost");
    kill(guard, SIGCONT);
    WAIT_UNTIL(f, fleet_alive_in(f, "pids") == 0);
    fleet_assert_idle(f);
}

/* Its guard kills it, and its dequeuer says so. */
static void lease_of_an_executor_that_stands_still_ends(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @config run_lease 2s");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", UNTIL_KILLED);
    WAIT_UNTIL(f, fleet_lines(f, "pids") == 1 && fleet_count(fleet_story(f, run), "StepStart"));
    pid_t executor = fleet_executor(f, run);
    kill(fleet_guard(dequeuer), SIGSTOP);
    kill(executor, SIGSTOP);
    assert_string_equal(fleet_outcome(f, run), "Failure executor lost");
    kill(fleet_guard(dequeuer), SIGCONT);
    WAIT_UNTIL(f, !fleet_is_alive(executor) && fleet_alive_in(f, "pids") == 0);
    fleet_assert_idle(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(executors_leave_it_to_their_dequeuer),
        FLEET_TEST(executor_that_is_cut_off_holds_its_lease),
        FLEET_TEST(executor_asks_when_its_run_is_canceled),
        FLEET_TEST(run_goes_on_when_its_dequeuer_is_killed),
        FLEET_TEST(run_goes_on_when_its_dequeuer_leaves),
        FLEET_TEST(run_goes_on_when_its_dequeuer_stands_still),
        FLEET_TEST(lease_of_a_dead_executor_ends),
        FLEET_TEST(lease_of_an_executor_that_stands_still_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
