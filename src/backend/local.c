/* local: executors as processes of this host, each in a session of its own, so that they outlive the
 * dequeuer. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backend/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/reaper.h"
#include "base/environment.h"

#define TERMINATE_GRACE_MS 30000 /* for an executor to end its steps */

extern char **environ;

struct executor_process {
    struct backend *backend;
    struct process *process;
    struct launch launch; /* .run is owned */
    struct executor_process *next, **link;
};

struct backend {
    struct backend_host host;
    struct environment environment;
    struct executor_process *processes;
    size_t live;
};

static struct backend *local_open(const struct backend_host *host, const char *config, struct err *e)
{
    struct backend *b = xcalloc(1, sizeof *b);

    (void)config; /* no members beyond its type */
    (void)e;
    b->host = *host;
    environment_init(&b->environment, environ);
    environment_set(&b->environment, "RIVERS_REDIS_URL", host->redis_url);
    environment_set(&b->environment, "RIVERS_NAMESPACE", host->namespace);
    return b;
}

static void forget(struct executor_process *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    x->backend->live--;
    free((char *)(uintptr_t)x->launch.run);
    free(x);
}

/* An executor that was killed cannot end what it ran: its orphans have come to us. */
static void end_orphans(struct backend *b)
{
    struct err e = {0};

    if (reaper_kill_strays(b->host.reaper, &e) < 0)
        log_line(LOG_WARN, "processes of a lost executor remain", "why", e.msg, NULL);
}

static void on_exit_(void *arg, const struct process_exit *exit)
{
    struct executor_process *x = arg;
    struct backend *b = x->backend;
    char how[64];

    process_free(x->process);
    snprintf(how, sizeof how, exit->signaled ? "killed by signal %d" : "exited with status %d", exit->code);
    if (exit->signaled)
        end_orphans(b);
    bool clean = !exit->signaled && exit->code == 0;
    b->host.events.on_ended(b->host.events.arg, &x->launch, true, clean ? NULL : how);
    forget(x);
}

static void local_launch(struct backend *b, const struct launch *l)
{
    struct executor_process *x = xcalloc(1, sizeof *x);
    char token[24], self[] = "/proc/self/exe", execute[] = "execute", *run = xstrdup(l->run);
    char *argv[] = {self, execute, run, NULL};
    struct err e = {0};

    snprintf(token, sizeof token, "%" PRId64, l->token);
    environment_set(&b->environment, "RIVERS_TOKEN", token);
    x->backend = b;
    x->launch = *l;
    x->launch.run = run;
    x->process = process_start(b->host.reaper,
                               &(struct process_options){
                                   .argv = argv,
                                   .envp = b->environment.vars,
                                   .apart = PROCESS_SESSION,
                                   .on_exit = on_exit_,
                                   .arg = x,
                               },
                               &e);
    if (x->process) {
        x->next = b->processes;
        x->link = &b->processes;
        if (x->next)
            x->next->link = &x->next;
        b->processes = x;
        b->live++;
    }
    b->host.events.on_launched(b->host.events.arg, l, x->process ? NULL : &e);
    if (!x->process) {
        free(run);
        free(x);
    }
}

/* Its process is here, and its end will be told. */
static void local_observe(struct backend *b, const struct launch *l)
{
    (void)b;
    (void)l;
}

static void local_terminate(struct backend *b, const struct launch *l)
{
    for (struct executor_process *x = b->processes; x; x = x->next)
        if (x->launch.token == l->token)
            process_end(x->process, TERMINATE_GRACE_MS);
}

static size_t local_live(const struct backend *b)
{
    return b->live;
}

static void local_close(struct backend *b)
{
    while (b->processes) {
        process_leave(b->processes->process);
        forget(b->processes);
    }
    environment_release(&b->environment);
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
