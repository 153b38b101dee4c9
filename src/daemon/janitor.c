#include "daemon/janitor.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/doctor.h"

#define ASK_MS   10000
#define SLICE_MS 1000 /* between two slices of an audit, whoever does them */

struct janitor {
    struct store *store;
    const struct settings *settings;
    struct event *timer;
    char epoch[48];
    bool asked, asking;
    bool left; /* lives on for the call that is under way */
};

static void tell_epoch(struct janitor *j, const char *epoch)
{
    if (j->asked && strcmp(epoch, j->epoch) != 0)
        log_line(LOG_WARN, "redis came back with older data: history was lost", "epoch", epoch, "before",
                 *j->epoch ? j->epoch : "-", NULL);
    snprintf(j->epoch, sizeof j->epoch, "%s", epoch);
    j->asked = true;
}

static void on_watched(void *arg, const struct reply *r, const struct err *e)
{
    struct janitor *j = arg;

    (void)e; /* asked again */
    j->asking = false;
    if (j->left) {
        free(j);
        return;
    }
    if (r)
        tell_epoch(j, doctor_watch_epoch(r));
    for (size_t i = 0; r && i < doctor_count(r); i++) {
        struct fault f = doctor_at(r, i);
        log_line(LOG_WARN, "drift found, see rivers doctor", "what", f.what, "subject", f.subject, "detail",
                 f.detail, NULL);
    }
    timer_set(j->timer, r && doctor_watch_goes_on(r) ? SLICE_MS : ASK_MS);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct janitor *j = arg;

    (void)fd, (void)what;
    j->asking = true;
    call_send(doctor_watch_call(j->store, j->settings->audit_interval_ms, SLICE_MS), ASK_MS, on_watched, j);
}

struct janitor *janitor_new(struct event_base *base, struct store *store, const struct settings *settings)
{
    struct janitor *j = xcalloc(1, sizeof *j);

    j->store = store;
    j->settings = settings;
    j->timer = evtimer_new(base, on_time, j);
    timer_set(j->timer, 0);
    return j;
}

void janitor_free(struct janitor *j)
{
    if (!j)
        return;
    event_free(j->timer);
    j->left = true;
    if (!j->asking)
        free(j);
}
