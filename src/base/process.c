#include "base/process.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/reaper.h"
#include "base/timer.h"

enum {
    OUTPUT_BYTES = 64 * 1024, /* one read; what a pipe holds */
    POLL_MS = 20,             /* how often to look whether the group is empty */
    LINGER_MS = 1000,         /* from SIGKILL to the group until on_exit, whoever keeps the output open */
};

enum state { RUNNING, ENDING, KILLED, ENDED };

struct process {
    struct reaper *reaper;
    struct reaper_watch watch;
    enum state state;
    bool reaped;
    bool has_terminal; /* that we get back */
    struct process_exit exit;
    int output;            /* our end of the pipe; -1: none or read to its end */
    struct event readable; /* output */
    struct event deadline; /* ENDING: grace; KILLED and reaped: LINGER_MS */
    struct event poll;     /* reaped: POLL_MS */
    process_output_fn *on_output;
    process_exit_fn *on_exit;
    void *arg;
};

/* What the child needs between vfork and exec, where it shares our memory, and what it answers. */
struct launch {
    const struct process_options *options;
    char *const *envp;
    char **paths; /* to try in order, up to NULL */
    pid_t parent;
    bool terminal;     /* is handed over */
    int input, output; /* to become 0, and 1 and 2; -1: left as they are */
    int error;         /* 0: it runs */
    const char *failed, *subject;
};

/* ---- the child, until exec: system calls only, no allocation, no lock ---- */

static _Noreturn void child_fail(struct launch *l, const char *failed, const char *subject, int error)
{
    l->failed = failed;
    l->subject = subject;
    l->error = error;
    _exit(127);
}

/* A background group may not do this unless it blocks SIGTTOU. */
static void terminal_give(pid_t group)
{
    sigset_t ttou, before;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    sigprocmask(SIG_BLOCK, &ttou, &before);
    tcsetpgrp(STDIN_FILENO, group);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Our handlers must not run in the child, and it must not inherit what we ignore (SIGPIPE). */
static void child_reset_signals(void)
{
    const struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &dfl, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_set_apart(const struct launch *l)
{
    if (l->options->apart == PROCESS_SESSION)
        setsid();
    else
        setpgid(0, 0);
    if (!l->options->die_with_parent)
        return;
    prctl(PR_SET_PDEATHSIG, (long)SIGKILL);
    /* The parent may have died just before that. */
    if (getppid() != l->parent)
        _exit(127);
}

static int child_exec(const struct launch *l)
{
    int error = ENOENT;

    for (char **path = l->paths; *path; path++) {
        execve(*path, l->options->argv, l->envp);
        if (errno != ENOENT && errno != ENOTDIR)
            error = errno;
        if (error != ENOENT && error != EACCES)
            break;
    }
    return error;
}

static _Noreturn void child_main(struct launch *l)
{
    const char *cwd = l->options->cwd;

    child_set_apart(l);
    if (l->terminal)
        terminal_give(getpid());
    if (l->input >= 0)
        dup2(l->input, STDIN_FILENO);
    if (l->output >= 0) {
        dup2(l->output, STDOUT_FILENO);
        if (!l->options->errors_apart)
            dup2(l->output, STDERR_FILENO);
    }
    if (cwd && chdir(cwd) < 0)
        child_fail(l, "enter directory", cwd, errno);
    child_reset_signals();
    if (l->terminal)
        signal(SIGTSTP, SIG_IGN);
    child_fail(l, "run", l->options->argv[0], child_exec(l));
}

/* ---- starting ---- */

static const char *env_get(char *const *envp, const char *name)
{
    size_t n = strlen(name);

    for (; *envp; envp++)
        if (!strncmp(*envp, name, n) && (*envp)[n] == '=')
            return *envp + n + 1;
    return NULL;
}

/* The files that `name` may mean, in the order of PATH; an empty directory there is the current one. */
static char **paths_new(const char *name, char *const *envp)
{
    const char *dir = env_get(envp, "PATH");
    size_t n = 0;

    if (!dir)
        dir = "/usr/local/bin:/usr/bin:/bin";
    char **paths = xcalloc(strlen(dir) + 2, sizeof *paths);
    if (!*name || strchr(name, '/')) {
        paths[0] = xstrdup(name);
        return paths;
    }
    for (;;) {
        int len = (int)strcspn(dir, ":");
        paths[n++] = xasprintf("%.*s%s%s", len, dir, len ? "/" : "", name);
        if (!dir[len])
            return paths;
        dir += len + 1;
    }
}

static void paths_free(char **paths)
{
    for (char **path = paths; *path; path++)
        free(*path);
    free(paths);
}

char *process_find(const char *name, struct err *e)
{
    char **paths = paths_new(name, environ), *found = NULL;
    struct stat file;
    int why = ENOENT;

    for (char **path = paths; *path && !found; path++)
        if (stat(*path, &file) == 0 && (access(*path, X_OK) < 0 || !S_ISREG(file.st_mode)))
            why = EACCES;
        else if (access(*path, X_OK) == 0)
            found = xstrdup(*path);
    errno = why;
    if (!found)
        err_sys(e, "cannot run '%s'", name);
    paths_free(paths);
    return found;
}

/* vfork, not fork: the cost of fork grows with our memory. Signals stay blocked until the child has reset its
 * handlers, which would run in our memory. Returns the pid, or -1 with e filled. */
static pid_t launch(struct launch *l, struct err *e)
{
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (!pid)
        child_main(l);
    if (pid < 0) {
        err_sys(e, "cannot start a process for '%s'", l->options->argv[0]);
    } else if (l->error) {
        waitpid(pid, NULL, 0);
        if (l->terminal)
            terminal_give(getpgrp());
        errno = l->error;
        pid = err_sys(e, "cannot %s '%s'", l->failed, l->subject);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static void on_dead(void *arg);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);
static void on_poll(evutil_socket_t fd, short what, void *arg);

static struct process *process_new(struct reaper *reaper, const struct launch *l, pid_t pid, int output)
{
    const struct process_options *options = l->options;
    struct event_base *base = reaper_base_get(reaper);
    struct process *p = xcalloc(1, sizeof *p);

    *p = (struct process){
        .reaper = reaper,
        .watch = {.pid = pid, .on_dead = on_dead, .arg = p},
        .has_terminal = l->terminal,
        .output = output,
        .on_output = options->on_output,
        .on_exit = options->on_exit,
        .arg = options->arg,
    };
    evtimer_assign(&p->deadline, base, on_deadline, p);
    evtimer_assign(&p->poll, base, on_poll, p);
    if (output >= 0) {
        fcntl(output, F_SETFL, O_NONBLOCK);
        event_assign(&p->readable, base, output, EV_READ | EV_PERSIST, on_readable, p);
        event_add(&p->readable, NULL);
    }
    reaper_watch(reaper, &p->watch);
    return p;
}

/* Not when others of our group talk to the terminal as well, as in a pipeline. */
static bool owns_terminal(void)
{
    return isatty(STDOUT_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

struct process *process_start(struct reaper *reaper, const struct process_options *options, struct err *e)
{
    struct launch l = {.options = options,
                       .envp = options->envp ? options->envp : environ,
                       .parent = getpid(),
                       .terminal = options->foreground && owns_terminal(),
                       .input = options->input ? options->input : -1};
    int ends[2] = {-1, -1}, null = -1;
    struct process *p = NULL;

    l.paths = paths_new(options->argv[0], l.envp);
    if (!options->foreground && !options->input) {
        if ((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) {
            err_sys(e, "cannot open '/dev/null'");
            goto out;
        }
        l.input = null;
    }
    if (options->on_output && pipe2(ends, O_CLOEXEC) < 0) {
        err_sys(e, "cannot make a pipe for the output of '%s'", options->argv[0]);
        goto out;
    }
    l.output = ends[1];
    pid_t pid = launch(&l, e);
    if (pid < 0)
        goto out;
    p = process_new(reaper, &l, pid, ends[0]);
    ends[0] = -1;
out:
    close_if_open(ends[0]);
    close_if_open(ends[1]);
    close_if_open(null);
    paths_free(l.paths);
    return p;
}

/* ---- the end ---- */

/* The number of a group is not given to anyone else while the group has a member, dead or alive. */
static void group_signal(const struct process *p, int sig)
{
    kill(-p->watch.pid, sig);
}

static bool group_is_empty(const struct process *p)
{
    return kill(-p->watch.pid, 0) < 0 && errno == ESRCH;
}

static void group_kill(struct process *p)
{
    group_signal(p, SIGKILL);
    p->state = KILLED;
    if (p->reaped)
        timer_set(&p->deadline, LINGER_MS);
}

/* The event goes first: epoll would keep a closed descriptor that someone else has open as well. */
static void output_close(struct process *p)
{
    if (p->output < 0)
        return;
    event_del(&p->readable);
    close(p->output);
    p->output = -1;
}

static void events_stop(struct process *p)
{
    output_close(p);
    event_del(&p->deadline);
    event_del(&p->poll);
}

static void finish(struct process *p)
{
    struct process_exit exit = p->exit;

    events_stop(p);
    p->state = ENDED;
    p->on_exit(p->arg, &exit); /* may free p */
}

/* After the exit of the process: is there anything left to wait for? */
static void settle(struct process *p)
{
    bool empty = group_is_empty(p);

    if (empty && p->output < 0) {
        finish(p);
        return;
    }
    /* Only a process outside the group still has the output: it gets no grace. */
    if (empty && p->state == ENDING)
        group_kill(p);
    /* A member that was being forked at that moment may have missed it. */
    if (!empty && p->state == KILLED)
        group_signal(p, SIGKILL);
    timer_set(&p->poll, POLL_MS);
}

static void on_dead(void *arg)
{
    struct process *p = arg;

    if (p->state == RUNNING)
        group_kill(p);
    siginfo_t si = reaper_collect(p->reaper, &p->watch);
    p->exit = (struct process_exit){.signaled = si.si_code != CLD_EXITED, .code = si.si_status};
    p->reaped = true;
    if (p->state == KILLED)
        timer_set(&p->deadline, LINGER_MS);
    settle(p);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct process *p = arg;
    char bytes[OUTPUT_BYTES];

    (void)what;
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0) {
        p->on_output(p->arg, bytes, (size_t)n); /* may free p */
    } else if (n == 0 || errno != EAGAIN) {
        output_close(p);
        if (p->reaped)
            settle(p);
    }
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct process *p = arg;

    (void)fd;
    (void)what;
    if (p->state == ENDING)
        group_kill(p);
    else
        finish(p);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    settle(arg);
}

pid_t process_pid_get(const struct process *p)
{
    return p->watch.pid;
}

void process_signal(struct process *p, int sig)
{
    if (!p->reaped)
        group_signal(p, sig);
}

void process_end(struct process *p, int64_t grace_ms)
{
    if (p->state >= KILLED)
        return;
    group_signal(p, SIGTERM);
    p->state = ENDING;
    timer_set(&p->deadline, grace_ms);
}

static void release(struct process *p)
{
    events_stop(p);
    if (p->has_terminal)
        terminal_give(getpgrp());
    free(p);
}

void process_free(struct process *p)
{
    if (!p)
        return;
    if (p->state < KILLED)
        group_signal(p, SIGKILL);
    if (!p->reaped)
        reaper_collect(p->reaper, &p->watch);
    release(p);
}

void process_leave(struct process *p)
{
    if (!p->reaped)
        reaper_forget(p->reaper, &p->watch);
    release(p);
}
