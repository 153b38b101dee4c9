#include "base/reaper.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"

enum { STRAYS_MAX_MS = 2000, STRAYS_PAUSE_NS = 2000000 };

struct reaper {
    struct event_base *base;
    struct event *sigchld;
    struct reaper_watch *watches;
};

/* The link that points to the watch of pid, or to the NULL at the end of the list. */
static struct reaper_watch **find(struct reaper *r, pid_t pid)
{
    struct reaper_watch **link = &r->watches;

    while (*link && (*link)->pid != pid)
        link = &(*link)->next;
    return link;
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
    struct reaper *r = arg;
    siginfo_t si = {0};

    (void)fd;
    (void)what;
    while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid) {
        struct reaper_watch *w = *find(r, si.si_pid);
        if (w)
            w->on_dead(w->arg);
        else
            waitid(P_PID, (id_t)si.si_pid, NULL, WEXITED);
    }
}

struct reaper *reaper_new(struct event_base *base, bool adopt_orphans, struct err *e)
{
    sigset_t sigchld;

    if (adopt_orphans && prctl(PR_SET_CHILD_SUBREAPER, 1L) < 0) {
        err_sys(e, "cannot adopt orphaned processes");
        return NULL;
    }
    struct reaper *r = xcalloc(1, sizeof *r);
    r->base = base;
    r->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, r);
    if (!r->sigchld || evsignal_add(r->sigchld, NULL) < 0) {
        reaper_free(r);
        err_set(e, ERR_SYSTEM, "cannot watch for exits of processes");
        return NULL;
    }
    /* A blocked SIGCHLD, inherited from whoever started us, would never tell. */
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &sigchld, NULL);
    return r;
}

void reaper_free(struct reaper *r)
{
    if (!r)
        return;
    if (r->sigchld)
        event_free(r->sigchld);
    free(r);
}

struct event_base *reaper_base_get(const struct reaper *r)
{
    return r->base;
}

void reaper_watch(struct reaper *r, struct reaper_watch *w)
{
    w->next = r->watches;
    r->watches = w;
}

void reaper_forget(struct reaper *r, struct reaper_watch *w)
{
    *find(r, w->pid) = w->next;
}

siginfo_t reaper_collect(struct reaper *r, struct reaper_watch *w)
{
    siginfo_t si = {0};

    while (waitid(P_PID, (id_t)w->pid, &si, WEXITED) < 0 && errno == EINTR)
        ;
    reaper_forget(r, w);
    return si;
}

/* The parent of a process by /proc/<pid>/stat: "12 (any (name) at all) S 1 ..."; -1 when it is gone. */
static pid_t parent_of(pid_t pid)
{
    char path[32], stat[256];
    int parent = -1;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    stat[n > 0 ? n : 0] = '\0';
    const char *name_end = strrchr(stat, ')');
    if (!name_end || sscanf(name_end, ") %*c %d", &parent) != 1)
        return -1;
    return parent;
}

/* One pass over all processes (/proc/self/task/<tid>/children, a shorter way, is missing in some kernels).
 * Returns how many strays there were. */
static int kill_once(struct reaper *r, DIR *proc)
{
    pid_t self = getpid();
    int strays = 0;
    int64_t pid;

    rewinddir(proc);
    for (const struct dirent *d; (d = readdir(proc));) {
        if (number_parse(d->d_name, 1, INT32_MAX, &pid) < 0 || parent_of((pid_t)pid) != self ||
            *find(r, (pid_t)pid))
            continue;
        kill((pid_t)pid, SIGKILL);
        waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOHANG);
        strays++;
    }
    return strays;
}

static bool have_children(void)
{
    siginfo_t si;

    return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int reaper_kill_strays(struct reaper *r, struct err *e)
{
    const struct timespec pause = {.tv_nsec = STRAYS_PAUSE_NS};
    int64_t deadline = clock_mono_ms() + STRAYS_MAX_MS;
    int strays = 0;

    if (!have_children())
        return 0;
    DIR *proc = opendir("/proc");
    if (!proc)
        return err_sys(e, "cannot list processes in '/proc'");
    while ((strays = kill_once(r, proc)) && clock_mono_ms() < deadline)
        nanosleep(&pause, NULL);
    closedir(proc);
    return strays ? err_set(e, ERR_SYSTEM, "%d processes could not be ended", strays) : 0;
}
