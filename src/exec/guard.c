#include "exec/guard.h"

#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reaper.h"

#define LOOK_MS 1000 /* while no time is said */

/* In memory that both processes share. */
struct guard {
    _Atomic int64_t until;
};

static const int awaited[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

static void awaited_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++)
        sigaddset(set, awaited[i]);
}

/* Waits for one of the awaited signals, which are blocked, or until there is something to look at. Returns it, or 0. */
static int next_signal(const struct guard *g)
{
    int64_t until = atomic_load(&g->until), left = until ? until - clock_mono_ms() : LOOK_MS;
    sigset_t set;

    if (left < 0)
        left = 0;
    awaited_set(&set);
    int sig = sigtimedwait(&set, NULL, &(struct timespec){left / 1000, left % 1000 * 1000000});
    return sig > 0 ? sig : 0;
}

/* Reaps whatever is dead. Returns whether the executor is among it, and how it ended. */
static bool is_over(pid_t executor, siginfo_t *how)
{
    siginfo_t si = {0};

    while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) == 0 && si.si_pid) {
        if (si.si_pid == executor) {
            *how = si;
            return true;
        }
        si.si_pid = 0;
    }
    return false;
}

static void end_orphans(void)
{
    struct event_base *base = event_base_new();
    struct err e = {0};
    struct reaper *reaper = reaper_new(base, true, &e);

    if (!reaper || reaper_kill_strays(reaper, &e) < 0)
        log_line(LOG_WARN, "processes of a lost executor remain", "why", e.msg, NULL);
    reaper_free(reaper);
    event_base_free(base);
}

/* The same end as the executor's, without a second core. */
static _Noreturn void end_as(const siginfo_t *how)
{
    sigset_t none;

    if (how->si_code == CLD_EXITED)
        _exit(how->si_status);
    prctl(PR_SET_DUMPABLE, 0L);
    signal(how->si_status, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    raise(how->si_status);
    _exit(128 + how->si_status);
}

static _Noreturn void keep_watch(const struct guard *g, pid_t executor)
{
    siginfo_t how;

    while (!is_over(executor, &how)) {
        int64_t until = atomic_load(&g->until);
        if (until && clock_mono_ms() >= until)
            kill(executor, SIGKILL); /* also when it is stopped */
        int sig = next_signal(g);
        if (sig && sig != SIGCHLD)
            kill(executor, sig);
    }
    end_orphans();
    end_as(&how);
}

struct guard *guard_fork(struct err *e)
{
    /* cppcheck-suppress invalidFunctionArg ; -1 is no file */
    struct guard *g = mmap(NULL, sizeof *g, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sigset_t set, before;
    pid_t self = getpid();

    if (g == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1L) < 0) {
        err_sys(e, "cannot guard an executor");
        return NULL;
    }
    awaited_set(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    pid_t executor = fork();
    if (executor > 0)
        keep_watch(g, executor);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (executor < 0) {
        err_sys(e, "cannot start an executor");
        return NULL;
    }
    prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
    if (getppid() != self) /* it died just before that */
        _exit(EXIT_FAILURE);
    return g;
}

void guard_until(struct guard *g, int64_t at)
{
    if (g)
        atomic_store(&g->until, at);
}
