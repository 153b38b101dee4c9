#include "daemon/health.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"

struct health {
    char *file, *next; /* what is written takes the place of the file when it is whole */
    char line[256];
    struct event *timer;
};

static int write_file(struct health *h, struct err *e)
{
    FILE *out = fopen(h->next, "we");

    if (!out)
        return err_sys(e, "cannot write '%s'", h->next);
    int failed = fputs(h->line, out) < 0;
    failed |= fclose(out) != 0;
    return failed || rename(h->next, h->file) < 0 ? err_sys(e, "cannot write '%s'", h->file) : 0;
}

static void refresh(struct health *h)
{
    struct err e;

    if (write_file(h, &e) < 0)
        log_line(LOG_WARN, "the health file is left as it was", "why", e.msg, NULL);
    timer_set(h->timer, HEALTH_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    refresh(arg);
}

struct health *health_new(struct event_base *base, const char *file, struct err *e)
{
    struct health *h = xcalloc(1, sizeof *h);

    h->file = xstrdup(file);
    h->next = xasprintf("%s.next", file);
    h->timer = evtimer_new(base, on_timer, h);
    snprintf(h->line, sizeof h->line, "not ready: it begins\n");
    timer_set(h->timer, HEALTH_MS);
    if (write_file(h, e) == 0)
        return h;
    health_free(h);
    return NULL;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    unlink(h->file);
    event_free(h->timer);
    free(h->file);
    free(h->next);
    free(h);
}

void health_tell(struct health *h, const char *why)
{
    char line[sizeof h->line];

    if (!h)
        return;
    snprintf(line, sizeof line, why ? "not ready: %.200s\n" : "ready\n", why);
    if (strcmp(line, h->line) == 0)
        return;
    memcpy(h->line, line, sizeof line);
    refresh(h);
}
