/* Many runs with limits and pools on a cluster, through dequeuers and executors that are killed, while its server answers
 * badly, late or not at all: what the steps themselves wrote down says whether the limits held and each ran once.
 * $KUBE_RUNS and $KUBE_SEED choose how many, and what goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "support/kube_fake.h"
#include "support/kube_fleet.h"

#define RUNS         200
#define DEQUEUERS    2
#define END_MS       120000
#define QUIET_MS     75000 /* until a watch that says nothing is given up */
#define HANGING_MOST 1
#define REST_MS      60 /* mean time between two things that go wrong */

struct trial {
    struct fleet *fleet;
    unsigned short seed[3];
    int history;
    pid_t dequeuers[DEQUEUERS];
    int hanging; /* how many requests never get an answer */
};

static long number_of(const char *variable, long otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static int below(struct trial *t, int n)
{
    return (int)(nrand48(t->seed) % n);
}

/* A line among those of the steps. */
#define note(t, ...) ((void)dprintf((t)->history, __VA_ARGS__))

/* --- what runs --- */

static void add_step(struct text *out, struct trial *t, const char *name, const char *worker,
                     const char *words)
{
    int slots = below(t, 3);

    text_addf(out, "{`name`: `%s`, `grace`: `1s`, `command`: [`%s`, `%d`, %s", name, worker,
              20 + below(t, 200), words);
    if (slots)
        text_addf(out, ", `gpu:%d`], `pools`: {`gpu`: %d}}", slots, slots);
    else
        text_addf(out, "]}");
}

static void submit_all(struct trial *t, int runs)
{
    static const char *const teams[] = {"red", "green", "blue"}, *const envs[] = {"prod", "test"};
    char *worker = fleet_worker(), words[64];
    const char *dir = t->fleet->server.dir;
    struct text lines = {0};

    for (int i = 0; i < runs; i++) {
        const char *team = teams[below(t, 3)], *env = envs[below(t, 2)];
        snprintf(words, sizeof words, "`team=%s`, `env=%s`", team, env);
        text_addf(
            &lines,
            "{`tags`: {`team`: `%s`, `env`: `%s`}, `priority`: %d, `on_lost`: `requeue`, `max_attempts`: 20,"
            "`env`: {`WORKER_LOG`: `%s/record`, `WORKER_LIVE`: `%s/live`}, `steps`: [",
            team, env, below(t, 5), dir, dir);
        add_step(&lines, t, "a", worker, words);
        if (i % 3 == 0) {
            text_add(&lines, ", ");
            add_step(&lines, t, "b", worker, words);
        }
        text_add(&lines, "]}\n");
    }
    fleet_submit_json(t->fleet, lines.s);
    for (int i = 0; i < runs; i++)
        note(t, "accepted %s\n", t->fleet->ids[i]);
    text_release(&lines);
    free(worker);
}

static void set_limits(struct trial *t)
{
    struct lua *lua = &t->fleet->lua;

    lua_cmd(lua, "HSET @config max_concurrent_runs 12 run_lease 4s");
    lua_cmd(lua, "HSET @tag_limits env=prod 5 team=* 6");
    lua_cmd(lua, "HSET @pool_limits gpu 4");
    note(t, "limit runs 12 0\nlimit env=prod 5 0\nlimit team=* 6 0\nlimit gpu 4 0\n");
}

/* --- what goes wrong --- */

static void fail_requests(struct trial *t)
{
    static const char *const methods[] = {"POST", "GET", "DELETE"};
    static const char *const what[] = {"429-text",    "500",      "503",       "504",   "reset-before",
                                       "reset-after", "cut-body", "watch-410", "delay", "hang-after"};
    const char *fault = what[below(t, sizeof what / sizeof *what)];

    if (strcmp(fault, "hang-after") == 0 && ++t->hanging > HANGING_MOST)
        return; /* it takes 15 to 30 s */
    char *rule =
        xasprintf("{'match':{'method':'%s','path':'%s'},'times':%d,'do':'%s','retry_after':1,'ms':300}",
                  methods[below(t, 3)], below(t, 2) ? "/jobs" : "/pods", 1 + below(t, 3), fault);

    fake_do(&kube_fleet_server, 200, "POST", "/-/faults", rule);
    note(t, "fault %s\n", fault);
    free(rule);
}

static void end_watches(struct trial *t)
{
    const char *how = below(t, 2) ? "cut-watches" : "expire-watches";
    char *path = xasprintf("/-/%s", how);

    fake_do(&kube_fleet_server, 200, "POST", path, NULL);
    note(t, "fault %s\n", how);
    free(path);
}

static void kill_dequeuer(struct trial *t)
{
    pid_t *dequeuer = &t->dequeuers[below(t, DEQUEUERS)];

    kill(*dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(*dequeuer), 128 + SIGKILL);
    *dequeuer = fleet_start(t->fleet, "dequeuer");
    note(t, "fault kill-dequeuer\n");
}

/* Its pods run on; its guard is killed as well, or sees that nothing of it is left. */
static void kill_executor(struct trial *t)
{
    struct lua *lua = &t->fleet->lua;
    char run[64], token[32], executor[128];
    const char *pid;

    snprintf(run, sizeof run, "%s", lua_cmd(lua, "ZRANDMEMBER @running"));
    if (!*run ||
        sscanf(lua_cmd(lua, "HMGET @run:%s token executor", run), "%31s %127s", token, executor) != 2 ||
        !(pid = strrchr(executor, ':')))
        return;
    note(t, "orphaned %s\nfault kill-executor\n", token);
    kill((pid_t)strtol(pid + 1, NULL, 10), SIGKILL);
}

static void let_something_fail(struct trial *t)
{
    int die = below(t, 10);

    if (die < 2)
        kill_executor(t);
    else if (die == 2)
        kill_dequeuer(t);
    else if (kube_server_is_real())
        ; /* such a server is not told to fail */
    else if (die == 3)
        end_watches(t);
    else
        fail_requests(t);
    nanosleep(&(struct timespec){.tv_nsec = below(t, 2 * REST_MS) * 1000000L}, NULL);
}

/* --- what is left --- */

static int64_t ended(struct trial *t)
{
    return fleet_number(t->fleet, "ZCARD @history");
}

static void assert_ended_once(struct trial *t, const char *run)
{
    const char *story = fleet_story(t->fleet, run);

    note(t, "final %s %s\n", run, lua_cmd(&t->fleet->lua, "HGET @run:%s state", run));
    if (fleet_count(story, "RunSuccess") + fleet_count(story, "RunFailure") != 1)
        fail_msg("%s: %s", run, story);
}

static void assert_nothing_left(struct trial *t)
{
    static const char *const keys[] = {"@gate:*", "@slots*", "@pool:*", "@wait*", "@lane:*", "@parked*"};

    fleet_assert_idle(t->fleet);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_string_equal(lua_cmd(&t->fleet->lua, "KEYS %s", keys[i]), "");
    WAIT_UNTIL(t->fleet, fake_unfinished(&kube_fleet_server) == 0); /* the others have a time to live */
    WAIT_UNTIL(t->fleet, fake_running(&kube_fleet_server) == 0);
}

static void judge(struct trial *t)
{
    char *command = xasprintf("tests/chaos/check_history %s/record >&2", t->fleet->server.dir);

    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    free(command);
}

static void begin(struct trial *t, struct fleet *f)
{
    char *record = xasprintf("%s/record", f->server.dir), *live = xasprintf("%s/live", f->server.dir);
    long seed = number_of("KUBE_SEED", 1);

    print_message("# KUBE_SEED=%ld\n", seed);
    *t = (struct trial){.fleet = f, .seed = {(unsigned short)seed, (unsigned short)(seed >> 16), 1}};
    t->history = open(record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(mkdir(live, 0700), 0);
    free(record);
    free(live);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static void what_is_promised_holds_whatever_fails(void **state)
{
    struct fleet *f = *state;
    int runs = (int)number_of("KUBE_RUNS", RUNS);
    struct trial t;

    begin(&t, f);
    kube_fleet_use(f, "rivers:1", ", \"ttl_after_finished\": \"1m\"");
    set_limits(&t);
    for (int i = 0; i < DEQUEUERS; i++)
        t.dequeuers[i] = fleet_start(f, "dequeuer");
    submit_all(&t, runs);
    for (int64_t end_at = clock_mono_ms() + END_MS; ended(&t) < runs * 9 / 10 && clock_mono_ms() < end_at;)
        let_something_fail(&t);
    if (!kube_server_is_real())
        fake_do(&kube_fleet_server, 200, "DELETE", "/-/faults", NULL);
    for (int64_t end_at = clock_mono_ms() + QUIET_MS; ended(&t) < runs && clock_mono_ms() < end_at;)
        nap();
    WAIT_UNTIL(f, ended(&t) == runs);
    for (int i = 0; i < runs; i++)
        assert_ended_once(&t, f->ids[i]);
    assert_nothing_left(&t);
    judge(&t);
    close(t.history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KUBE_TEST(what_is_promised_holds_whatever_fails),
    };

    kube_fleet_path();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
