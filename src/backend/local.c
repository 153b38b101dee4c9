/* local: executors as processes of this host, below a guard that forks them, in a session of its own, so that they outlive the
 * dequeuer. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/check.h"
#include "backend/renewals.h"
#include "base/cgroup.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/reaper.h"
#include "base/timer.h"
#include "core/settings.h"
#include "exec/guard.h"

#define ANSWER_MS 10000 /* for a guard to launch: then it is taken to stand still */

extern char **environ;

/* Executors are ordered from the current guard; another one stood still, and may have executors yet. */
struct guard_process {
    struct backend *backend;
    struct process *process;
    struct seats *seats; /* shared with it */
    struct renewals *renewals;
    int socket;
    struct event *readable, *overdue;
    size_t ordered, executors; /* that are not launched yet; all */
    LIST_ENTRY(guard_process) link;
};

/*   WAITING ──order──> ORDERED ──word──> LAUNCHED ──word──> over
 *                         │                 │
 *                         └──> GIVEN_UP ────┘   its guard stood still, and may go on */
struct executor_process {
    enum { WAITING, ORDERED, GIVEN_UP, LAUNCHED } state;
    bool unwanted;               /* an order to end it could not be sent yet */
    struct launch launch;        /* .run is owned */
    struct guard_process *guard; /* NULL while WAITING */
    TAILQ_ENTRY(executor_process) link;
};

struct backend {
    struct backend_host host;
    struct environment environment;
    struct guard_process *guard; /* the current one, or NULL */
    LIST_HEAD(guard_list, guard_process) guards;
    char *own_group; /* of control, may be NULL */
    TAILQ_HEAD(executor_list, executor_process) executors;
};

/* --- executors --- */

static void executor_new(struct backend *b, const struct launch *l)
{
    struct executor_process *x = xcalloc(1, sizeof *x);

    x->launch = *l;
    x->launch.run = xstrdup(l->run);
    TAILQ_INSERT_TAIL(&b->executors, x, link);
}

static struct executor_process *executor_find(const struct backend *b, int64_t token)
{
    struct executor_process *x;

    TAILQ_FOREACH (x, &b->executors, link)
        if (x->launch.token == token)
            break;
    return x;
}

/* Leaves its guard. One that is not the current one and has no other executor may go. */
static void executor_leave(struct executor_process *x)
{
    struct guard_process *g = x->guard;

    if (!g)
        return;
    g->ordered -= x->state == ORDERED;
    g->executors--;
    x->guard = NULL;
    if (g != g->backend->guard && g->executors == 0)
        shutdown(g->socket, SHUT_RDWR);
}

static void forget(struct backend *b, struct executor_process *x)
{
    executor_leave(x);
    TAILQ_REMOVE(&b->executors, x, link);
    free((char *)(uintptr_t)x->launch.run);
    free(x);
}

static void launched(struct backend *b, struct executor_process *x)
{
    bool awaited = x->state == ORDERED;

    x->state = LAUNCHED;
    if (awaited) {
        x->guard->ordered--;
        b->host.events.on_launched(b->host.events.arg, &x->launch, NULL);
    }
}

static void failed(struct backend *b, struct executor_process *x, const struct err *why)
{
    b->host.events.on_launched(b->host.events.arg, &x->launch, why);
    forget(b, x);
}

/* how: NULL when it said that nothing is left to do. */
static void ended(struct backend *b, struct executor_process *x, const char *how)
{
    launched(b, x);
    b->host.events.on_ended(b->host.events.arg, &x->launch, true, how);
    forget(b, x);
}

static const char *how_ended(char *buf, size_t size, bool signaled, int code)
{
    snprintf(buf, size, signaled ? "killed by signal %d" : "exited with status %d", code);
    return buf;
}

/* --- guards --- */

static void launch_waiting(struct backend *b);

static void on_word(struct guard_process *g, const struct guard_word *w)
{
    struct backend *b = g->backend;
    struct executor_process *x = executor_find(b, w->token);
    struct err e = {0};
    char how[64];

    if (!x || x->guard != g)
        return;
    switch (w->what) {
    case GUARD_LAUNCHED:
        launched(b, x);
        break;
    case GUARD_FAILED:
        errno = w->code;
        err_sys(&e, "cannot start an executor");
        failed(b, x, &e);
        break;
    case GUARD_ENDED:
        ended(b, x, w->signaled || w->code ? how_ended(how, sizeof how, w->signaled, w->code) : NULL);
        break;
    }
    if (g->ordered)
        timer_set(g->overdue, ANSWER_MS);
    else
        evtimer_del(g->overdue);
}

static void listen_to(struct guard_process *g)
{
    struct guard_word w;
    ssize_t n;

    while ((n = recv(g->socket, &w, sizeof w, MSG_DONTWAIT)) == (ssize_t)sizeof w)
        on_word(g, &w);
    if (n == 0)
        event_del(g->readable); /* it is about to end */
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct guard_process *g = arg;

    (void)fd;
    (void)what;
    listen_to(g);
    launch_waiting(g->backend);
}

/* Nobody waits for what was ordered from it: the lease of the launch ends, and the run goes back to its place in the lane, unless
 * an executor that comes after all has started it by then. */
static void give_up_ordered(struct guard_process *g)
{
    struct backend *b = g->backend;
    struct executor_process *x;

    TAILQ_FOREACH (x, &b->executors, link)
        if (x->guard == g && x->state == ORDERED) {
            x->state = GIVEN_UP;
            b->host.events.on_ended(b->host.events.arg, &x->launch, false, NULL);
        }
    g->ordered = 0;
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    struct guard_process *g = arg;
    struct backend *b = g->backend;

    (void)fd;
    (void)what;
    log_line(LOG_WARN, "the guard of executors stands still", NULL);
    if (b->guard == g)
        b->guard = NULL;
    give_up_ordered(g);
    launch_waiting(b);
}

static void guard_free(struct guard_process *g)
{
    if (g->backend->guard == g)
        g->backend->guard = NULL;
    LIST_REMOVE(g, link);
    event_free(g->readable);
    event_free(g->overdue);
    renewals_free(g->renewals);
    seats_free(g->seats);
    close(g->socket);
    free(g);
}

/* Kills what its executors have left, also what does not come to us. */
static void end_groups(const struct guard_process *g)
{
    char *groups = guard_groups(process_pid_get(g->process));

    cgroup_end_all(g->backend->own_group, groups); /* the next guard removes one that is still dying */
    free(groups);
}

/* What it had launched is ours now, and lost. One that ends by itself could not begin, and would not the next time. */
static void on_exit_(void *arg, const struct process_exit *exit)
{
    struct guard_process *g = arg;
    struct backend *b = g->backend;
    struct executor_process *x, *next;
    struct err e = {0};
    char how[64];

    listen_to(g);
    end_groups(g);
    process_free(g->process);
    if (exit->signaled && reaper_kill_strays(b->host.reaper, &e) < 0)
        log_line(LOG_WARN, "processes of a lost executor remain", "why", e.msg, NULL);
    if (exit->signaled)
        give_up_ordered(g);
    how_ended(how, sizeof how, exit->signaled, exit->code);
    err_set(&e, ERR_SYSTEM, "the guard of executors %s", how);
    for (x = TAILQ_FIRST(&b->executors); x; x = next) {
        next = TAILQ_NEXT(x, link);
        if (x->guard != g)
            continue;
        if (x->state == LAUNCHED)
            ended(b, x, how);
        else if (x->state == ORDERED)
            failed(b, x, &e);
        else
            forget(b, x);
    }
    guard_free(g);
    launch_waiting(b);
}

static struct process *guard_process_start(struct guard_process *g, int socket, struct err *e)
{
    char self[] = "/proc/self/exe", execute[] = "execute", orders[] = GUARD_ORDERS;
    char *argv[] = {self, execute, orders, NULL};

    return process_start(g->backend->host.reaper,
                         &(struct process_options){
                             .argv = argv,
                             .envp = g->backend->environment.vars,
                             .apart = PROCESS_SESSION,
                             .input = socket,
                             .on_exit = on_exit_,
                             .arg = g,
                         },
                         e);
}

static struct guard_process *guard_start(struct backend *b, struct err *e)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        err_sys(e, "cannot make a socket for executors");
        return NULL;
    }
    struct guard_process *g = xcalloc(1, sizeof *g);
    g->backend = b;
    g->socket = ends[0];
    g->readable = event_new(b->host.base, g->socket, EV_READ | EV_PERSIST, on_readable, g);
    g->overdue = evtimer_new(b->host.base, on_overdue, g);
    LIST_INSERT_HEAD(&b->guards, g, link);
    if ((g->seats = seats_new(g->socket, e)))
        g->process = guard_process_start(g, ends[1], e);
    close(ends[1]);
    if (!g->process) {
        guard_free(g);
        return NULL;
    }
    g->renewals = renewals_new(b->host.store, b->host.settings, g->seats);
    event_add(g->readable, NULL);
    return g;
}

/* --- launching --- */

/* Returns false when the guard has enough orders, or is about to be found dead. */
static bool order(struct guard_process *g, const struct executor_process *x, enum guard_what what)
{
    struct guard_order o = {
        .what = what, .token = x->launch.token, .lease_ms = g->backend->host.settings->run_lease_ms};

    snprintf(o.run, sizeof o.run, "%s", x->launch.run);
    return send(g->socket, &o, sizeof o, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void launch_waiting(struct backend *b)
{
    struct executor_process *x, *next;
    struct err e = {0};

    for (x = TAILQ_FIRST(&b->executors); x; x = next) {
        next = TAILQ_NEXT(x, link);
        if (x->unwanted)
            x->unwanted = !order(x->guard, x, GUARD_TERMINATE);
        if (x->state != WAITING)
            continue;
        if (!b->guard && !(b->guard = guard_start(b, &e))) {
            failed(b, x, &e);
            continue;
        }
        if (!order(b->guard, x, GUARD_LAUNCH)) { /* until it says something, or is gone, or is overdue */
            if (!evtimer_pending(b->guard->overdue, NULL))
                timer_set(b->guard->overdue, ANSWER_MS);
            return;
        }
        x->state = ORDERED;
        x->guard = b->guard;
        b->guard->executors++;
        if (b->guard->ordered++ == 0)
            timer_set(b->guard->overdue, ANSWER_MS);
    }
}

static struct backend *local_open(const struct backend_host *host, const char *config, struct err *e)
{
    struct backend *b = xcalloc(1, sizeof *b);
    struct err why;

    (void)config; /* no members beyond its type */
    (void)e;
    b->host = *host;
    environment_init(&b->environment, environ);
    environment_set(&b->environment, "RIVERS_REDIS_URL", host->redis_url);
    environment_set(&b->environment, "RIVERS_NAMESPACE", host->namespace);
    LIST_INIT(&b->guards);
    b->own_group = cgroup_own();
    TAILQ_INIT(&b->executors);
    b->guard = guard_start(b, &why); /* so that the first launch need not wait for it; or it tries again */
    return b;
}

static void local_launch(struct backend *b, const struct launch *l)
{
    executor_new(b, l);
    launch_waiting(b);
}

/* Its process is here, and its end will be told. */
static void local_observe(struct backend *b, const struct launch *l)
{
    (void)b;
    (void)l;
}

static void local_terminate(struct backend *b, const struct launch *l)
{
    struct executor_process *x = executor_find(b, l->token);

    if (x && x->state == WAITING)
        forget(b, x);
    else if (x)
        x->unwanted = !order(x->guard, x, GUARD_TERMINATE);
}

static size_t local_live(const struct backend *b)
{
    const struct executor_process *x;
    size_t n = 0;

    TAILQ_FOREACH (x, &b->executors, link)
        n += x->state != GIVEN_UP;
    return n;
}

static void local_close(struct backend *b)
{
    struct guard_process *g;

    while (!TAILQ_EMPTY(&b->executors))
        forget(b, TAILQ_FIRST(&b->executors));
    while ((g = LIST_FIRST(&b->guards))) {
        process_leave(g->process);
        guard_free(g);
    }
    environment_release(&b->environment);
    free(b->own_group);
    free(b);
}

static void local_check(const struct backend_host *host, const char *config, struct check *c)
{
    char *self = realpath("/proc/self/exe", NULL);

    (void)host;
    (void)config;
    check_tell(c, "executor", self, self ? CHECK_OK : CHECK_WRONG, "runs on the hosts of the dequeuers");
    free(self);
}

/* Executors of an earlier dequeuer go on in sessions of their own: their leases tell what becomes of them. */
const struct backend_type backend_local = {
    .name = "local",
    .open = local_open,
    .launch = local_launch,
    .observe = local_observe,
    .terminate = local_terminate,
    .live = local_live,
    .check = local_check,
    .close = local_close,
};
