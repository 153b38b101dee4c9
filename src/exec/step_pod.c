#include "exec/step_pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/name.h"
#include "exec/pod_log.h"

/* --- its log --- */

static void on_line(void *arg, const char *line, size_t n)
{
    const struct step_pod *s = arg;

    s->events.on_output(s->events.arg, line, n);
    s->events.on_output(s->events.arg, "\n", 1);
}

static void on_end(void *arg)
{
    struct step_pod *s = arg;

    pod_log_free(s->log);
    s->log = NULL;
    s->on_read(s->arg);
}

static void read_log(struct step_pod *s)
{
    const struct pod_log_events events = {on_line, on_end, s};

    if (!s->log && s->events.on_output)
        s->log = pod_log_new(s->place->kube, s->place->namespace, s->name, &events);
}

/* --- what is told --- */

void step_pod_tell_waiting(struct step_pod *s, const char *reason)
{
    if (!s->events.on_waiting || strcmp(s->told, reason) == 0 ||
        (*reason && !name_is_plain(reason, STEP_POD_REASON_BYTES, "")))
        return;
    snprintf(s->told, sizeof s->told, "%s", reason);
    s->events.on_waiting(s->events.arg, *reason ? reason : "-");
}

static void wait_for(struct step_pod *s, const struct pod *p)
{
    step_pod_tell_waiting(s, p->waiting);
    if (*p->waiting)
        snprintf(s->waiting, sizeof s->waiting, "%s%s%s", p->waiting, *p->message ? ": " : "", p->message);
}

static void run(struct step_pod *s)
{
    if (s->running)
        return;
    s->running = true;
    s->waiting[0] = '\0';
    step_pod_tell_waiting(s, "");
    if (s->events.on_running)
        s->events.on_running(s->events.arg);
    read_log(s);
}

/* --- what is seen --- */

static void take(struct step_pod *s, const struct pod *p)
{
    free(s->name);
    free(s->uid);
    s->name = xstrdup(p->name);
    s->uid = xstrdup(p->uid);
    s->gone = false;
}

enum step_pod_news step_pod_see(struct step_pod *s, enum watch_change change, const struct pod *p)
{
    bool over = change == WATCH_DELETED || !pod_is_live(p);
    bool other = !s->uid || strcmp(s->uid, p->uid) != 0;

    if (other && s->uid && over)
        return STEP_POD_SAME;
    if (other)
        take(s, p);
    if (p->phase == POD_WAITING && !over)
        wait_for(s, p);
    else if (p->phase != POD_WAITING)
        run(s);
    if (!over || s->gone)
        return other && !over ? STEP_POD_NEW : STEP_POD_SAME;
    s->gone = true;
    if (s->log)
        pod_log_finish(s->log);
    return STEP_POD_GONE;
}

void step_pod_release(struct step_pod *s)
{
    pod_log_free(s->log);
    free(s->name);
    free(s->uid);
    s->log = NULL;
    s->name = s->uid = NULL;
}
