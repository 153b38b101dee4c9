#include "base/reaper.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strays.h"

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

static bool is_watched(void *arg, pid_t pid)
{
    return *find(arg, pid) != NULL;
}

static bool have_children(void)
{
    siginfo_t si;

    return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int reaper_kill_strays(struct reaper *r, struct err *e)
{
    const struct timespec pause = {.tv_nsec = STRAYS_PAUSE_MS * 1000000};
    int64_t deadline = clock_mono_ms() + STRAYS_MAX_MS;
    int strays;

    if (!have_children())
        return 0;
    while ((strays = strays_kill(is_watched, r, e)) > 0 && clock_mono_ms() < deadline)
        nanosleep(&pause, NULL);
    return strays > 0 ? err_set(e, ERR_SYSTEM, "%d processes could not be ended", strays) : strays;
}
