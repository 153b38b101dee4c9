/* rivers.h as a program uses it: the connection, runs, and what is left of a call in the program. Beside the public header only what
 * starts servers and dequeuers and looks into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "rivers/rivers.h"
#include "support/api.h"
#include "support/fleet.h"

/* A run of one step, with these members before its steps. */
static const char *run_of(const char *members, const char *command)
{
    static char json[512];

    snprintf(json, sizeof json, "{%s \"steps\": [{\"name\": \"main\", \"command\": \"%s\"}]}", members,
             command);
    return json;
}

static enum rivers_run_state state_of(struct rivers *h, const char *id)
{
    enum rivers_run_state state;

    assert_ok(rivers_state(h, id, &state, &e));
    return state;
}

static size_t entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* --- runs */

static void run_goes_its_way(void **state)
{
    struct fleet *f = *state;
    char good[RIVERS_ID_SIZE], bad[RIVERS_ID_SIZE], *json = NULL;
    enum rivers_run_state at = RIVERS_CANCELED;
    struct rivers *h = opened(NULL);

    assert_ok(rivers_submit(h, run_of("\"job\": \"nightly\",", "true"), good, &e));
    assert_int_equal(state_of(h, good), RIVERS_QUEUED);
    assert_fault(rivers_wait(h, good, 50, &at, &e), RIVERS_TIMEOUT,
                 "has not ended within 50ms (status: Queued)");
    assert_int_equal(at, RIVERS_QUEUED);
    fleet_start(f, "dequeuer");
    assert_ok(rivers_wait(h, good, LONG_MS, &at, &e));
    assert_int_equal(at, RIVERS_SUCCESS);
    assert_ok(rivers_submit(h, run_of("", "exit 3"), bad, &e));
    assert_ok(rivers_wait(h, bad, RIVERS_FOREVER, &at, &e));
    assert_int_equal(at, RIVERS_FAILURE);
    assert_string_equal(rivers_state_word(at), "Failure");

    assert_ok(rivers_show(h, good, &json, &e));
    char *printed = fleet_call(f, NULL, "runs show --json %s", good);
    printed[strcspn(printed, "\n")] = '\0';
    assert_string_equal(json, printed);
    assert_non_null(strstr(json, "\"job\":\"nightly\",\"state\":\"Success\""));
    free(printed);
    rivers_free(json);
    rivers_close(h);
}

static void key_makes_it_one_run(void **state)
{
    struct fleet *f = *state;
    char one[RIVERS_ID_SIZE], same[RIVERS_ID_SIZE], other[RIVERS_ID_SIZE];
    struct rivers *h = opened(NULL);

    assert_ok(rivers_submit(h, run_of("\"key\": \"k\",", "true"), one, &e));
    assert_ok(rivers_submit(h, run_of("\"key\": \"k\", \"priority\": 3,", "false"), same, &e));
    assert_ok(rivers_submit(h, run_of("", "true"), other, &e));
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
    assert_true(fleet_is(f, "2", "ZCARD @queue"));
    rivers_close(h);
}

static void document_is_checked(void **state)
{
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"", "line 1, column 1: "},
        {"{\"steps\":\n [}", "line 2, column 3: "},
        {"{\"steps\": []}", "steps: must be a list of at least one step"},
        {"{\"steps\": [{\"name\": \"a\"}]}", "steps[0].command: is required"},
        {"{\"stepz\": []}", "unknown key 'stepz', did you mean 'steps'?"},
        {"{\"priority\": 1.5, \"steps\": [{\"name\": \"a\", \"command\": \"true\"}]}",
         "priority: must be a whole number"},
    };
    struct fleet *f = *state;
    char id[RIVERS_ID_SIZE] = "as it was";
    struct rivers *h = opened(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_fault(rivers_submit(h, rows[i].json, id, &e), RIVERS_INVALID, rows[i].says);
    assert_int_equal(rivers_submit(h, "", id, NULL), RIVERS_INVALID);
    assert_string_equal(id, "as it was");
    assert_true(fleet_is(f, "0", "ZCARD @queue"));
    rivers_close(h);
}

static void submission_is_refused(void **state)
{
    struct fleet *f = *state;
    char id[RIVERS_ID_SIZE];
    struct rivers *h = opened(NULL);

    lua_cmd(&f->lua, "HSET @pool_limits db 2");
    lua_cmd(&f->lua, "HSET @config max_queued_runs 1");
    assert_fault(
        rivers_submit(h, "{\"steps\": [{\"name\": \"a\", \"command\": \"true\", \"pools\": {\"db\": 3}}]}",
                      id, &e),
        RIVERS_REFUSED, "step 'a' asks 3 slots of pool 'db' (limit 2): it can never run");
    assert_ok(rivers_submit(h, run_of("", "true"), id, &e));
    assert_fault(rivers_submit(h, run_of("", "true"), id, &e), RIVERS_FULL,
                 "the queue is full (max_queued_runs 1)");
    rivers_close(h);
}

static void queued_run_is_canceled(void **state)
{
    struct rivers *h = opened(NULL);
    char id[RIVERS_ID_SIZE];

    (void)state;
    assert_ok(rivers_submit(h, run_of("", "true"), id, &e));
    assert_fault(rivers_cancel(h, id, -1, &e), RIVERS_INVALID, "grace_ms: must not be negative");
    assert_ok(rivers_cancel(h, id, 0, &e));
    assert_int_equal(state_of(h, id), RIVERS_CANCELED);
    assert_ok(rivers_cancel(h, id, 0, &e));
    rivers_close(h);
}

static void started_run_is_canceled(void **state)
{
    struct fleet *f = *state;
    char started[RIVERS_ID_SIZE], ended[RIVERS_ID_SIZE];
    enum rivers_run_state at;
    struct rivers *h = opened(NULL);

    fleet_start(f, "dequeuer");
    assert_ok(rivers_submit(h, run_of("", "true"), ended, &e));
    assert_ok(rivers_submit(h, run_of("", "sleep 1000"), started, &e));
    WAIT_UNTIL(f, state_of(h, started) == RIVERS_STARTED);
    assert_ok(rivers_cancel(h, started, 0, &e));
    assert_ok(rivers_wait(h, started, LONG_MS, &at, &e));
    assert_int_equal(at, RIVERS_CANCELED);
    assert_ok(rivers_wait(h, ended, LONG_MS, &at, &e));
    assert_fault(rivers_cancel(h, ended, 0, &e), RIVERS_REFUSED, "has already ended (status: Success)");
    rivers_close(h);
}

static void run_that_is_not_there(void **state)
{
    enum rivers_run_state at = RIVERS_FAILURE;
    struct rivers *h = opened(NULL);
    char *json = NULL;

    (void)state;
    assert_fault(rivers_state(h, "rnone", &at, &e), RIVERS_NOT_FOUND, "run 'rnone' not found");
    assert_fault(rivers_wait(h, "rnone", LONG_MS, &at, &e), RIVERS_NOT_FOUND, "run 'rnone' not found");
    assert_fault(rivers_show(h, "rnone", &json, &e), RIVERS_NOT_FOUND, "run 'rnone' not found");
    assert_fault(rivers_cancel(h, "rnone", 0, &e), RIVERS_NOT_FOUND, "run 'rnone' not found");
    assert_fault(rivers_state(h, "", &at, &e), RIVERS_NOT_FOUND, "run '' not found");
    assert_null(json);
    assert_int_equal(at, RIVERS_FAILURE);
    rivers_close(h);
}

static void server_says_no(void **state)
{
    struct fleet *f = *state;
    struct rivers *h = opened(NULL);
    enum rivers_run_state at;
    char id[RIVERS_ID_SIZE];

    lua_cmd(&f->lua, "SET @run:rodd text");
    assert_fault(rivers_state(h, "rodd", &at, &e), RIVERS_SERVER, "WRONGTYPE");
    lua_cmd(&f->lua, "HSET @meta layout 99");
    assert_fault(rivers_submit(h, run_of("", "true"), id, &e), RIVERS_REFUSED,
                 "namespace 'test' has data layout 99");
    rivers_close(h);
}

/* --- the connection */

static void namespaces_are_apart(void **state)
{
    const struct rivers_options elsewhere = {.ns = "elsewhere"};
    struct rivers *h = opened(NULL), *other = opened(&elsewhere);
    enum rivers_run_state at;
    char id[RIVERS_ID_SIZE];

    (void)state;
    assert_ok(rivers_submit(h, run_of("", "true"), id, &e));
    assert_fault(rivers_state(other, id, &at, &e), RIVERS_NOT_FOUND, "not found");
    rivers_close(other);
    rivers_close(h);
}

static void server_is_found(void **state)
{
    struct fleet *f = *state;
    const struct rivers_options named = {.url = f->server.url};
    char dev[sizeof f->server.dir + 16], path[sizeof dev + 16], here[1024];
    struct rivers *h;

    unsetenv("RIVERS_REDIS_URL");
    assert_fault(rivers_open(&h, NULL, &e), RIVERS_NOT_FOUND, "no Redis given");
    assert_null(h);
    rivers_close(opened(&named));

    /* As `rivers dev` leaves it in a directory above. */
    snprintf(dev, sizeof dev, "%s/.rivers", f->server.dir);
    assert_int_equal(mkdir(dev, 0700), 0);
    snprintf(path, sizeof path, "%s/redis.sock", dev);
    assert_int_equal(symlink("../redis.sock", path), 0);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(dev), 0);
    rivers_close(opened(NULL));
    assert_int_equal(chdir(here), 0);
    assert_int_equal(setenv("RIVERS_REDIS_URL", f->server.url, 1), 0);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        struct rivers_options options;
        enum rivers_code code;
        const char *says;
    } rows[] = {
        {{.url = "http://localhost"}, RIVERS_INVALID, "redis"},
        {{.url = "redis://:hunter2@localhost:port"}, RIVERS_INVALID, "port"},
        {{.ns = "a b"}, RIVERS_INVALID, "namespace 'a b': only letters"},
        {{.timeout_ms = -1}, RIVERS_INVALID, "timeout_ms: must not be negative"},
        {{.password_file = "/nonexistent"}, RIVERS_SYSTEM, "password file '/nonexistent': "},
        {{.url = "unix:///nonexistent/redis.sock", .timeout_ms = 50},
         RIVERS_UNAVAILABLE,
         "cannot reach redis at unix:///nonexistent/redis.sock: No such file or directory"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rivers *h = (struct rivers *)(void *)&e;
        assert_fault(rivers_open(&h, &rows[i].options, &e), rows[i].code, rows[i].says);
        assert_null(h);
        assert_null(strstr(e.message, "hunter2"));
    }
    rivers_close(NULL);
}

/* Neither is the process ended nor anything left open, whatever is lacking at which point. */
static void descriptors_run_out(void **state)
{
    const struct rivers_options quick = {.timeout_ms = 50};
    size_t open_before = entries("/proc/self/fd"), lacking = 0;
    struct rlimit limit, less;
    struct rivers *h = NULL;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    less = limit;
    for (less.rlim_cur = 3; !h; less.rlim_cur++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
        int code = rivers_open(&h, &quick, &e);
        if (code != RIVERS_OK && strstr(e.message, "Too many open files"))
            lacking++;
        assert_true(code == RIVERS_OK || code == RIVERS_SYSTEM || code == RIVERS_UNAVAILABLE);
    }
    assert_true(lacking > 3);
    rivers_close(h);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(entries("/proc/self/fd"), open_before);
}

static void server_that_is_gone_is_sent_nothing(void **state)
{
    const struct rivers_options quick = {.timeout_ms = 200};
    struct fleet *f = *state;
    struct rivers *h = opened(&quick), *none;
    char id[RIVERS_ID_SIZE];

    redis_server_kill(&f->server);
    assert_fault(rivers_submit(h, run_of("", "true"), id, &e), RIVERS_UNAVAILABLE,
                 "cannot reach redis at unix:");
    assert_fault(rivers_open(&none, &quick, &e), RIVERS_UNAVAILABLE, "cannot reach redis at unix:");
    redis_server_restart(&f->server);
    while (rivers_submit(h, run_of("\"key\": \"k\",", "true"), id, &e) == RIVERS_UNAVAILABLE)
        ;
    assert_int_equal(state_of(h, id), RIVERS_QUEUED);
    rivers_close(h);
}

static void server_that_does_not_answer(void **state)
{
    const struct rivers_options quick = {.timeout_ms = 200};
    struct fleet *f = *state;
    struct rivers *h = opened(&quick), *patient = opened(NULL);
    char id[RIVERS_ID_SIZE];

    kill(f->server.pid, SIGSTOP);
    assert_fault(rivers_submit(h, run_of("\"key\": \"k\",", "true"), id, &e), RIVERS_UNKNOWN,
                 "no reply from redis at unix:");
    kill(f->server.pid, SIGCONT);
    assert_ok(rivers_submit(patient, run_of("\"key\": \"k\",", "true"), id, &e));
    assert_true(fleet_is(f, "1", "ZCARD @queue"));
    rivers_close(patient);
    rivers_close(h);
}

/* --- the program */

/* The server ends while it is written to: it has stopped, and takes in no more than the buffers of the socket hold. */
static int submit_into_the_void(const struct fleet *f, const char *json)
{
    const struct rivers_options quick = {.timeout_ms = 1000};
    struct rivers *h = opened(&quick);
    char id[RIVERS_ID_SIZE];

    kill(f->server.pid, SIGSTOP);
    if (fork() == 0) {
        usleep(200000);
        kill(f->server.pid, SIGKILL);
        _exit(0);
    }
    int code = rivers_submit(h, json, id, &e);
    rivers_close(h);
    return code;
}

/* In a child, as SIGPIPE would end it. */
static void broken_pipe_is_no_end(void **state)
{
    const struct fleet *f = *state;
    struct text json = {0};
    int status;

    text_add(&json, "{\"env\": {\"A\": \"");
    for (int i = 0; i < 90000; i++)
        text_add(&json, "0123456789");
    text_add(&json, "\"}, \"steps\": [{\"name\": \"a\", \"command\": \"true\"}]}");
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        _exit(submit_into_the_void(f, json.s));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == RIVERS_UNKNOWN);
    text_release(&json);
}

static void program_is_left_as_it_was(void **state)
{
    struct fleet *f = *state;
    size_t descriptors = entries("/proc/self/fd");
    struct sigaction before[32], after;
    char id[RIVERS_ID_SIZE];
    enum rivers_run_state at;
    sigset_t mask, then;

    lua_cmd(&f->lua, "HSET @pool_limits db 1");
    signal(SIGPIPE, SIG_DFL);
    for (int sig = 1; sig < 32; sig++)
        sigaction(sig, NULL, &before[sig]);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    locale_t mine = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    uselocale(mine);

    struct rivers *h = opened(NULL);
    struct rivers_slots slots = {0};
    assert_ok(rivers_submit(h, run_of("", "true"), id, &e));
    assert_int_equal(rivers_wait(h, id, 10, &at, &e), RIVERS_TIMEOUT);
    assert_ok(rivers_claim(h, NULL, &(struct rivers_pool){"db", 1}, 1, 0, 0, &slots, &e));
    assert_int_equal(entries("/proc/self/task"), 3); /* ., .. and this thread */
    rivers_close(h);

    assert_ptr_equal(uselocale(LC_GLOBAL_LOCALE), mine);
    freelocale(mine);
    sigprocmask(SIG_SETMASK, NULL, &then);
    for (int sig = 1; sig < 32; sig++) {
        sigaction(sig, NULL, &after);
        assert_ptr_equal(after.sa_handler, before[sig].sa_handler);
        assert_int_equal(sigismember(&then, sig), sigismember(&mask, sig));
    }
    assert_int_equal(entries("/proc/self/fd"), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLEET_TEST(run_goes_its_way),
        FLEET_TEST(key_makes_it_one_run),
        FLEET_TEST(document_is_checked),
        FLEET_TEST(submission_is_refused),
        FLEET_TEST(queued_run_is_canceled),
        FLEET_TEST(started_run_is_canceled),
        FLEET_TEST(run_that_is_not_there),
        FLEET_TEST(server_says_no),
        FLEET_TEST(namespaces_are_apart),
        FLEET_TEST(server_is_found),
        FLEET_TEST(what_is_wrong_is_named),
        FLEET_TEST(descriptors_run_out),
        FLEET_TEST(server_that_is_gone_is_sent_nothing),
        FLEET_TEST(server_that_does_not_answer),
        FLEET_TEST(broken_pipe_is_no_end),
        FLEET_TEST(program_is_left_as_it_was),
    };

    return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
