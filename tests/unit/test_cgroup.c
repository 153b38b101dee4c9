#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/mem.h"

enum { HOPS = 200000, LOOKS = 20000 };

static bool is_there(const char *own, const char *name)
{
    char *path = xasprintf("%s/%s", own, name);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

static void nobody_is_left_behind(void)
{
    for (int i = 0; waitpid(-1, NULL, WNOHANG) >= 0; i++) {
        assert_true(i < LOOKS);
        usleep(1000);
    }
}

/* Goes from process to process; each is an orphan at once. */
static void hop(int pipe)
{
    for (int i = 0; i < HOPS; i++) {
        if (fork() > 0)
            _exit(0);
        if (i == 50)
            close(pipe);
    }
    _exit(0);
}

static pid_t start_hopping(const char *own, const char *name)
{
    int ends[2];
    char byte;

    assert_return_code(pipe(ends), 0);
    pid_t pid = cgroup_fork(own, name);
    if (pid == 0) {
        close(ends[0]);
        hop(ends[1]);
    }
    assert_true(pid > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* it is on its way */
    close(ends[0]);
    return pid;
}

/* Where this process may make groups; elsewhere what is asked for does nothing. */
static void what_is_in_a_group_is_killed_however_it_forks(void **state)
{
    char *own = cgroup_own(), *name = xasprintf("rivers-test-%d", (int)getpid());
    int looks = 0;

    (void)state;
    assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1L), 0);
    if (cgroup_make(own, name)) {
        start_hopping(own, name);
        while (!cgroup_end(own, name)) {
            assert_true(++looks < LOOKS);
            usleep(1000);
        }
        assert_false(is_there(own, name));
    } else {
        assert_true(cgroup_end(own, name));
        pid_t pid = cgroup_fork(own ? own : "/nowhere", name);
        if (pid == 0)
            _exit(3);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 3);
    }
    nobody_is_left_behind();
    free(own);
    free(name);
}

/* As in a tree of directories that is no tree of groups. */
static void groups_that_are_empty_are_swept(void **state)
{
    char dir[] = "/tmp/rivers-cgroup-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_true(cgroup_make(dir, "rivers-a"));
    assert_false(cgroup_make(dir, "rivers-a"));
    assert_true(cgroup_make(dir, "other"));
    cgroup_sweep(dir, "rivers-");
    assert_false(is_there(dir, "rivers-a"));
    assert_true(is_there(dir, "other"));
    assert_true(cgroup_end(dir, "other"));
    assert_false(is_there(dir, "other"));
    assert_true(cgroup_make(dir, "rivers-1-0"));
    assert_true(cgroup_make(dir, "rivers-11-0"));
    cgroup_end_all(dir, "rivers-1-");
    assert_false(is_there(dir, "rivers-1-0"));
    assert_true(is_there(dir, "rivers-11-0"));
    assert_true(cgroup_end(dir, "rivers-11-0"));
    cgroup_sweep(NULL, "rivers-");
    cgroup_end_all(NULL, "rivers-");
    assert_return_code(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_a_group_is_killed_however_it_forks),
        cmocka_unit_test(groups_that_are_empty_are_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
