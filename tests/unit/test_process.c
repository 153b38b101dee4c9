#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "base/process.h"
#include "base/reaper.h"

enum { DEADLINE_S = 30 };

/* A list of literals as execve takes it. */
#define STRINGS(...) ((char *const *)(uintptr_t)(const char *const[]){__VA_ARGS__, NULL})

struct fixture {
    struct event_base *base;
    struct reaper *reaper;
    char dir[32];
    int descriptors; /* open before the test */
};

/* A process and what was heard of it. */
struct child {
    struct process *process;
    struct text out;
    int exits;
    struct process_exit exit;
};

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static bool have_children(void)
{
    siginfo_t si;

    return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct err e;

    *f = (struct fixture){.dir = "/tmp/rivers-process-XXXXXX", .descriptors = count_descriptors()};
    if (!mkdtemp(f->dir))
        return -1;
    f->base = event_base_new();
    f->reaper = reaper_new(f->base, true, &e);
    *state = f;
    return f->reaper ? 0 : -1;
}

/* No test may leave a process, a zombie or a descriptor. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    char *tool = xasprintf("%s/tool", f->dir);

    assert_false(have_children());
    reaper_free(f->reaper);
    event_base_free(f->base);
    assert_int_equal(count_descriptors(), f->descriptors);
    unlink(tool);
    assert_int_equal(rmdir(f->dir), 0);
    free(tool);
    free(f);
    return 0;
}

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct child *c = arg;

    assert_int_equal(c->exits, 0);
    text_add_bytes(&c->out, bytes, n);
}

static void on_exit_heard(void *arg, const struct process_exit *exit)
{
    struct child *c = arg;

    c->exits++;
    c->exit = *exit;
}

static void start(struct fixture *f, struct child *c, struct process_options options)
{
    struct err e = {0};

    options.on_output = on_output;
    options.on_exit = on_exit_heard;
    options.arg = c;
    c->process = process_start(f->reaper, &options, &e);
    assert_string_equal(e.msg, "");
    assert_non_null(c->process);
    assert_int_equal(c->exits, 0);
}

static void start_script(struct fixture *f, struct child *c, const char *script)
{
    start(f, c, (struct process_options){.argv = STRINGS("sh", "-c", script)});
}

static void release(struct child *c)
{
    process_free(c->process);
    text_release(&c->out);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* Runs the loop until the condition holds. */
static void run_until(struct fixture *f, bool (*holds)(const struct child *), const struct child *c)
{
    const struct timeval deadline = {.tv_sec = DEADLINE_S};
    bool late = false;
    struct event *guard = evtimer_new(f->base, on_late, &late);

    evtimer_add(guard, &deadline);
    while (!holds(c) && !late)
        event_base_loop(f->base, EVLOOP_ONCE);
    event_free(guard);
    assert_false(late);
}

static bool has_exited(const struct child *c)
{
    return c->exits > 0;
}

static bool has_line(const struct child *c)
{
    return strchr(text_get(&c->out), '\n');
}

static bool no_child_is_left(const struct child *c)
{
    (void)c;
    return !have_children();
}

static void assert_exit(const struct child *c, bool signaled, int code)
{
    assert_int_equal(c->exits, 1);
    assert_int_equal(c->exit.signaled, signaled);
    assert_int_equal(c->exit.code, code);
}

/* Runs a script to its end and compares its output. */
static void assert_script(struct fixture *f, const char *script, const char *out)
{
    struct child c = {0};

    start_script(f, &c, script);
    run_until(f, has_exited, &c);
    assert_string_equal(text_get(&c.out), out);
    assert_exit(&c, false, 0);
    release(&c);
}

/* The pid that a script printed on its first line. */
static pid_t printed_pid(const struct child *c)
{
    int64_t pid;
    char *line = xstrdup(text_get(&c->out));

    line[strcspn(line, "\n")] = '\0';
    assert_int_equal(number_parse(line, 2, INT32_MAX, &pid), 0);
    free(line);
    return (pid_t)pid;
}

static bool is_alive(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void kill_strays(struct fixture *f)
{
    struct err e = {0};

    assert_int_equal(reaper_kill_strays(f->reaper, &e), 0);
}

static void write_tool(struct fixture *f, mode_t mode)
{
    static const char tool[] = "#!/bin/sh\necho tool\n";
    char *path = xasprintf("%s/tool", f->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, tool, sizeof tool - 1), sizeof tool - 1);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    free(path);
}

static void test_exit(void **state)
{
    static const struct {
        const char *script;
        bool signaled;
        int code;
    } rows[] = {
        {"exit 0", false, 0},
        {"exit 3", false, 3},
        {"exit 255", false, 255},
        {"kill -KILL $$", true, SIGKILL},
        {"kill -TERM $$", true, SIGTERM},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct child c = {0};
        start_script(*state, &c, rows[i].script);
        run_until(*state, has_exited, &c);
        assert_exit(&c, rows[i].signaled, rows[i].code);
        release(&c);
    }
}

static void assert_start_fails(struct fixture *f, struct process_options options, const char *msg)
{
    struct err e = {0};

    options.on_output = on_output;
    options.on_exit = on_exit_heard;
    assert_null(process_start(f->reaper, &options, &e));
    assert_int_equal(e.code, ERR_SYSTEM);
    assert_string_equal(e.msg, msg);
    assert_false(have_children());
}

static void test_start_fails(void **state)
{
    struct fixture *f = *state;
    char *path = xasprintf("PATH=/nonexistent:%s", f->dir);
    char *const *envp = STRINGS(path);

    assert_start_fails(f, (struct process_options){.argv = STRINGS("rivers-no-such")},
                       "cannot run 'rivers-no-such': No such file or directory");
    assert_start_fails(f, (struct process_options){.argv = STRINGS("/rivers/no")},
                       "cannot run '/rivers/no': No such file or directory");
    assert_start_fails(f, (struct process_options){.argv = STRINGS("")},
                       "cannot run '': No such file or directory");
    assert_start_fails(f, (struct process_options){.argv = STRINGS("sh"), .cwd = "/rivers/no"},
                       "cannot enter directory '/rivers/no': No such file or directory");
    assert_start_fails(f, (struct process_options){.argv = STRINGS("sh"), .envp = envp},
                       "cannot run 'sh': No such file or directory");
    write_tool(f, 0600);
    assert_start_fails(f, (struct process_options){.argv = STRINGS("tool"), .envp = envp},
                       "cannot run 'tool': Permission denied");
    assert_start_fails(f, (struct process_options){.argv = STRINGS("./tool"), .cwd = f->dir},
                       "cannot run './tool': Permission denied");
    free(path);
}

static void test_path(void **state)
{
    struct fixture *f = *state;
    char *path = xasprintf("PATH=/nonexistent:/etc/passwd:%s", f->dir);
    char *const *envp = STRINGS(path), *const *here = STRINGS("PATH="), *const none[] = {NULL};
    const struct process_options rows[] = {
        {.argv = STRINGS("tool"), .envp = envp},
        {.argv = STRINGS("tool"), .envp = here, .cwd = f->dir},
        {.argv = STRINGS("./tool"), .cwd = f->dir},
        {.argv = STRINGS("echo", "tool"), .envp = none},
    };

    write_tool(f, 0700);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct child c = {0};
        start(f, &c, rows[i]);
        run_until(f, has_exited, &c);
        assert_string_equal(text_get(&c.out), "tool\n");
        release(&c);
    }
    free(path);
}

static void test_env_and_cwd(void **state)
{
    struct fixture *f = *state;
    char *const *argv = STRINGS("sh", "-c", "pwd; echo \"$GREETING,$HOME\"");
    char *const *envp = STRINGS("GREETING=good day", "PATH=/usr/bin:/bin");
    char *expected = xasprintf("%s\ngood day,\n", f->dir);
    struct child c = {0};

    start(f, &c, (struct process_options){.argv = argv, .envp = envp, .cwd = f->dir});
    run_until(f, has_exited, &c);
    assert_string_equal(text_get(&c.out), expected);
    release(&c);
    free(expected);
}

static void test_output(void **state)
{
    assert_script(*state, "for i in 1 2 3; do echo out $i; echo err $i >&2; done",
                  "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n");
    assert_script(*state, "cat; echo stdin is empty", "stdin is empty\n");
    assert_script(*state, "exec >&- 2>&-; sleep 0.1", "");
}

/* It counts the same way and must find no descriptor that was opened since. */
static void test_descriptors(void **state)
{
    struct fixture *f = *state;
    char *expected = xasprintf("%d\n", f->descriptors);

    assert_script(f, "set -- $(ls -a /proc/self/fd); echo $#", expected);
    free(expected);
}

static void test_much_output(void **state)
{
    enum { N = 5000000 };
    struct child c = {0};

    start_script(*state, &c, "head -c 5000000 /dev/zero | tr '\\0' x");
    run_until(*state, has_exited, &c);
    assert_int_equal(c.out.len, N);
    assert_int_equal(strspn(c.out.s, "x"), N);
    release(&c);
}

static void test_output_not_captured(void **state)
{
    struct fixture *f = *state;
    struct child c = {0};
    const struct process_options options = {.argv = STRINGS("true"), .on_exit = on_exit_heard, .arg = &c};
    struct err e;

    c.process = process_start(f->reaper, &options, &e);
    assert_non_null(c.process);
    run_until(f, has_exited, &c);
    assert_exit(&c, false, 0);
    release(&c);
}

static void test_signals_are_reset(void **state)
{
    char *const *argv = STRINGS("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status");
    unsigned long long blocked, ignored;
    struct child c = {0};
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGPIPE, SIG_IGN);
    start(*state, &c, (struct process_options){.argv = argv});
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    run_until(*state, has_exited, &c);
    assert_int_equal(sscanf(text_get(&c.out), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    /* Signals 32 and 33 belong to the C library: nobody can reset them, and some parents leave them ignored. */
    assert_int_equal(ignored & ~0x180000000ULL, 0);
    release(&c);
}

static void test_apart(void **state)
{
    char *const *argv = STRINGS("sleep", "100");
    struct child group = {0}, session = {0};

    start(*state, &group, (struct process_options){.argv = argv, .apart = PROCESS_GROUP});
    start(*state, &session, (struct process_options){.argv = argv, .apart = PROCESS_SESSION});
    pid_t first = process_pid_get(group.process), second = process_pid_get(session.process);
    assert_int_equal(getpgid(first), first);
    assert_int_equal(getsid(first), getsid(0));
    assert_int_equal(getpgid(second), second);
    assert_int_equal(getsid(second), second);
    release(&group);
    release(&session);
}

static void test_group_ends_with_process(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "sleep 100 & echo $!");
    run_until(*state, has_exited, &c);
    assert_exit(&c, false, 0);
    assert_false(is_alive(printed_pid(&c)));
    release(&c);
}

static void test_output_held_outside_group(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "setsid sh -c 'sleep 100 & echo $!'; exit 4");
    run_until(*state, has_exited, &c);
    assert_exit(&c, false, 4);
    assert_true(is_alive(printed_pid(&c)));
    kill_strays(*state);
    assert_false(is_alive(printed_pid(&c)));
    release(&c);
}

static void test_signal_reaches_group(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "trap 'exit 7' USR1; sh -c 'echo ready; exec sleep 100'");
    run_until(*state, has_line, &c);
    process_signal(c.process, SIGUSR1);
    run_until(*state, has_exited, &c);
    assert_exit(&c, false, 7);
    process_signal(c.process, SIGUSR1);
    release(&c);
}

static void test_end(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "echo ready; exec sleep 100");
    run_until(*state, has_line, &c);
    process_end(c.process, 100000);
    run_until(*state, has_exited, &c);
    assert_exit(&c, true, SIGTERM);
    process_end(c.process, 0);
    assert_exit(&c, true, SIGTERM);
    release(&c);
}

static void test_end_after_grace(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "trap '' TERM; echo ready; while :; do sleep 1; done");
    run_until(*state, has_line, &c);
    process_end(c.process, 100000);
    process_end(c.process, 50);
    run_until(*state, has_exited, &c);
    assert_exit(&c, true, SIGKILL);
    release(&c);
}

/* The shell dies of SIGTERM at once; what it runs still has its grace. */
static void test_grace_is_for_the_group(void **state)
{
    struct child c = {0};

    start_script(
        *state, &c,
        "(trap 'sleep 0.2; echo cleaned; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait");
    run_until(*state, has_line, &c);
    process_end(c.process, 100000);
    run_until(*state, has_exited, &c);
    assert_exit(&c, true, SIGTERM);
    assert_non_null(strstr(text_get(&c.out), "cleaned\n"));
    release(&c);
}

static void test_grace_of_the_group_ends(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "(trap '' TERM; echo ready; exec sleep 100) & wait");
    run_until(*state, has_line, &c);
    process_end(c.process, 100);
    run_until(*state, has_exited, &c);
    assert_exit(&c, true, SIGTERM);
    assert_false(have_children());
    release(&c);
}

static void test_no_grace_outside_the_group(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "setsid sh -c 'sleep 100 & echo $!'; exec sleep 100");
    run_until(*state, has_line, &c);
    process_end(c.process, 1000000);
    run_until(*state, has_exited, &c);
    assert_exit(&c, true, SIGTERM);
    assert_true(is_alive(printed_pid(&c)));
    kill_strays(*state);
    release(&c);
}

static void test_free_kills(void **state)
{
    struct child running = {0}, ending = {0};

    start_script(*state, &running, "trap '' TERM; sleep 100 & echo $!; wait");
    start_script(*state, &ending, "(trap '' TERM; echo ready; exec sleep 100) & wait");
    run_until(*state, has_line, &running);
    run_until(*state, has_line, &ending);
    process_end(ending.process, 100000);
    release(&running);
    release(&ending);
    run_until(*state, no_child_is_left, NULL);
    assert_int_equal(running.exits, 0);
    assert_int_equal(ending.exits, 0);
}

static void test_leave(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "echo ready; sleep 100");
    run_until(*state, has_line, &c);
    pid_t pid = process_pid_get(c.process);
    process_leave(c.process);
    assert_true(is_alive(pid));
    kill_strays(*state);
    assert_false(is_alive(pid));
    assert_int_equal(c.exits, 0);
    text_release(&c.out);
}

static void free_on_exit(void *arg, const struct process_exit *exit)
{
    struct child *c = arg;

    process_free(c->process);
    on_exit_heard(arg, exit);
}

static void test_free_in_callback(void **state)
{
    struct fixture *f = *state;
    struct child c = {0};
    const struct process_options options = {.argv = STRINGS("false"), .on_exit = free_on_exit, .arg = &c};
    struct err e;

    c.process = process_start(f->reaper, &options, &e);
    assert_non_null(c.process);
    run_until(f, has_exited, &c);
    assert_exit(&c, false, 1);
}

static void test_many(void **state)
{
    enum { ROUNDS = 10, EACH = 20 };
    struct child children[EACH];
    int descriptors = 0;

    for (int round = 0; round < ROUNDS; round++) {
        memset(children, 0, sizeof children);
        for (int i = 0; i < EACH; i++)
            start_script(*state, &children[i], "echo hello");
        for (int i = 0; i < EACH; i++) {
            run_until(*state, has_exited, &children[i]);
            assert_string_equal(text_get(&children[i].out), "hello\n");
            release(&children[i]);
        }
        assert_false(have_children());
        if (!round)
            descriptors = count_descriptors();
        assert_int_equal(count_descriptors(), descriptors);
    }
}

static void test_orphan_is_reaped(void **state)
{
    struct child c = {0};

    start_script(*state, &c, "setsid sh -c 'sleep 0.2 >/dev/null 2>&1 &'");
    run_until(*state, has_exited, &c);
    run_until(*state, no_child_is_left, NULL);
    release(&c);
}

/* A tree of daemons, each in its own session, some of them orphans only once others are killed. */
static void test_strays_are_killed(void **state)
{
    struct child c = {0}, live = {0};

    start_script(*state, &live, "echo ready; sleep 100");
    start_script(*state, &c,
                 "exec >/dev/null 2>&1; for i in 1 2 3; do\n"
                 "setsid sh -c 'trap \"\" TERM HUP; (setsid sleep 100 & wait) & (setsid sleep 100 &) &'\n"
                 "done; sleep 0.1");
    run_until(*state, has_exited, &c);
    run_until(*state, has_line, &live);
    kill_strays(*state);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the live one */
    assert_int_equal(live.exits, 0);
    assert_true(is_alive(process_pid_get(live.process)));
    release(&live);
    release(&c);
    run_until(*state, no_child_is_left, NULL);
}

/* Starts a process that holds `held` open, and dies before it. */
static _Noreturn void die_as_parent(void)
{
    const struct process_options options = {
        .argv = STRINGS("sleep", "100"), .die_with_parent = true, .on_exit = on_exit_heard};
    struct reaper *reaper = reaper_new(event_base_new(), false, NULL);

    if (process_start(reaper, &options, NULL))
        raise(SIGKILL);
    _exit(1);
}

static void test_die_with_parent(void **state)
{
    int held[2], status; /* the write end is inherited by both; its last holder is the process */

    (void)state;
    assert_int_equal(pipe(held), 0);
    pid_t parent = fork();
    if (!parent)
        die_as_parent();
    close(held[1]);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_true(WIFSIGNALED(status));
    struct pollfd end = {.fd = held[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, DEADLINE_S * 1000), 1);
    close(held[0]);
    while (waitpid(-1, NULL, 0) > 0) /* it was adopted by us if an earlier test asked for that */
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_env_and_cwd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_output, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_much_output, setup, teardown),
        cmocka_unit_test_setup_teardown(test_output_not_captured, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signals_are_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_ends_with_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_output_held_outside_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signal_reaches_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_after_grace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace_is_for_the_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grace_of_the_group_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_grace_outside_the_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_kills, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_in_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphan_is_reaped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strays_are_killed, setup, teardown),
        cmocka_unit_test(test_die_with_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
