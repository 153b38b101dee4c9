/* command: executors started by another scheduler, which is reached by commands of its own. What they start
 * gets our environment with RIVERS_REDIS_URL, RIVERS_NAMESPACE and RIVERS_TOKEN, as far as that scheduler
 * hands it on. */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/check.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/reaper.h"
#include "base/timer.h"
#include "core/command_backend.h"

#define END_GRACE_MS 1000 /* for a command that took too long */

extern char **environ;

/* What a command printed last. */
struct last_line {
    char s[160];
    size_t len;
    bool ended; /* the next byte begins another one */
};

struct command;

/* What the end of a command means; it also tells what the command is for. */
typedef void end_fn(struct command *c, const struct process_exit *exit);

struct command {
    struct backend *backend;
    end_fn *on_end;
    struct launch launch; /* .run is owned */
    char **argv;
    struct process *process;
    struct event *timer;
    bool late, unwanted;
    struct last_line line;
    struct command *next, **link;
};

struct backend {
    struct backend_host host;
    struct command_backend config;
    struct environment environment;
    struct command *commands;
};

static void last_line_add(struct last_line *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            l->ended = l->len > 0;
            continue;
        }
        if (l->ended)
            *l = (struct last_line){0};
        bool is_plain = bytes[i] >= ' ' && bytes[i] <= '~';
        if (l->len < sizeof l->s - 1)
            memcpy(&l->s[l->len++], is_plain ? &bytes[i] : "?", 1);
    }
}

/* --- one command --- */

static void command_free(struct command *c)
{
    if (c->link) {
        *c->link = c->next;
        if (c->next)
            c->next->link = c->link;
    }
    if (c->timer)
        event_free(c->timer);
    command_argv_free(c->argv);
    free((char *)(uintptr_t)c->launch.run);
    free(c);
}

/* Why it failed, as `sbatch: invalid partition`. */
static void command_fault(const struct command *c, const struct process_exit *exit, struct err *e)
{
    if (c->late)
        err_set(e, ERR_UNKNOWN, "'%s' did not end within %gs", c->argv[0],
                (double)c->backend->config.timeout_ms / 1000);
    else if (c->line.len)
        err_set(e, ERR_REFUSED, "%s", c->line.s);
    else
        err_set(e, ERR_REFUSED,
                exit->signaled ? "'%s' was killed by signal %d" : "'%s' exited with status %d", c->argv[0],
                exit->code);
}

static bool has_succeeded(const struct command *c, const struct process_exit *exit)
{
    return !c->late && !exit->signaled && exit->code == 0;
}

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct command *c = arg;

    last_line_add(&c->line, bytes, n);
}

static void on_exit_(void *arg, const struct process_exit *exit)
{
    struct command *c = arg;

    process_free(c->process);
    c->on_end(c, exit);
    command_free(c);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct command *c = arg;

    (void)fd;
    (void)what;
    c->late = true;
    process_end(c->process, END_GRACE_MS);
}

static int command_start(struct backend *b, end_fn *on_end, char *const *argv, const struct launch *l,
                         struct err *e)
{
    struct command *c = xcalloc(1, sizeof *c);
    char token[24];

    snprintf(token, sizeof token, "%" PRId64, l->token);
    environment_set(&b->environment, "RIVERS_TOKEN", token);
    c->backend = b;
    c->on_end = on_end;
    c->launch = *l;
    c->launch.run = xstrdup(l->run);
    c->argv = command_argv_make(argv, &(struct command_values){l->run, b->host.namespace, l->attempt});
    c->process = process_start(b->host.reaper,
                               &(struct process_options){
                                   .argv = c->argv,
                                   .envp = b->environment.vars,
                                   .apart = PROCESS_SESSION,
                                   .on_output = on_output,
                                   .on_exit = on_exit_,
                                   .arg = c,
                               },
                               e);
    if (!c->process) {
        command_free(c);
        return -1;
    }
    c->timer = evtimer_new(b->host.base, on_late, c);
    timer_set(c->timer, b->config.timeout_ms);
    c->next = b->commands;
    c->link = &b->commands;
    if (c->next)
        c->next->link = &c->next;
    b->commands = c;
    return 0;
}

static struct command *command_find(const struct backend *b, end_fn *on_end, const struct launch *l)
{
    struct command *c = b->commands;

    while (c && (c->on_end != on_end || c->launch.token != l->token))
        c = c->next;
    return c;
}

/* --- terminate --- */

static void on_terminate_end(struct command *c, const struct process_exit *exit)
{
    struct err e = {0};

    if (has_succeeded(c, exit))
        return;
    command_fault(c, exit, &e);
    log_line(LOG_WARN, "terminate failed", "run", c->launch.run, "why", e.msg, NULL);
}

static void terminate(struct backend *b, const struct launch *l)
{
    struct err e = {0};

    if (b->config.terminate && command_start(b, on_terminate_end, b->config.terminate, l, &e) < 0)
        log_line(LOG_WARN, "terminate failed", "run", l->run, "why", e.msg, NULL);
}

/* --- launch --- */

static void on_launch_end(struct command *c, const struct process_exit *exit)
{
    struct backend *b = c->backend;
    struct err e = {0};

    if (!has_succeeded(c, exit))
        command_fault(c, exit, &e);
    if (c->late || c->unwanted) /* it may have come to that */
        terminate(b, &c->launch);
    if (!c->unwanted)
        b->host.events.on_launched(b->host.events.arg, &c->launch, e.code == ERR_NONE ? NULL : &e);
}

static void command_launch(struct backend *b, const struct launch *l)
{
    struct err e = {0};

    if (command_start(b, on_launch_end, b->config.launch, l, &e) < 0)
        b->host.events.on_launched(b->host.events.arg, l, &e);
}

static void command_terminate(struct backend *b, const struct launch *l)
{
    struct command *launching = command_find(b, on_launch_end, l);

    if (!launching) {
        terminate(b, l);
        return;
    }
    launching->unwanted = true;
    process_end(launching->process, END_GRACE_MS);
}

/* --- status --- */

/* 0: it waits (for what was printed last) or runs; 1: there is no such executor (any more); anything else is no
 * answer. */
static void on_status_end(struct command *c, const struct process_exit *exit)
{
    const struct backend_events *events = &c->backend->host.events;

    if (has_succeeded(c, exit))
        events->on_waiting(events->arg, &c->launch, c->line.s);
    else if (!c->late && !exit->signaled && exit->code == 1)
        events->on_ended(events->arg, &c->launch, false,
                         c->line.len ? c->line.s : "its scheduler does not know it");
}

static void command_observe(struct backend *b, const struct launch *l)
{
    struct err e = {0};

    if (!b->config.status || command_find(b, on_status_end, l))
        return;
    if (command_start(b, on_status_end, b->config.status, l, &e) < 0)
        log_line(LOG_WARN, "status failed", "run", l->run, "why", e.msg, NULL);
}

/* --- begin and end --- */

static struct backend *command_open(const struct backend_host *host, const char *config, struct err *e)
{
    struct backend *b = xcalloc(1, sizeof *b);

    if (command_backend_parse(&b->config, config, e) < 0) {
        command_backend_release(&b->config);
        free(b);
        return NULL;
    }
    b->host = *host;
    environment_init(&b->environment, environ);
    environment_set(&b->environment, "RIVERS_REDIS_URL", host->redis_url);
    environment_set(&b->environment, "RIVERS_NAMESPACE", host->namespace);
    return b;
}

/* They are the other scheduler's. */
static size_t command_live(const struct backend *b)
{
    (void)b;
    return 0;
}

static void command_close(struct backend *b)
{
    while (b->commands) {
        process_leave(b->commands->process);
        command_free(b->commands);
    }
    command_backend_release(&b->config);
    environment_release(&b->environment);
    free(b);
}

static void check_command(struct check *c, const char *what, char *const *argv)
{
    struct err e;
    char *path = argv ? process_find(argv[0], &e) : NULL;

    if (argv)
        check_tell(c, what, argv[0], path ? CHECK_OK : CHECK_WRONG, path ? "%s" : "%s: looked for in PATH",
                   path ? path : e.msg);
    free(path);
}

static void command_check(const struct backend_host *host, const char *config, struct check *c)
{
    struct command_backend b;
    struct err e;

    (void)host;
    if (command_backend_parse(&b, config, &e) < 0)
        check_tell(c, "settings", "run_backend", CHECK_WRONG, "%s", e.msg);
    check_command(c, "launch", b.launch);
    check_command(c, "terminate", b.terminate);
    check_command(c, "status", b.status);
    command_backend_release(&b);
}

/* No command lists what was launched: an executor that a dequeuer left behind starts its run, or leaves with a
 * stale token. */
const struct backend_type backend_command = {
    .name = "command",
    .open = command_open,
    .launch = command_launch,
    .observe = command_observe,
    .observe_ms = 5000,
    .terminate = command_terminate,
    .live = command_live,
    .check = command_check,
    .close = command_close,
};
