#include "daemon/dequeuer.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/text.h"
#include "base/timer.h"
#include "core/admit.h"
#include "core/bell.h"
#include "core/config.h"
#include "core/execution.h"
#include "core/turn.h"
#include "daemon/health.h"
#include "daemon/janitor.h"
#include "daemon/launches.h"
#include "daemon/server_check.h"

#define ADMIT_DEADLINE_MS 10000
#define SETTINGS_MS       1000 /* how often they are asked for, at most */
#define LEAVE_MS          2000 /* told to end: longest wait for a server that does not answer */

struct dequeuer {
    struct store *store;
    struct event_base *base;
    const struct dequeuer_options *options;
    char id[160], installation[20];
    struct settings settings;
    int64_t settings_at; /* when they were asked for, clock_mono_ms */
    struct text faults;  /* of the settings, when they were read last; told */
    int64_t seen;        /* the highest token of its admissions */
    struct reaper *reaper;
    const struct backend_type *type;
    struct backend *backend;
    char *run_backend;    /* as it was opened */
    bool backend_differs; /* from the one that is set now, which was told */
    struct launches *launches;
    struct janitor *janitor;
    struct bell *bell;
    struct health *health; /* NULL: nobody asks */
    struct event *pause;   /* until it looks again though nobody rang */
    struct event *leave;   /* draining for LEAVE_MS */
    struct event *signals[2];
    bool asking, rung; /* somebody rang while it was asking */
    bool full;         /* its capacity is used up: it does not listen to the bell */
    bool draining, overdue, unreachable;
    bool left;    /* lives on for the calls that are under way */
    size_t calls; /* under way */
};

static void admit(struct dequeuer *d);

/* --- leaving --- */

/* It does not stay for the answers of a server that is away: leases say the rest. */
static bool is_done(const struct dequeuer *d)
{
    bool answered = (d->calls == 0 && launches_untold(d->launches) == 0) || d->overdue ||
                    !redis_is_ready(store_redis_get(d->store));

    return d->draining && answered && launches_pending(d->launches) == 0 &&
           !(d->options->wait_for_runs && d->type->live(d->backend) > 0);
}

static void leave_when_done(struct dequeuer *d)
{
    if (is_done(d))
        event_base_loopbreak(d->base);
}

static void on_leave_time(evutil_socket_t fd, short what, void *arg)
{
    struct dequeuer *d = arg;

    (void)fd;
    (void)what;
    d->overdue = true;
    leave_when_done(d);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
    struct dequeuer *d = arg;
    char runs[24];

    (void)sig;
    (void)what;
    if (d->draining) {
        log_line(LOG_WARN, "told to end twice: leaving at once", "dequeuer", d->id, NULL);
        event_base_loopbreak(d->base);
        return;
    }
    d->draining = true;
    bell_free(d->bell); /* who rings is for others */
    d->bell = NULL;
    health_tell(d->health, "draining");
    snprintf(runs, sizeof runs, "%zu", d->type->live(d->backend));
    timer_set(d->pause, d->settings.dequeue_interval_ms);
    log_line(LOG_INFO, "draining: no further run is admitted", "dequeuer", d->id, "running_here", runs, NULL);
    timer_set(d->leave, LEAVE_MS);
    leave_when_done(d);
}

/* Each call ends here first. Returns false when the dequeuer has left meanwhile. */
static bool call_over(struct dequeuer *d)
{
    bool left = d->left;

    d->calls--;
    if (left && d->calls == 0)
        free(d);
    return !left;
}

/* --- settings --- */

/* Each is told once, until it changes or is gone. */
struct faults {
    const struct text *before;
    struct text now;
};

static void on_fault(void *arg, const struct err *e)
{
    struct faults *f = arg;
    char line[sizeof e->msg + 3];

    snprintf(line, sizeof line, "\n%s\n", e->msg);
    text_add(&f->now, line);
    if (!strstr(text_get(f->before), line))
        log_line(LOG_WARN, "a setting cannot be read and is left as it was", "why", e->msg, NULL);
}

/* What launches its runs is not exchanged under them. */
static void backend_compare(struct dequeuer *d)
{
    bool differs = strcmp(d->settings.run_backend, d->run_backend) != 0;

    if (differs && !d->backend_differs)
        log_line(LOG_WARN,
                 "run_backend was changed: runs are launched as before until this dequeuer is restarted",
                 "dequeuer", d->id, NULL);
    d->backend_differs = differs;
}

static void on_settings(void *arg, const struct reply *r, const struct err *e)
{
    struct dequeuer *d = arg;
    struct faults faults = {.before = &d->faults};

    (void)e; /* what was is kept */
    if (!call_over(d))
        return;
    if (r) {
        settings_update(&d->settings, r, on_fault, &faults);
        text_release(&d->faults);
        d->faults = faults.now;
        backend_compare(d);
    }
    leave_when_done(d);
}

/* Asked for together with an admission. */
static void settings_refresh(struct dequeuer *d)
{
    char key[128];
    const char *argv[] = {"HGETALL", store_key(d->store, key, sizeof key, "config", "")};

    if (clock_mono_ms() < d->settings_at + SETTINGS_MS)
        return;
    d->settings_at = clock_mono_ms();
    d->calls++;
    redis_send(store_redis_get(d->store), REDIS_RESEND, ADMIT_DEADLINE_MS, 2, argv, NULL, on_settings, d);
}

/* --- launching --- */

/* One call about one run, resent until it is answered or pointless. */
struct handover {
    struct dequeuer *dequeuer;
    char *run;
    const char *what;
    char *lost; /* how the executor ended; NULL: the call is about something else */
};

static void on_handed_over(void *arg, const struct reply *r, const struct err *e)
{
    struct handover *h = arg;
    struct dequeuer *d = h->dequeuer;

    if (!r)
        log_line(LOG_WARN, "not recorded", "what", h->what, "run", h->run, "why", e->msg, NULL);
    else if (h->lost && reply_is(reply_at(r, 0), "OK"))
        log_line(LOG_WARN, "executor lost", "run", h->run, "how", h->lost, NULL);
    free(h->run);
    free(h->lost);
    free(h);
    if (call_over(d))
        leave_when_done(d);
}

static void hand_over(struct dequeuer *d, const char *run, const char *what, const char *lost, struct call *c)
{
    struct handover *h = xcalloc(1, sizeof *h);

    *h = (struct handover){d, xstrdup(run), what, xstrdup(lost)};
    d->calls++;
    d->overdue = false;
    if (d->draining)
        timer_set(d->leave, LEAVE_MS);
    call_send(c, d->settings.start_timeout_ms, on_handed_over, h);
}

static void on_launched(void *arg, const struct launch *l, const struct err *why)
{
    struct dequeuer *d = arg;

    if (!why) {
        log_line(LOG_INFO, "run launched", "run", l->run, "dequeuer", d->id, NULL);
        launches_confirm(d->launches, l);
        return;
    }
    log_line(LOG_ERROR, "launch failed", "run", l->run, "why", why->msg, NULL);
    launches_forget(d->launches, l);
    hand_over(d, l->run, "failed launch", NULL, lost_call(d->store, l->run, l->token, false, why->msg));
}

static void on_waiting(void *arg, const struct launch *l, const char *for_what)
{
    struct dequeuer *d = arg;

    launches_wait_for(d->launches, l, for_what);
}

static void on_found(void *arg, const struct launch *l)
{
    struct dequeuer *d = arg;

    launches_add(d->launches, l, true);
}

static void on_ended(void *arg, const struct launch *l, bool began, const char *how)
{
    struct dequeuer *d = arg;

    launches_forget(d->launches, l);
    if (how) {
        hand_over(d, l->run, "lost executor", how, lost_call(d->store, l->run, l->token, began, how));
    } else {
        log_line(LOG_DEBUG, "executor ended", "run", l->run, NULL);
    }
    if (d->full || d->draining)
        event_active(d->pause, 0, 0); /* there is capacity again, or nothing left to wait for */
}

static void on_held(void *arg, const struct reply *r, const struct err *e)
{
    struct dequeuer *d = arg;

    (void)r; /* stale: the run was ended */
    (void)e; /* the next one is on its way */
    if (call_over(d))
        leave_when_done(d);
}

static void on_ending(void *arg, const struct launch *l)
{
    struct dequeuer *d = arg;
    const struct execution x = {.run = l->run, .token = l->token};

    d->calls++;
    call_send(hold_call(d->store, &x, d->settings.run_lease_ms), d->settings.run_lease_ms, on_held, d);
}

/* --- admitting --- */

static void tell_reachable(struct dequeuer *d, const struct err *e)
{
    bool unreachable = e->code != ERR_NONE;

    if (!d->draining)
        health_tell(d->health, unreachable ? e->msg : NULL);
    if (unreachable != d->unreachable) {
        d->unreachable = unreachable;
        log_line(unreachable ? LOG_ERROR : LOG_INFO, unreachable ? "cannot admit" : "admitting again",
                 "dequeuer", d->id, "why", unreachable ? e->msg : NULL, NULL);
    }
}

static void ask(struct dequeuer *d)
{
    d->asking = true;
    d->rung = false;
    d->calls++;
}

static void rest(struct dequeuer *d)
{
    timer_set(d->pause, d->settings.dequeue_interval_ms);
    if (!d->full)
        bell_listen(d->bell);
}

static void on_admitted(void *arg, const struct reply *r, const struct err *e)
{
    struct dequeuer *d = arg;

    if (!call_over(d))
        return;
    d->asking = false;
    tell_reachable(d, e);
    for (size_t i = 0; i < admit_count(r); i++) {
        struct admission a = admit_at(r, i);
        struct launch l = {a.id, a.token, a.attempt};
        if (a.token > d->seen)
            d->seen = a.token;
        launches_add(d->launches, &l, false);
        d->type->launch(d->backend, &l);
    }
    d->full = admit_outlook(r) == ADMIT_FULL;
    if (d->draining) {
        leave_when_done(d);
    } else if (d->rung || admit_outlook(r) == ADMIT_MORE) {
        admit(d);
    } else {
        rest(d);
    }
}

static void admit(struct dequeuer *d)
{
    const struct admit_options options = {d->id, ADMIT_BATCH, d->options->capacity, d->seen};

    ask(d);
    call_send(admit_call(d->store, &options, &d->settings), ADMIT_DEADLINE_MS, on_admitted, d);
    settings_refresh(d);
}

/* Nobody rang: it admits when it is its turn to look whether anything is due. */
static void on_turn(void *arg, bool ours, const struct err *e)
{
    struct dequeuer *d = arg;

    if (!call_over(d))
        return;
    d->asking = false;
    tell_reachable(d, e);
    if (d->draining)
        leave_when_done(d);
    else if (d->rung || (ours && e->code == ERR_NONE))
        admit(d);
    else
        rest(d);
}

static void look(struct dequeuer *d)
{
    ask(d);
    turn_ask(d->store, d->seen, ADMIT_DEADLINE_MS, on_turn, d);
    settings_refresh(d);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct dequeuer *d = arg;

    (void)fd;
    (void)what;
    evtimer_del(d->pause);
    if (d->draining) {
        timer_set(d->pause, d->settings.dequeue_interval_ms);
        leave_when_done(d);
    } else if (!d->asking && d->full) {
        admit(d);
    } else if (!d->asking) {
        look(d);
    }
}

/* Also when it has become full since it listened: admission rings for the others then. */
static void on_ring(void *arg)
{
    struct dequeuer *d = arg;

    d->rung = true;
    if (!d->draining && !d->asking)
        admit(d);
}

/* --- begin and end --- */

static void name_dequeuer(struct dequeuer *d)
{
    char host[128] = "";

    gethostname(host, sizeof host - 1);
    if (d->options->id)
        snprintf(d->id, sizeof d->id, "%s", d->options->id);
    else
        snprintf(d->id, sizeof d->id, "%s-%d", host, (int)getpid());
}

/* A random word that the first dequeuer leaves with the data; for a backend that finds executors by it. */
static int installation_begin(struct dequeuer *d, struct err *e)
{
    struct redis *redis = store_redis_get(d->store);
    char key[128], word[20];
    uint64_t random;

    evutil_secure_rng_get_bytes(&random, sizeof random);
    snprintf(word, sizeof word, "%016" PRIx64, random);
    store_key(d->store, key, sizeof key, "meta", "");
    const char *set[] = {"HSETNX", key, "installation", word}, *get[] = {"HGET", key, "installation"};
    struct reply *r = redis_send_wait(redis, ADMIT_DEADLINE_MS, 4, set, NULL, e);
    if (!r)
        return -1;
    reply_free(r);
    if (!(r = redis_send_wait(redis, ADMIT_DEADLINE_MS, 3, get, NULL, e)))
        return -1;
    snprintf(d->installation, sizeof d->installation, "%s", reply_str(r));
    reply_free(r);
    return 0;
}

static int begin(struct dequeuer *d, struct err *e)
{
    static const int stops[] = {SIGTERM, SIGINT};

    name_dequeuer(d);
    if (d->options->health_file && !(d->health = health_new(d->base, d->options->health_file, e)))
        return -1;
    /* Faults of other settings are told with the first admission. */
    if (settings_load(&d->settings, d->store, ADMIT_DEADLINE_MS, NULL, NULL, e) < 0 ||
        !(d->reaper = reaper_new(d->base, true, e)) ||
        !(d->type = backend_type_of(d->settings.run_backend, e)) ||
        (d->type->recover && installation_begin(d, e) < 0))
        return -1;
    const struct backend_host host = {
        .base = d->base,
        .reaper = d->reaper,
        .store = d->store,
        .access = &d->options->access,
        .redis_url = d->options->redis_url,
        .namespace = d->options->namespace,
        .installation = d->installation,
        .settings = &d->settings,
        .events = {on_launched, on_waiting, on_ended, on_ending, on_found, d},
    };
    d->run_backend = xstrdup(d->settings.run_backend);
    if (!(d->backend = d->type->open(&host, d->run_backend, e)))
        return -1;
    d->launches = launches_new(d->base, d->store, &d->settings, d->type, d->backend);
    d->janitor = janitor_new(d->base, d->store, &d->settings);
    d->pause = evtimer_new(d->base, on_pause_over, d);
    d->leave = evtimer_new(d->base, on_leave_time, d);
    d->bell = bell_new(d->store, "bell", on_ring, d);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        d->signals[i] = evsignal_new(d->base, stops[i], on_term, d);
        evsignal_add(d->signals[i], NULL);
    }
    return 0;
}

static void dequeuer_release(struct dequeuer *d)
{
    for (size_t i = 0; i < sizeof d->signals / sizeof *d->signals; i++)
        if (d->signals[i])
            event_free(d->signals[i]);
    bell_free(d->bell);
    health_free(d->health);
    if (d->pause)
        event_free(d->pause);
    if (d->leave)
        event_free(d->leave);
    launches_free(d->launches);
    janitor_free(d->janitor);
    if (d->backend)
        d->type->close(d->backend);
    if (d->reaper)
        reaper_free(d->reaper);
    settings_release(&d->settings);
    text_release(&d->faults);
    free(d->run_backend);
    d->left = true;
    if (d->calls == 0)
        free(d);
}

int dequeuer_run(struct store *store, const struct dequeuer_options *options, struct err *e)
{
    struct dequeuer *d = xcalloc(1, sizeof *d);

    d->store = store;
    d->base = redis_base_get(store_redis_get(store));
    d->options = options;
    int status = begin(d, e);
    if (status == 0) {
        log_line(LOG_INFO, "dequeuer started", "dequeuer", d->id, "namespace", options->namespace, "backend",
                 d->type->name, NULL);
        server_check(store_redis_get(store));
        if (d->type->recover)
            d->type->recover(d->backend);
        admit(d);
        event_base_dispatch(d->base);
        log_line(LOG_INFO, "dequeuer ended", "dequeuer", d->id, NULL);
    }
    dequeuer_release(d);
    return status;
}
