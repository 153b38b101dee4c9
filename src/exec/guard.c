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

#define LOOK_MS  1000 /* while an executor holds nothing, or does not die */
#define AHEAD_MS 2 /* of rest before the next executor is forked: those who were woken need the core first */

#define GROUP_PREFIX "rivers-"

/* An executor, as its guard knows it; the one in the seat of the same number. */
struct child {
    pid_t pid;              /* 0: not alive */
    int64_t kill_at;        /* 0: as its seat says */
    struct guard_word word; /* what there is to say; .what 0: it has no order yet, or there is no executor */
    enum guard_said told;   /* last */
    char *group;            /* the control group that it is in, NULL: none of its own */
};

struct keeper {
    int orders, signals; /* orders -1: there are none (any more) */
    bool alone;          /* with one executor, as which it ends */
    struct seats *seats;
    struct child *children;
    size_t nchildren, live;
    size_t spare;         /* the child that was forked ahead, and waits for its order .. */
    int to_spare;         /* .. at the other end of this socket; -1: there is none */
    bool ahead;           /* the next one is to be forked, after AHEAD_MS of rest */
    int64_t strays_until; /* 0: nothing is left of an executor that ended */
    char *own_group;      /* may be NULL */
    int64_t groups;       /* made so far */
    sigset_t before;
};

static const int awaited[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

/* --- executors --- */

static size_t child_new(struct keeper *k)
{
    size_t i = 0;

    while (i < k->nchildren && (k->children[i].pid || k->children[i].word.what))
        i++;
    if (i == k->nchildren)
        k->children = xrealloc(k->children, ++k->nchildren * sizeof *k->children);
    k->children[i] = (struct child){0};
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

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child, which has its order when it returns. */
static struct seat *executor_begin(struct keeper *k, struct seat *seat, pid_t guard, int socket,
                                   struct guard_order *order)
{
    close_if_open(&k->orders);
    close_if_open(&k->to_spare);
    close(k->signals);
    free(k->own_group);
    free(k->children);
    sigprocmask(SIG_SETMASK, &k->before, NULL);
    prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
    if (getppid() != guard) /* it died just before that */
        _exit(EXIT_FAILURE);
    if (recv(socket, order, sizeof *order, 0) != (ssize_t)sizeof *order) /* there is none any more */
        _exit(EXIT_FAILURE);
    close(socket);
    return seat;
}

/* NULL where this process may not make one. */
static char *group_make(struct keeper *k)
{
    char *prefix = guard_groups(getpid()), *group = xasprintf("%s%" PRId64, prefix, k->groups++);

    free(prefix);
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

/* to_spare stays -1 when it cannot be forked, and errno says why. Returns not NULL in the executor, once it has its order. */
static struct seat *spare_fork(struct keeper *k, struct guard_order *order)
{
    pid_t guard = getpid();
    int ends[2];

    k->spare = child_new(k);
    struct child *c = &k->children[k->spare];
    struct seat *seat = seats_take(k->seats, k->spare);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return NULL;
    char *group = group_make(k);
    pid_t pid = child_fork(k, seat, group);
    int why = errno;
    if (pid == 0) {
        close(ends[0]);
        free(group);
        return executor_begin(k, seat, guard, ends[1], order);
    }
    close(ends[1]);
    c->group = group;
    if (pid < 0) {
        close(ends[0]);
        group_end(k, c);
    } else {
        c->pid = pid;
        k->to_spare = ends[0];
        k->live++;
    }
    errno = why;
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
        k->live--;
        seat_clear(seats_at(k->seats, (size_t)(c - k->children)));
        bool is_gone = group_end(k, c);
        if (!c->word.what) { /* the spare one */
            close_if_open(&k->to_spare);
            continue;
        }
        c->word.what = GUARD_ENDED;
        c->word.signaled = si->si_code != CLD_EXITED;
        c->word.code = si->si_status;
        /* One that ended by itself has looked after what it started. */
        if (!is_gone || c->word.signaled)
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
        if (!c->pid || !c->word.what)
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

/* --- launching --- */

/* The dequeuer is told first: it would wait for a core until the executor sleeps, or we do. Returns not NULL in an executor. */
static struct seat *launch(struct keeper *k, struct guard_order *order)
{
    struct guard_word word = {.what = GUARD_LAUNCHED, .token = order->token};
    struct seat *executor = k->to_spare < 0 ? spare_fork(k, order) : NULL;

    if (executor)
        return executor;
    if (k->to_spare < 0) {
        word.what = GUARD_FAILED;
        word.code = errno;
    }
    k->children[k->spare].word = word;
    (void)tell(k);
    if (k->to_spare >= 0) /* one that has just died is an executor that ended so */
        (void)send(k->to_spare, order, sizeof *order, MSG_NOSIGNAL);
    close_if_open(&k->to_spare);
    k->ahead = !k->alone;
    return NULL;
}

/* So that the next launch need not wait for a fork. */
static struct seat *fork_ahead(struct keeper *k, struct guard_order *order)
{
    k->ahead = false;
    return spare_fork(k, order);
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
        close_if_open(&k->orders);
        close_if_open(&k->to_spare);
        k->ahead = false;
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

/* Waits until there is something to do. Returns whether nothing came. */
static bool pause_until(const struct keeper *k, struct pollfd fds[2], int64_t at, bool untold)
{
    int64_t left = at < 0 ? -1 : at - clock_mono_ms();

    if (left < 0 && at >= 0)
        left = 0;
    if (k->ahead && (left < 0 || left > AHEAD_MS))
        left = AHEAD_MS;
    if (k->strays_until)
        left = STRAYS_PAUSE_MS;
    fds[0] = (struct pollfd){k->signals, POLLIN, 0};
    fds[1] = (struct pollfd){k->orders, (short)(untold ? POLLIN | POLLOUT : POLLIN), 0};
    return poll(fds, 2, (int)left) == 0;
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
        bool quiet = pause_until(k, fds, kill_overdue(k), untold);
        if (fds[0].revents)
            pass_signal(k);
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
            executor = on_order(k, order);
        else if (quiet && k->ahead)
            executor = fork_ahead(k, order);
    }
    return executor;
}

static int keeper_init(struct keeper *k, int orders, struct err *e)
{
    sigset_t set;

    *k = (struct keeper){.orders = orders,
                         .alone = orders < 0,
                         .to_spare = -1,
                         .ahead = orders >= 0,
                         .own_group = cgroup_own()};
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

char *guard_groups(pid_t guard)
{
    return xasprintf(GROUP_PREFIX "%d-", (int)guard);
}
