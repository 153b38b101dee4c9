#include "chaos/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/guard.h"

void go_to_work(struct chaos *c, int proxy)
{
    int log = open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setenv("RIVERS_REDIS_URL", *c->url ? c->url : proxy_url_get(c->proxies[proxy]), 1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
}

void start_dequeuer(struct chaos *c, int i)
{
    c->dequeuers[i] = fork();
    if (c->dequeuers[i] < 0)
        die("fork");
    if (c->dequeuers[i] > 0)
        return;
    go_to_work(c, i);
    execl(c->rivers, "rivers", "dequeuer", "--capacity", "6", (char *)NULL);
    _exit(127);
}

void reap(struct chaos *c, bool again)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
        for (int i = 0; i < DEQUEUERS; i++)
            if (c->dequeuers[i] == pid) {
                c->dequeuers[i] = 0;
                if (again)
                    start_dequeuer(c, i);
            }
        for (int i = 0; i < CLIENTS; i++)
            if (c->clients[i] == pid)
                c->clients[i] = 0;
    }
}

/* The content of a file of a process, in which NULs separate; its length, 0 when it has none. */
static size_t proc_read(const char *pid, const char *name, char *buf, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%.16s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
    if (fd >= 0)
        close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Whether a process is one of ours, by its environment; bytes, of which there are n then, is that. */
static bool is_ours(const struct chaos *c, const char *pid, char bytes[16384], size_t *n)
{
    char mine[256];

    snprintf(mine, sizeof mine, "WORKER_LOG=%s/history", c->dir);
    *n = proc_read(pid, "environ", bytes, 16384);
    return memmem(bytes, *n, mine, strlen(mine));
}

pid_t some_executor(struct chaos *c, bool or_guard)
{
    DIR *proc = opendir("/proc");
    char bytes[16384];
    pid_t found = 0;
    int seen = 0;

    for (const struct dirent *d; proc && (d = readdir(proc));) {
        size_t n = *d->d_name >= '1' && *d->d_name <= '9' ? proc_read(d->d_name, "cmdline", bytes, 512) : 0;
        const char *word = bytes + strlen(bytes) + 1;
        if (n == 0 || strcmp(word, "execute") != 0 ||
            (!or_guard && strcmp(word + strlen(word) + 1, GUARD_ORDERS) == 0))
            continue;
        if (is_ours(c, d->d_name, bytes, &n) && below(c, ++seen) == 0)
            found = (pid_t)strtol(d->d_name, NULL, 10);
    }
    if (proc)
        closedir(proc);
    return found;
}

static pid_t parent_of(const char *pid)
{
    char stat[512];
    size_t n = proc_read(pid, "stat", stat, sizeof stat);
    const char *name_end = n > 0 ? strrchr(stat, ')') : NULL;

    return name_end && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

void note_stopped(struct chaos *c, pid_t group)
{
    DIR *proc = opendir("/proc");
    char bytes[16384];
    size_t n;

    for (const struct dirent *d; proc && (d = readdir(proc));) {
        pid_t parent = *d->d_name >= '1' && *d->d_name <= '9' ? parent_of(d->d_name) : 0;
        if (parent <= 1 || getpgid(parent) != group || !is_ours(c, d->d_name, bytes, &n))
            continue;
        const char *held = memmem(bytes, n, "\0RIVERS_TOKEN=", 14);
        if (held)
            note(c, "stopped %s\n", held + 14);
    }
    if (proc)
        closedir(proc);
}

void end_all(const pid_t *pids, int n)
{
    for (int i = 0; i < n; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGTERM);
}

bool lives(const pid_t *pids, int n)
{
    bool some = false;

    for (int i = 0; i < n; i++)
        some = some || pids[i] > 0;
    return some;
}
