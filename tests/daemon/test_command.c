/* Runs that another scheduler starts: a shell script stands for it. */
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

#include "base/mem.h"
#include "support/fleet.h"

/* A job waits for the file `node`, as one of sbatch does; one of systemd-run starts at once. A launch ends when the
 * job has a session of its own, as its file says: what is left in its process group ends with it. Each attempt has a file of
 * its own, or a second launch would take the job of the first for its own. */
static const char scheduler[] =
    "#!/bin/sh\n"
    "run=$2 attempt=$3 rivers=$4 pid=job.$2.$3\n"
    "job() {\n"
    "    setsid sh -c 'echo $$ >$0; exec \"$@\"' $pid \"$@\" </dev/null >/dev/null 2>&1 &\n"
    "    until [ -s $pid ]; do sleep 0.01; done\n"
    "}\n"
    "case $1 in\n"
    "systemd-run)\n"
    "    echo \"launch $run $attempt\" >>calls\n"
    "    job \"$rivers\" execute $run ;;\n"
    "sbatch)\n"
    "    echo \"launch $run $attempt\" >>calls\n"
    "    if [ -e refuse ]; then echo noise; echo 'sbatch: error: no such partition' >&2; exit 1; fi\n"
    "    while [ -e hang ]; do sleep 0.02; done\n"
    "    job sh -c 'until [ -e node ]; do sleep 0.02; done; exec \"$0\" execute \"$1\"' \"$rivers\" $run\n"
    "    echo Submitted batch job 7 ;;\n"
    "squeue)\n"
    "    kill -0 $(cat $pid) 2>/dev/null || { echo Invalid job id specified; exit 1; }\n"
    "    echo 'PENDING (Resources)' ;;\n"
    "scancel)\n"
    "    echo \"terminate $run $attempt\" >>calls\n"
    "    kill $(cat $pid) ;;\n"
    "esac\n";

static void apply(struct fleet *f, const char *run_backend)
{
    char *config = xasprintf("{\"run_backend\": %s}", run_backend);
    int status = -1;

    fleet_write(f, "rivers.json", config);
    free(fleet_call(f, &status, "config apply rivers.json"));
    assert_int_equal(status, 0);
    free(config);
}

static void use(struct fleet *f, const char *launch, const char *timeout)
{
    const char *named = getenv("RIVERS");
    char *rivers = realpath(named ? named : "build/rivers", NULL);
    char *config = xasprintf(
        "{\"type\": \"command\", \"launch\": [\"sh\", \"scheduler\", \"%s\", \"{run}\", \"{attempt}\", "
        "\"%s\"], \"terminate\": [\"sh\", \"scheduler\", \"scancel\", \"{run}\", \"{attempt}\"], "
        "\"status\": [\"sh\", \"scheduler\", \"squeue\", \"{run}\", \"{attempt}\"], \"timeout\": \"%s\"}",
        launch, rivers, timeout);

    fleet_write(f, "scheduler", scheduler);
    apply(f, config);
    free(config);
    free(rivers);
}

static void let_go(struct fleet *f)
{
    char *path = xasprintf("%s/hang", f->server.dir);

    assert_int_equal(unlink(path), 0);
    free(path);
}

static void runs_start_at_once(void **state)
{
    struct fleet *f = *state;

    use(f, "systemd-run", "30s");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 20; i++)
        fleet_submit(f, "", "echo $RIVERS_NAMESPACE $RIVERS_ATTEMPT >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "calls"), 20);
    assert_int_equal(fleet_lines(f, "record"), 20);
    assert_int_equal(fleet_count(fleet_file(f, "record"), "test 1"), 20);
    fleet_assert_idle(f);
}

static void run_waits_in_the_other_queue(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "30s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo ran >>record");
    WAIT_UNTIL(f, fleet_is(f, "PENDING (Resources)", "HGET @run:%s waiting_for", run));
    char *shown = fleet_call(f, NULL, "runs show %s", run), *why = fleet_call(f, NULL, "queue why %s", run);
    assert_non_null(strstr(shown, "PENDING (Resources)"));
    assert_non_null(strstr(why, "is launched, its executor waits for: PENDING (Resources)"));
    free(shown);
    free(why);
    fleet_write(f, "node", "");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_true(fleet_is(f, "0", "HEXISTS @run:%s waiting_for", run));
    assert_int_equal(fleet_lines(f, "calls"), 1);
    assert_int_equal(fleet_lines(f, "record"), 1);
}

static void refused_launch_fails_with_the_last_line(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "30s");
    fleet_write(f, "refuse", "");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo ran >>record");
    assert_string_equal(fleet_outcome(f, run), "Failure launch failed: sbatch: error: no such partition");
    assert_string_equal(fleet_story(f, run), "RunQueued RunDequeued RunLaunchFailed RunFailure");
    assert_int_equal(fleet_lines(f, "calls"), 1);
    fleet_assert_idle(f);
}

/* It may have submitted the job before it hung. */
static void launch_that_does_not_end_is_terminated(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "1s");
    fleet_write(f, "hang", "");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo ran >>record");
    assert_string_equal(fleet_outcome(f, run), "Failure launch failed: 'sh' did not end within 1s");
    WAIT_UNTIL(f, fleet_count(fleet_file(f, "calls"), "terminate") == 1);
}

static void program_that_does_not_exist(void **state)
{
    struct fleet *f = *state;

    apply(f, "{\"type\": \"command\", \"launch\": [\"./nothing\", \"{run}\"]}");
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, fleet_submit(f, "", "true")),
                        "Failure launch failed: cannot run './nothing': No such file or directory");
}

static void canceled_run_leaves_the_other_queue(void **state)
{
    struct fleet *f = *state;
    char job[80], call[80];

    use(f, "sbatch", "30s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo ran >>record");
    snprintf(job, sizeof job, "job.%s.1", run);
    snprintf(call, sizeof call, "terminate %s 1\n", run);
    WAIT_UNTIL(f, fleet_is(f, "1", "HEXISTS @run:%s launched_at", run) && fleet_alive_in(f, job) == 1);
    free(fleet_call(f, NULL, "runs cancel %s", run));
    assert_string_equal(fleet_outcome(f, run), "Canceled");
    WAIT_UNTIL(f, fleet_count(fleet_file(f, "calls"), call) == 1 && fleet_alive_in(f, job) == 0);
    fleet_assert_idle(f);
}

static void job_that_vanished_fails_its_run(void **state)
{
    struct fleet *f = *state;
    char job[80];

    use(f, "sbatch", "30s");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo ran >>record");
    snprintf(job, sizeof job, "job.%s.1", run);
    WAIT_UNTIL(f, fleet_alive_in(f, job) == 1);
    kill((pid_t)strtol(fleet_file(f, job), NULL, 10), SIGKILL);
    assert_string_equal(fleet_outcome(f, run), "Failure launch failed: Invalid job id specified");
    assert_int_equal(fleet_lines(f, "record"), 0);
}

/* The launch of the first dequeuer comes through after the run went to the second one. */
static void launch_of_a_killed_dequeuer_runs_nothing(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "30s");
    fleet_write(f, "hang", "");
    pid_t first = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo $RIVERS_ATTEMPT >>record");
    WAIT_UNTIL(f, fleet_lines(f, "calls") == 1);
    kill(first, SIGKILL);
    assert_int_equal(fleet_wait_exit(first), 128 + SIGKILL);
    lua_cmd(&f->lua, "ZADD @running 1 %s", run); /* its launch lease is over */
    fleet_start(f, "dequeuer");
    WAIT_UNTIL(f, fleet_lines(f, "calls") == 2);
    fleet_write(f, "node", "");
    let_go(f);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_file(f, "record"), "2\n");
}

static void launch_lease_is_kept_while_the_command_runs(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "30s");
    fleet_write(f, "hang", "");
    fleet_write(f, "node", "");
    fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "echo $RIVERS_ATTEMPT >>record");
    WAIT_UNTIL(f, fleet_lines(f, "calls") == 1);
    int64_t first = fleet_number(f, "ZSCORE @running %s", run);
    WAIT_UNTIL(f, fleet_number(f, "ZSCORE @running %s", run) > first + 1000);
    let_go(f);
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_string_equal(fleet_file(f, "record"), "1\n");
}

static void draining_dequeuer_waits_for_its_launches(void **state)
{
    struct fleet *f = *state;

    use(f, "sbatch", "30s");
    fleet_write(f, "hang", "");
    fleet_write(f, "node", "");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = fleet_submit(f, "", "true");
    WAIT_UNTIL(f, fleet_lines(f, "calls") == 1);
    kill(dequeuer, SIGTERM);
    WAIT_UNTIL(f, strstr(fleet_file(f, "log"), "draining"));
    assert_true(fleet_is_alive(dequeuer));
    let_go(f);
    assert_int_equal(fleet_wait_exit(dequeuer), 0);
    assert_string_equal(fleet_outcome(f, run), "Success");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(runs_start_at_once),
        FLEET_TEST(run_waits_in_the_other_queue),
        FLEET_TEST(refused_launch_fails_with_the_last_line),
        FLEET_TEST(launch_that_does_not_end_is_terminated),
        FLEET_TEST(program_that_does_not_exist),
        FLEET_TEST(canceled_run_leaves_the_other_queue),
        FLEET_TEST(job_that_vanished_fails_its_run),
        FLEET_TEST(launch_of_a_killed_dequeuer_runs_nothing),
        FLEET_TEST(launch_lease_is_kept_while_the_command_runs),
        FLEET_TEST(draining_dequeuer_waits_for_its_launches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
