/* Steps under pool slots in real processes: executors that are killed and stopped past their leases, and a claim of an
 * unlimited pool beside one that is renewed. */
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
#include "base/text.h"
#include "support/fleet.h"

#define RUNS  3
#define STEPS 100

static const struct {
    const char *name;
    int limit;
} pools[] = {{"a", 4}, {"b", 6}, {"c", 8}};

/* Of step i: a weight of one pool, of every third step of two. */
static void step_add(struct text *t, const char *worker, int i)
{
    int one = i % 3, two = (i + 1) % 3, one_slots = 1 + i % pools[one].limit, two_slots = 1 + i % 2;

    text_addf(t,
              "%s{`name`: `s%d`, `needs`: [], `retries`: {`max`: 100, `backoff`: `10ms`, `on`: [`lost`]}, "
              "`command`: [`%s`, `%d`, `%s:%d/%d`",
              i ? ", " : "", i, worker, 5 + i % 8 * 10, pools[one].name, one_slots, pools[one].limit);
    if (i % 9 == 0)
        text_addf(t, ", `%s:%d/%d`", pools[two].name, two_slots, pools[two].limit);
    text_addf(t, "], `pools`: {`%s`: %d", pools[one].name, one_slots);
    if (i % 9 == 0)
        text_addf(t, ", `%s`: %d", pools[two].name, two_slots);
    text_addf(t, "}}");
}

static void submit_all(struct fleet *f)
{
    char *worker = fleet_worker();
    struct text lines = {0};

    for (int run = 0; run < RUNS; run++) {
        text_addf(&lines,
                  "{`on_lost`: `requeue`, `max_attempts`: 100, `max_concurrent_steps`: 12, `steps`: [");
        for (int i = 0; i < STEPS; i++)
            step_add(&lines, worker, i);
        text_addf(&lines, "]}\n");
    }
    fleet_submit_json(f, lines.s);
    text_release(&lines);
    free(worker);
}

static size_t starts(struct fleet *f)
{
    return fleet_count(fleet_file(f, "record"), "start ");
}

static int64_t attempt(struct fleet *f, const char *run)
{
    return fleet_number(f, "HGET @run:%s attempt", run);
}

/* The executor of a run, once it works. */
static pid_t executor(struct fleet *f, const char *run)
{
    WAIT_UNTIL(f, fleet_is(f, "Started", "HGET @run:%s state", run));
    return fleet_executor(f, run);
}

static void kill_executor(struct fleet *f, const char *run)
{
    kill(executor(f, run), SIGKILL);
}

/* Its steps go on and end; it comes back when another one has its run. */
static void stop_executor(struct fleet *f, const char *run)
{
    pid_t stopped = executor(f, run);
    int64_t before = attempt(f, run);

    kill(stopped, SIGSTOP);
    WAIT_UNTIL(f, attempt(f, run) > before);
    kill(stopped, SIGCONT);
    WAIT_UNTIL(f, !fleet_is_alive(stopped));
}

/* Each step of the run has one accepted outcome, and the run as well. */
static void assert_ended_once(struct fleet *f, const char *run)
{
    char *events = fleet_call(f, NULL, "events --run %s", run);

    assert_int_equal(fleet_count(events, "  RunSuccess "), 1);
    for (int i = 0; i < STEPS; i++) {
        char word[32];
        size_t successes = 0;
        snprintf(word, sizeof word, "  step=s%d ", i);
        for (const char *line = events; *line; line = strchr(line, '\n') + 1) {
            const char *end = strchr(line, '\n'), *found = strstr(line, word);
            successes += found && found < end && strstr(line, "  StepSuccess ") &&
                         strstr(line, "  StepSuccess ") < end;
        }
        assert_int_equal(successes, 1);
    }
    free(events);
}

static void pools_hold_while_executors_are_killed_and_stopped(void **state)
{
    struct fleet *f = *state;

    setenv("WORKER_LOG", "record", 1);
    lua_cmd(&f->lua, "HSET @config run_lease 4s");
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        lua_cmd(&f->lua, "HSET @pool_limits %s %d", pools[i].name, pools[i].limit);
        lua_cmd(&f->lua, "HSET @pool_leases %s 4000", pools[i].name);
    }
    fleet_start(f, "dequeuer");
    fleet_start(f, "dequeuer");
    submit_all(f);

    for (size_t i = 0; i < 6; i++) {
        size_t until = 20 + i * 30;
        WAIT_UNTIL(f, starts(f) >= until);
        if (i % 2)
            stop_executor(f, f->ids[i % RUNS]);
        else
            kill_executor(f, f->ids[i % RUNS]);
    }
    for (size_t i = 0; i < RUNS; i++) {
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
        assert_ended_once(f, f->ids[i]);
    }
    assert_int_equal(fleet_count(fleet_file(f, "record"), "exceeded "), 0);
    assert_true(fleet_is(f, "0", "EXISTS @slots @pool_used @waiters @pools_due @running"));
    assert_true(fleet_is(f, "", "KEYS @slots:*"));
    assert_true(fleet_is(f, "", "KEYS @wait:*"));
}

/* The worker sees what it is there to see: three workers with two slots each of what they believe to be four. */
static void worker_tells_when_a_pool_is_exceeded(void **state)
{
    struct fleet *f = *state;
    char *worker = fleet_worker();
    struct text lines = {0};

    setenv("WORKER_LOG", "record", 1);
    lua_cmd(&f->lua, "HSET @pool_limits a 6");
    text_addf(&lines, "{`max_concurrent_steps`: 3, `steps`: [");
    for (int i = 0; i < 3; i++)
        text_addf(&lines,
                  "%s{`name`: `s%d`, `needs`: [], `pools`: {`a`: 2}, `command`: [`%s`, `4000`, `a:2/4`]}",
                  i ? ", " : "", i, worker);
    text_addf(&lines, "]}\n");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(f, lines.s);

    assert_non_null(strstr(fleet_outcome(f, run), "Failure step 's"));
    assert_int_equal(fleet_count(fleet_file(f, "record"), "exceeded "), 1);
    text_release(&lines);
    free(worker);
}

/* The lease of a grant that holds nothing limited is 0: it is neither renewed nor overdue. */
static void unlimited_pool_beside_one_that_is_renewed(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @pool_limits free -1 one 1");
    lua_cmd(&f->lua, "HSET @pool_leases one 5000");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(f, "{`steps`: [{`name`: `x`, `needs`: [], `pools`: {`free`: 5}, "
                                           "`command`: `until [ -e go ]; do sleep 0.02; done`}, "
                                           "{`name`: `y`, `needs`: [], `pools`: {`one`: 1}, `command`: "
                                           "`until [ -e go ]; do sleep 0.02; done`}]}");

    WAIT_UNTIL(f, fleet_count(fleet_story(f, run), "StepSlotRenewed:y") >= 3);
    fleet_write(f, "go", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_count(fleet_story(f, run), "StepRetry"), 0);
}

/* Somebody else gave the slot back: the next renewal says so. The second attempt claims anew. */
static void step_that_lost_its_slots_is_ended_and_tried_again(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @pool_limits one 1");
    lua_cmd(&f->lua, "HSET @pool_leases one 5000");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `pools`: {`one`: 1}, `retries`: {`max`: 1, `on`: [`lost`]}, "
           "`command`: `echo $RIVERS_POOL_TOKEN >>tokens; sleep 1000 & echo $! >>pids; " UNTIL_KILLED "`}]}");

    for (size_t attempt = 1; attempt <= 2; attempt++) {
        char claim[64], turn[24];
        snprintf(claim, sizeof claim, "%s/a", run);
        snprintf(turn, sizeof turn, "%zu", attempt);
        WAIT_UNTIL(f, fleet_lines(f, "pids") == 2 * attempt);
        assert_string_equal(lua_run(&f->lua, SCRIPT_POOL_RELEASE, "", claim, "", turn, NULL), "OK");
    }
    assert_string_equal(fleet_outcome(f, run), "Failure step 'a' failed: lease lost");
    assert_int_equal(fleet_alive_in(f, "pids"), 0);
    const char *tokens = fleet_file(f, "tokens");
    assert_true(strtol(tokens, NULL, 10) < strtol(strchr(tokens, '\n') + 1, NULL, 10));
}

static void step_that_waits_to_be_tried_again_holds_no_slots(void **state)
{
    struct fleet *f = *state;

    lua_cmd(&f->lua, "HSET @pool_limits one 1");
    fleet_start(f, "dequeuer");
    const char *first = fleet_submit_json(
        f, "{`steps`: [{`name`: `a`, `pools`: {`one`: 1}, `retries`: {`max`: 1, "
           "`backoff`: `1h`, `max_backoff`: `1h`}, `command`: `echo ran >>record; false`}]}");
    WAIT_UNTIL(f, fleet_lines(f, "record") == 1);
    const char *second =
        fleet_submit_json(f, "{`steps`: [{`name`: `b`, `pools`: {`one`: 1}, `command`: `true`}]}");

    assert_string_equal(fleet_outcome(f, second), "Success");
    free(fleet_call(f, NULL, "runs cancel %s", first));
    assert_string_equal(fleet_outcome(f, first), "Canceled");
    assert_int_equal(fleet_lines(f, "record"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(pools_hold_while_executors_are_killed_and_stopped),
        FLEET_TEST(worker_tells_when_a_pool_is_exceeded),
        FLEET_TEST(unlimited_pool_beside_one_that_is_renewed),
        FLEET_TEST(step_that_lost_its_slots_is_ended_and_tried_again),
        FLEET_TEST(step_that_waits_to_be_tried_again_holds_no_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
