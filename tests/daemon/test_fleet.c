/* Many runs under limits through dequeuers that are killed and stopped in the middle: what the processes themselves
 * wrote down says whether the limits held and whether each run ran once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/fleet.h"

#define RUNS        200
#define MOST_AT_ALL 12
#define MOST_PROD   3
#define MOST_A_TEAM 5

static void submit_all(struct fleet *f)
{
    static const char *const teams[] = {"red", "green", "blue"}, *const envs[] = {"prod", "test"};
    char *worker = fleet_worker();
    struct text lines = {0};

    for (int i = 0; i < RUNS; i++) {
        const char *team = teams[i % 3], *env = envs[i % 2];
        text_addf(&lines,
                  "{`tags`: {`team`: `%s`, `env`: `%s`}, `priority`: %d, `steps`: [{`name`: `a`, "
                  "`command`: [`%s`, `%d`, `%s`, `%s`]}]}\n",
                  team, env, i % 5, worker, 5 + i % 7 * 5, team, env);
    }
    fleet_submit_json(f, lines.s);
    text_release(&lines);
    free(worker);
}

/* How many of the runs with this word ran at the same time at most; counts their starts. */
static int most_at_once(struct fleet *f, const char *word, int *starts)
{
    int now = 0, most = 0;

    *starts = 0;
    for (const char *line = fleet_file(f, "record"), *end; (end = strchr(line, '\n')); line = end + 1) {
        if (!memmem(line, (size_t)(end - line), word, strlen(word)))
            continue;
        now += *line == 's' ? 1 : -1;
        *starts += *line == 's';
        most = now > most ? now : most;
    }
    assert_int_equal(now, 0);
    return most;
}

static void assert_held(struct fleet *f, const char *word, int limit)
{
    int starts, most = most_at_once(f, word, &starts);

    if (most > limit)
        fail_msg("%d runs with '%s' at once, the limit is %d", most, word, limit);
}

static void assert_ran_once(struct fleet *f, const char *run)
{
    int starts;

    most_at_once(f, run, &starts);
    assert_int_equal(starts, 1);
    assert_string_equal(fleet_outcome(f, run), "Success");
}

static int64_t ended(struct fleet *f)
{
    return fleet_number(f, "ZCARD @history");
}

static void limits_hold_while_dequeuers_are_killed_and_stopped(void **state)
{
    struct fleet *f = *state;
    pid_t dequeuers[4];

    setenv("WORKER_LOG", "record", 1);
    lua_cmd(&f->lua, "HSET @config max_concurrent_runs %d", MOST_AT_ALL);
    lua_cmd(&f->lua, "HSET @tag_limits env=prod %d team=* %d", MOST_PROD, MOST_A_TEAM);
    for (int i = 0; i < 4; i++)
        dequeuers[i] = fleet_start(f, "dequeuer");
    submit_all(f);

    WAIT_UNTIL(f, ended(f) >= RUNS / 4);
    kill(dequeuers[0], SIGKILL);
    kill(dequeuers[1], SIGSTOP);
    WAIT_UNTIL(f, ended(f) >= RUNS / 2);
    kill(dequeuers[1], SIGCONT);
    kill(dequeuers[2], SIGTERM);
    WAIT_UNTIL(f, ended(f) == RUNS);

    assert_held(f, " ", MOST_AT_ALL);
    assert_held(f, " prod", MOST_PROD);
    assert_held(f, " red ", MOST_A_TEAM);
    assert_held(f, " green ", MOST_A_TEAM);
    assert_held(f, " blue ", MOST_A_TEAM);
    for (size_t i = 0; i < RUNS; i++)
        assert_ran_once(f, f->ids[i]);
    assert_true(fleet_is(f, "0", "EXISTS @running @queue @ready @gate:env=prod @gate:team=red @parked"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(limits_hold_while_dequeuers_are_killed_and_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
