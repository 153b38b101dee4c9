#include "exec/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strays.h"

#define LOOK_MS 1000 /* while an executor holds nothing, or does not die */

#define GROUP_PREFIX "rivers-"

/* An executor, as its guard knows it; the one in the seat of the same number. */
struct child {
    pid_t pid;              /* 0: not alive */
    int64_t kill_at;        /* 0: as its seat says */
    struct guard_word word; /* what there is to say; .what 0: there is no executor */
    enum guard_said told;   /* last */
    char *group;            /* the control group that it is in, NULL: none of its own */
};

struct keeper {
    int orders, signals; /* orders -1: there are none (any more) */
    bool alone;          /* with one executor, as which it ends */
    struct seats *seats;
    struct child *children;
    size_t nchildren, live;
    int64_t strays_until; /* 0: nothing is left of an executor that ended */
    char *own_group;      /* may be NULL */
    sigset_t before;
};

static const int awaited[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

/* --- executors --- */

static size_t child_new(struct keeper *k)
{
    size_t i = 0;

    while (i < k->nchildren && k->children[i].word.what)
        i++;
    if (i == k->nchildren) {
        k->children = xrealloc(k->children, ++k->nchildren * sizeof *k->children);
        k->children[i] = (struct child){0};
    }
    return i;
}

/* Ends what is in the group of a child. Returns whether it is gone. */
static bool group_end(const struct keeper *k, struct child *c)
{
    if (c->group && !cgroup_end(k->own_group, c->group))
        return false;
    free(c->group);
    c->group = NULL;
    return true;
}

/* In the child. */
static struct seat *executor_begin(const struct keeper *k, struct seat *seat, pid_t guard)
{
    if (k->orders >= 0)
        close(k->orders);
    close(k->signals);
    free(k->own_group);
    free(k->children);
    sigprocmask(SIG_SETMASK, &k->before, NULL);
    prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
    if (getppid() != guard) /* it died just before that */
        _exit(EXIT_FAILURE);
    return seat;
}

/* NULL where this process may not make one. */
static char *group_make(const struct keeper *k, const struct guard_order *order)
{
    char *group = guard_group(order->run, order->token);

    if (cgroup_make(k->own_group, group))
        return group;
    free(group);
    return NULL;
}

static pid_t child_fork(const struct keeper *k, const struct seat *seat, const char *group)
{
    if (seat)
        return cgroup_fork(k->own_group, group);
    errno = EAGAIN;
    return -1;
}

/* Returns not NULL in the executor. */
static struct seat *launch(struct keeper *k, const struct guard_order *order)
{
    size_t i = child_new(k);
    struct child *c = &k->children[i];
    struct seat *seat = seats_take(k->seats, i);
    char *group = group_make(k, order);
    pid_t self = getpid(), pid = child_fork(k, seat, group);

    if (pid == 0) {
        free(group);
        return executor_begin(k, seat, self);
    }
    *c = (struct child){.word = {.what = GUARD_LAUNCHED, .token = order->token}, .group = group};
    if (pid < 0) {
        c->word.what = GUARD_FAILED;
        c->word.code = errno;
        group_end(k, c);
    } else {
        c->pid = pid;
        k->live++;
    }
    return NULL;
}

static void terminate(struct keeper *k, const struct guard_order *order)
{
    for (struct child *c = k->children; c < k->children + k->nchildren; c++)
        if (c->pid && c->word.token == order->token) {
            kill(c->pid, SIGTERM);
            c->kill_at = clock_mono_ms() + GUARD_TERMINATE_MS;
        }
}

static void kill_all(const struct keeper *k, int sig)
{
    for (const struct child *c = k->children; c < k->children + k->nchildren; c++)
        if (c->pid)
            kill(c->pid, sig);
}

static bool is_executor(void *arg, pid_t pid)
{
    const struct keeper *k = arg;

    for (const struct child *c = k->children; c < k->children + k->nchildren; c++)
        if (c->pid == pid)
            return true;
    return false;
}

/* --- how they end --- */

static void on_dead(struct keeper *k, const siginfo_t *si)
{
    for (struct child *c = k->children; c < k->children + k->nchildren; c++) {
        if (c->pid != si->si_pid)
            continue;
        c->pid = 0;
        seat_clear(seats_at(k->seats, (size_t)(c - k->children)));
        c->word.what = GUARD_ENDED;
        c->word.signaled = si->si_code != CLD_EXITED;
        c->word.code = si->si_status;
        k->live--;
        /* One that ended by itself has looked after what it started. */
        if (!group_end(k, c) || c->word.signaled)
            k->strays_until = clock_mono_ms() + STRAYS_MAX_MS;
    }
}

static void reap(struct keeper *k)
{
    siginfo_t si = {0};

    while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) == 0 && si.si_pid) {
        on_dead(k, &si);
        si.si_pid = 0;
    }
}

static bool groups_end(const struct keeper *k)
{
    bool ended = true;

    for (struct child *c = k->children; c < k->children + k->nchildren; c++)
        if (c->word.what == GUARD_ENDED && !group_end(k, c))
            ended = false;
    return ended;
}

/* What a killed executor has left. */
static void end_orphans(struct keeper *k)
{
    struct err e = {.msg = "they could not be ended"};

    if (!k->strays_until)
        return;
    int strays = strays_kill(is_executor, k, &e);
    if (!groups_end(k) && strays == 0)
        strays = 1;
    if (strays > 0 && clock_mono_ms() < k->strays_until)
        return;
    if (strays)
        log_line(LOG_WARN, "processes of a lost executor remain", "why", e.msg, NULL);
    k->strays_until = 0;
}

/* Also one that is stopped. Returns when to look again, -1: no time. */
static int64_t kill_overdue(struct keeper *k)
{
    int64_t now = clock_mono_ms(), next = -1;

    for (size_t i = 0; i < k->nchildren; i++) {
        struct child *c = &k->children[i];
        struct seat *seat = seats_at(k->seats, i);
        if (!c->pid)
            continue;
        int64_t until = seat_until(seat);
        if (c->kill_at && (!until || c->kill_at < until))
            until = c->kill_at;
        if (until && until <= now) {
            kill(c->pid, SIGKILL);
            seat_clear(seat);
            c->kill_at = 0;
        }
        if (!until || until <= now)
            until = now + LOOK_MS;
        if (next < 0 || until < next)
            next = until;
    }
    return next;
}

/* --- words --- */

/* An executor whose orphans are being killed has not ended yet. */
static bool is_to_tell(const struct keeper *k, const struct child *c)
{
    return c->word.what != c->told && !(c->word.what == GUARD_ENDED && k->strays_until);
}

/* Never waits for the dequeuer. Returns whether something is left to say. */
static bool tell(struct keeper *k)
{
    for (struct child *c = k->children; c < k->children + k->nchildren; c++) {
        if (!is_to_tell(k, c))
            continue;
        if (k->orders >= 0 && send(k->orders, &c->word, sizeof c->word, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
            (errno == EAGAIN || errno == ENOBUFS))
            return true;
        c->told = c->word.what;
        if (c->word.what != GUARD_LAUNCHED && !k->alone) {
            free(c->group);
            *c = (struct child){0};
        }
    }
    return false;
}

/* --- keeping watch --- */

/* Returns not NULL in an executor. */
static struct seat *on_order(struct keeper *k, struct guard_order *order)
{
    ssize_t n = recv(k->orders, order, sizeof *order, MSG_DONTWAIT);

    if (n == (ssize_t)sizeof *order && order->what == GUARD_LAUNCH)
        return launch(k, order);
    if (n == (ssize_t)sizeof *order) {
        terminate(k, order);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) { /* the dequeuer is gone */
        close(k->orders);
        k->orders = -1;
    }
    return NULL;
}

/* What comes from a terminal comes to the whole group, and executors are in ours. */
static void pass_signal(const struct keeper *k)
{
    struct signalfd_siginfo sig;

    if (read(k->signals, &sig, sizeof sig) == (ssize_t)sizeof sig && sig.ssi_signo != SIGCHLD &&
        sig.ssi_code != SI_KERNEL)
        kill_all(k, (int)sig.ssi_signo);
}

/* The same end as the executor's, without a second core. */
static _Noreturn void end_as(const struct guard_word *how)
{
    sigset_t none;

    if (!how->signaled)
        _exit(how->code);
    prctl(PR_SET_DUMPABLE, 0L);
    signal(how->code, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    raise(how->code);
    _exit(128 + how->code);
}

/* Waits until there is something to do. */
static void pause_until(const struct keeper *k, struct pollfd fds[2], int64_t at, bool untold)
{
    int64_t left = at < 0 ? -1 : at - clock_mono_ms();

    if (k->strays_until)
        left = STRAYS_PAUSE_MS;
    fds[0] = (struct pollfd){k->signals, POLLIN, 0};
    fds[1] = (struct pollfd){k->orders, (short)(untold ? POLLIN | POLLOUT : POLLIN), 0};
    poll(fds, 2, left < 0 && at >= 0 ? 0 : (int)left);
}

/* Returns in an executor alone. */
static struct seat *keep_watch(struct keeper *k, struct guard_order *order)
{
    struct seat *executor = NULL;
    struct pollfd fds[2];

    while (!executor) {
        reap(k);
        end_orphans(k);
        bool untold = tell(k);
        if (k->orders < 0 && k->live == 0 && !k->strays_until)
            end_as(k->alone ? &k->children[0].word : &(struct guard_word){0});
        pause_until(k, fds, kill_overdue(k), untold);
        if (fds[0].revents)
            pass_signal(k);
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
            executor = on_order(k, order);
    }
    return executor;
}

static int keeper_init(struct keeper *k, int orders, struct err *e)
{
    sigset_t set;

    *k = (struct keeper){.orders = orders, .alone = orders < 0, .own_group = cgroup_own()};
    cgroup_sweep(k->own_group, GROUP_PREFIX);
    if (!(k->seats = k->alone ? seats_new(-1, e) : seats_receive(orders, e)))
        return -1;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1L) < 0)
        return err_sys(e, "cannot guard executors");
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++)
        sigaddset(&set, awaited[i]);
    sigprocmask(SIG_BLOCK, &set, &k->before);
    k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return k->signals < 0 ? err_sys(e, "cannot guard executors") : 0;
}

struct seat *guard_fork(int orders, struct guard_order *order, struct err *e)
{
    struct seat *executor = NULL;
    struct keeper k;

    if (keeper_init(&k, orders, e) < 0)
        return NULL;
    if (k.alone && !(executor = launch(&k, order)) && k.children[0].word.what == GUARD_FAILED) {
        errno = k.children[0].word.code;
        err_sys(e, "cannot start an executor");
        return NULL;
    }
    return executor ? executor : keep_watch(&k, order);
}

char *guard_group(const char *run, int64_t token)
{
    return xasprintf(GROUP_PREFIX "%s-%" PRId64, run, token);
}
