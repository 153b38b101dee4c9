#include "exec/executor.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "core/admit.h"
#include "core/config.h"
#include "core/execution.h"
#include "base/environment.h"
#include "exec/lease.h"
#include "exec/plan.h"
#include "exec/pods.h"
#include "base/reaper.h"
#include "exec/task.h"

#define START_DEADLINE_MS 60000
#define RESULT_TRY_MS     60000
#define REPORT_MS         5     /* before states are recorded: a short step starts and ends in one call */
#define AGAIN_MS          1000  /* before a result that was refused is sent again */
#define LEAVE_MS          2000  /* told to end: longest wait for a server that does not answer */
#define TERM_GRACE_MS     10000 /* when the executor itself is told to end */
#define STRAYS_MS         20    /* how often a lost run looks for what its steps left behind */

extern char **environ;

/* Why the run ends before its plan is over. */
enum run_end { GOING_ON, CANCELED, TERMINATED, LOST };

/* A result on its way outlives the executor until its answer is there. */
struct delivery {
    struct executor *executor; /* NULL: it left meanwhile */
};

struct executor {
    const struct executor_options *options;
    struct store *store;
    struct event_base *base;
    struct reaper *reaper;
    struct execution x;
    struct run run;
    struct spec spec;
    int64_t lease_ms;
    struct environment environment;
    struct plan plan;
    struct task_host host;
    struct task **tasks; /* by step; NULL unless active */
    bool in_pods;        /* steps run in pods of their own */
    struct pods pods;
    struct slots *slots;
    struct lease *lease;
    struct event *flush;
    struct event *strays; /* LOST and the grace is over */
    struct event *signals[5];
    struct step_report
        *reports;           /* not yet known to be recorded; names are borrowed from spec, `how` is owned */
    size_t nreports, nsent; /* the first nsent are under way */
    struct delivery *reporting, *recording; /* under way, or NULL */
    struct event *again;                    /* the outcome is to be sent */
    struct event *leave;                    /* the outcome was given LEAVE_MS */
    bool told_to_end, overdue, output_refused;
    int status; /* of executor_run once the outcome was answered; -1 before */
    enum run_end ending;
    char reason[256]; /* of a failure or a termination */
};

/* --- reports --- */

/* Takes the first n off. */
static void reports_drop(struct executor *ex, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)ex->reports[i].how);
    ex->nreports -= n;
    if (ex->nreports > 0)
        memmove(ex->reports, ex->reports + n, ex->nreports * sizeof *ex->reports);
    ex->nsent = 0;
}

static void on_report(void *arg, const struct step_report *report)
{
    struct executor *ex = arg;

    ex->reports = xrealloc(ex->reports, (ex->nreports + 1) * sizeof *ex->reports);
    ex->reports[ex->nreports] = *report;
    ex->reports[ex->nreports++].how = xstrdup(report->how);
    if (!evtimer_pending(ex->flush, NULL))
        timer_set(ex->flush, REPORT_MS);
}

static struct delivery *delivery_new(struct executor *ex)
{
    struct delivery *d = xcalloc(1, sizeof *d);

    d->executor = ex;
    return d;
}

/* Returns the executor unless it left. */
static struct executor *delivery_over(struct delivery *d)
{
    struct executor *ex = d->executor;

    free(d);
    return ex;
}

static void on_reported(void *arg, const struct reply *r, const struct err *e)
{
    struct executor *ex = delivery_over(arg);

    if (!ex)
        return;
    ex->reporting = NULL;
    if (r) { /* a stale token shows at the next renewal */
        reports_drop(ex, ex->nsent);
        event_active(ex->flush, 0, 0);
    } else {
        log_line(LOG_WARN, "step states could not be recorded yet", "why", e->msg, NULL);
        timer_set(ex->flush, AGAIN_MS);
    }
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct executor *ex = arg;

    (void)fd;
    (void)what;
    if (ex->reporting || ex->nreports == 0 || plan_is_over(&ex->plan))
        return; /* the last ones go with the outcome */
    ex->nsent = ex->nreports;
    ex->reporting = delivery_new(ex);
    call_send(report_call(ex->store, &ex->x, ex->reports, ex->nreports), RESULT_TRY_MS, on_reported,
              ex->reporting);
}

/* --- the plan --- */

/* One that runs already was started by this executor before its container was restarted, and is found by its number. */
static int64_t attempts_before(const struct executor *ex, const char *step)
{
    for (size_t i = 0; i < ex->run.nsteps; i++)
        if (strcmp(ex->run.steps[i].name, step) == 0)
            return ex->run.steps[i].attempt - (strcmp(ex->run.steps[i].state, "Started") == 0);
    return 0;
}

static void skip(struct executor *ex, size_t step)
{
    struct step_report r = {ex->spec.steps[step].name, "StepSkipped", "Skipped", 0, "-"};

    ex->plan.states[step] = TASK_SKIPPED;
    on_report(ex, &r);
}

static void advance(struct executor *ex)
{
    size_t step;

    while ((step = plan_next(&ex->plan)) != (size_t)-1) {
        const struct step *s = &ex->spec.steps[step];
        ex->plan.states[step] = TASK_ACTIVE;
        ex->tasks[step] = task_start(&ex->host, s, step, attempts_before(ex, s->name));
    }
    while ((step = plan_dead(&ex->plan)) != (size_t)-1)
        skip(ex, step);
    if (plan_is_over(&ex->plan))
        event_base_loopbreak(ex->base);
}

static void on_done(void *arg, size_t step, enum task_state state, const char *why)
{
    struct executor *ex = arg;

    bool was_failed = plan_failed(&ex->plan) != (size_t)-1;

    ex->plan.states[step] = state;
    if (!was_failed && plan_failed(&ex->plan) == step)
        snprintf(ex->reason, sizeof ex->reason, "%s", why);
    task_free(ex->tasks[step]);
    ex->tasks[step] = NULL;
    advance(ex);
}

/* Ends all steps; the first reason to end counts, but a lost run is lost whatever else happens. */
static void end(struct executor *ex, enum run_end why, int64_t grace_ms)
{
    if (ex->ending == GOING_ON || why == LOST)
        ex->ending = why;
    ex->plan.ending = true;
    for (size_t i = 0; i < ex->spec.nsteps; i++)
        if (ex->tasks[i])
            task_end(ex->tasks[i], grace_ms);
    advance(ex);
}

/* --- what reaches the executor from outside --- */

static void on_cancel(void *arg, int64_t grace_ms)
{
    struct executor *ex = arg;

    log_line(LOG_INFO, "cancel was asked for", "run", ex->x.run, NULL);
    end(ex, CANCELED, grace_ms);
}

static void on_lost(void *arg, const char *why, int64_t grace_ms)
{
    struct executor *ex = arg;

    log_line(LOG_WARN, "the run is lost, its steps are ended", "run", ex->x.run, "why", why, NULL);
    end(ex, LOST, grace_ms);
    timer_set(ex->strays, grace_ms);
}

/* What left its group, too, has to be gone before the lease ends. */
static void on_strays(evutil_socket_t fd, short what, void *arg)
{
    struct executor *ex = arg;
    struct err e = {0};

    (void)fd;
    (void)what;
    if (reaper_kill_strays(ex->reaper, &e) < 0)
        log_line(LOG_WARN, "processes of the run remain", "run", ex->x.run, "why", e.msg, NULL);
    timer_set(ex->strays, STRAYS_MS);
}

/* The bell of the run rang: the lease looks after itself, waiting claims ask again. */
static void on_bell(void *arg)
{
    struct executor *ex = arg;

    slots_ask_again(ex->slots);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
    struct executor *ex = arg;

    (void)what;
    ex->told_to_end = true;
    if (plan_is_over(&ex->plan))
        return; /* only the outcome is left to be recorded */
    if (ex->options->foreground) {
        end(ex, CANCELED, TERM_GRACE_MS);
        return;
    }
    snprintf(ex->reason, sizeof ex->reason, "executor terminated by signal %d", (int)sig);
    log_line(LOG_WARN, ex->reason, "run", ex->x.run, NULL);
    end(ex, TERMINATED, TERM_GRACE_MS);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    struct executor *ex = arg;

    (void)fd;
    (void)what;
    ex->overdue = true;
}

static void on_forward(evutil_socket_t sig, short what, void *arg)
{
    struct executor *ex = arg;

    (void)what;
    for (size_t i = 0; i < ex->spec.nsteps; i++)
        if (ex->tasks[i])
            task_signal(ex->tasks[i], (int)sig);
}

static void listen_to_signals(struct executor *ex)
{
    static const struct {
        int sig;
        event_callback_fn on_signal;
    } rows[] = {{SIGTERM, on_term},
                {SIGINT, on_term},
                {SIGHUP, on_forward},
                {SIGUSR1, on_forward},
                {SIGUSR2, on_forward}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ex->signals[i] = evsignal_new(ex->base, rows[i].sig, rows[i].on_signal, ex);
        evsignal_add(ex->signals[i], NULL);
    }
}

/* --- begin and end --- */

static void environment_make(struct executor *ex)
{
    struct environment *env = &ex->environment;
    char number[24], *url = redis_url_print(redis_url_get(store_redis_get(ex->store)));

    environment_init(env, ex->in_pods ? NULL : environ);
    environment_unset(env, "RIVERS_RUN_BACKEND");  /* is for us alone */
    environment_set(env, "RIVERS_REDIS_URL", url); /* a password in it is not for steps */
    for (size_t i = 0; i < ex->spec.nenv; i++)
        environment_set(env, ex->spec.env[i].name, ex->spec.env[i].value);
    environment_set(env, "RIVERS_RUN_ID", ex->x.run);
    environment_set(env, "RIVERS_JOB", ex->run.job);
    environment_set(env, "RIVERS_NAMESPACE", store_namespace_get(ex->store));
    snprintf(number, sizeof number, "%" PRId64, ex->run.attempt);
    environment_set(env, "RIVERS_ATTEMPT", number);
    snprintf(number, sizeof number, "%" PRId64, ex->x.token);
    environment_set(env, "RIVERS_TOKEN", number);
    for (size_t i = 0; i < ex->run.ntags; i++)
        environment_set_tag(env, ex->run.tags[i].key, ex->run.tags[i].value);
    free(url);
}

/* Steps that succeeded in an earlier attempt of the run are not run again. */
static void plan_make(struct executor *ex)
{
    plan_init(&ex->plan, &ex->spec, ex->in_pods);
    for (size_t i = 0; i < ex->spec.nsteps; i++)
        for (size_t j = 0; j < ex->run.nsteps; j++)
            if (strcmp(ex->run.steps[j].name, ex->spec.steps[i].name) == 0 &&
                strcmp(ex->run.steps[j].state, "Success") == 0)
                ex->plan.states[i] = TASK_SUCCESS;
    ex->tasks = xcalloc(ex->spec.nsteps, sizeof *ex->tasks);
}

/* Where the steps run. A run whose cluster cannot be reached fails with the reason. */
static int workers_open(struct executor *ex, struct err *e)
{
    const struct job_run run = {ex->x.run, ex->run.attempt, ex->x.token};

    ex->in_pods = pods_wanted() && !ex->spec.in_process && !ex->options->foreground;
    return ex->in_pods ? pods_open(&ex->pods, ex->reaper, &run, store_namespace_get(ex->store), e) : 0;
}

static int run_refused(struct executor *ex, const char *why)
{
    struct err e = {0};

    reply_free(call_wait(finish_call(ex->store, &ex->x, RUN_FAILURE, why, NULL, 0), START_DEADLINE_MS, &e));
    log_line(LOG_ERROR, "the run cannot be executed", "run", ex->x.run, "why", why, NULL);
    return e.code == ERR_NONE ? 0 : -1;
}

/* --- the run is taken over: three questions that leave together */

struct takeover {
    struct executor *executor;
    int awaited;   /* answers */
    int status;    /* 1: the run is ours; 0: it is not to be run by us; -1: e */
    struct err *e; /* why there is no answer */
    bool
        is_unusable; /* the spec: it was checked when it was submitted, but an older rivers may not understand it */
    struct err why; /* unusable */
};

static bool is_answered(struct takeover *t, const struct reply *r, const struct err *e)
{
    t->awaited--;
    if (r || t->status < 0)
        return r;
    t->status = -1;
    *t->e = *e;
    return false;
}

static void on_started(void *arg, const struct reply *r, const struct err *e)
{
    struct takeover *t = arg;

    if (!is_answered(t, r, e) || reply_is(r, "OK"))
        return;
    char *answer = reply_text(r);
    log_line(LOG_INFO, "the run is not to be started by this executor", "run", t->executor->x.run, "answer",
             answer, NULL);
    free(answer);
    t->status = t->status < 0 ? -1 : 0;
}

static void on_record(void *arg, const struct reply *r, const struct err *e)
{
    struct takeover *t = arg;

    if (is_answered(t, r, e))
        run_read(&t->executor->run, t->executor->x.run, r, 0);
}

static void on_spec(void *arg, const struct reply *r, const struct err *e)
{
    struct takeover *t = arg;

    if (is_answered(t, r, e) && spec_parse(&t->executor->spec, reply_str(r), reply_len(r), &t->why) < 0)
        t->is_unusable = true;
}

/* Returns the status of struct takeover. */
static int take_over(struct executor *ex, struct err *e)
{
    struct takeover t = {.executor = ex, .awaited = 3, .status = 1, .e = e};

    call_send(start_call(ex->store, &ex->x, ex->lease_ms), START_DEADLINE_MS, on_started, &t);
    order_read(ex->store, ex->x.run, START_DEADLINE_MS, on_record, on_spec, &t);
    while (t.awaited > 0)
        event_base_loop(ex->base, EVLOOP_ONCE);
    if (t.status > 0 && (t.is_unusable || workers_open(ex, &t.why) < 0))
        t.status = run_refused(ex, t.why.msg);
    return t.status;
}

static enum run_state outcome(const struct executor *ex)
{
    if (ex->ending == CANCELED)
        return RUN_CANCELED;
    return plan_failed(&ex->plan) == (size_t)-1 ? RUN_SUCCESS : RUN_FAILURE;
}

static struct call *outcome_call(struct executor *ex)
{
    if (ex->ending == TERMINATED)
        return lost_call(ex->store, ex->x.run, ex->x.token, true, ex->reason);
    enum run_state state = outcome(ex);
    return finish_call(ex->store, &ex->x, state, state == RUN_FAILURE ? ex->reason : "", ex->reports,
                       ex->nreports);
}

static void on_recorded(void *arg, const struct reply *r, const struct err *e)
{
    struct executor *ex = delivery_over(arg);

    if (!ex)
        return;
    ex->recording = NULL;
    if (!r) {
        log_line(LOG_WARN, "the outcome could not be recorded yet", "run", ex->x.run, "why", e->msg, NULL);
        timer_set(ex->again, AGAIN_MS);
        return;
    }
    ex->status = 0;
    if (!reply_is(r, "OK"))
        log_line(LOG_WARN, "the outcome was refused", "run", ex->x.run, "answer", reply_word(r), NULL);
    else if (ex->ending != TERMINATED && ex->options->outcome)
        *ex->options->outcome = outcome(ex);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct executor *ex = arg;

    (void)fd;
    (void)what;
    ex->recording = delivery_new(ex);
    call_send(outcome_call(ex), RESULT_TRY_MS, on_recorded, ex->recording);
}

/* Told to end, it does not stay for a server that is away: the lease of the run says the rest. */
static bool is_given_up(const struct executor *ex)
{
    return ex->told_to_end && (ex->overdue || !redis_is_ready(store_redis_get(ex->store)));
}

/* Of all that was sent before. */
static void await_answers(struct executor *ex)
{
    struct err e;

    reply_free(
        redis_send_wait(store_redis_get(ex->store), LEAVE_MS, 1, (const char *const[]){"PING"}, NULL, &e));
}

/* Records how the run ended, however long the server is away: it judges by the token. Returns the status of executor_run. */
static int record(struct executor *ex)
{
    if (ex->ending == LOST)
        return 1;
    timer_set(ex->leave, LEAVE_MS);
    event_active(ex->again, 0, 0);
    while (ex->status < 0 && !is_given_up(ex))
        event_base_loop(ex->base, EVLOOP_ONCE);
    if (ex->output_refused)
        await_answers(ex);
    if (ex->status >= 0)
        return ex->status;
    log_line(LOG_ERROR, "told to end before the outcome was recorded", "run", ex->x.run, NULL);
    return 1;
}

static int run_steps(struct executor *ex, int64_t asked_at)
{
    const struct lease_events events = {on_cancel, on_lost, on_bell, ex};
    struct err e = {0};

    environment_make(ex);
    plan_make(ex);
    ex->slots = slots_new(ex->store);
    ex->lease = lease_new(ex->store, &ex->x, ex->lease_ms, asked_at, ex->options->seat, &events);
    ex->host = (struct task_host){
        .store = ex->store,
        .workers = ex->in_pods ? (struct workers){&worker_job, ex->pods.jobs}
                               : (struct workers){&worker_process, ex->reaper},
        .slots = ex->slots,
        .lease = ex->lease,
        .x = &ex->x,
        .environment = &ex->environment,
        .echo = ex->options->foreground,
        .output_refused = &ex->output_refused,
        .on_report = on_report,
        .on_done = on_done,
        .arg = ex,
    };
    listen_to_signals(ex);
    advance(ex);
    while (!plan_is_over(&ex->plan))
        event_base_loop(ex->base, EVLOOP_ONCE);
    if (reaper_kill_strays(ex->reaper, &e) < 0)
        log_line(LOG_WARN, "processes of the run remain", "run", ex->x.run, "why", e.msg, NULL);
    lease_free(ex->lease); /* before the outcome makes the token stale */
    int status = record(ex);
    slots_free(ex->slots);
    return status;
}

static int64_t lease_of_settings(struct store *store)
{
    struct settings settings;
    struct err e;

    if (settings_load(&settings, store, START_DEADLINE_MS, NULL, NULL, &e) < 0)
        log_line(LOG_WARN, "a setting cannot be read, its default will do", "why", e.msg, NULL);
    int64_t lease_ms = settings.run_lease_ms;
    settings_release(&settings);
    return lease_ms;
}

static void executor_release(struct executor *ex)
{
    if (ex->reporting)
        ex->reporting->executor = NULL;
    if (ex->recording)
        ex->recording->executor = NULL;
    reports_drop(ex, ex->nreports);
    free(ex->reports);
    for (size_t i = 0; i < sizeof ex->signals / sizeof *ex->signals; i++)
        if (ex->signals[i])
            event_free(ex->signals[i]);
    event_free(ex->flush);
    event_free(ex->strays);
    event_free(ex->again);
    event_free(ex->leave);
    free(ex->tasks);
    if (ex->plan.states)
        plan_release(&ex->plan);
    environment_release(&ex->environment);
    pods_close(&ex->pods);
    spec_release(&ex->spec);
    run_release(&ex->run);
    reaper_free(ex->reaper);
}

static const char *own_name(char *buf, size_t size)
{
    char host[128] = "";

    gethostname(host, sizeof host - 1);
    snprintf(buf, size, "%s:%d", host, (int)getpid());
    return buf;
}

int executor_run(struct store *store, const struct executor_options *options, struct err *e)
{
    char name[192];
    struct executor ex = {
        .options = options,
        .store = store,
        .base = redis_base_get(store_redis_get(store)),
        .x = {options->run, options->token, own_name(name, sizeof name)},
        .status = -1,
    };

    ex.reaper = reaper_new(ex.base, true, e);
    if (!ex.reaper)
        return -1;
    ex.flush = event_new(ex.base, -1, 0, on_flush, &ex);
    ex.strays = evtimer_new(ex.base, on_strays, &ex);
    ex.again = evtimer_new(ex.base, on_again, &ex);
    ex.leave = evtimer_new(ex.base, on_overdue, &ex);
    ex.lease_ms = options->lease_ms ? options->lease_ms : lease_of_settings(store);
    int64_t asked_at = clock_mono_ms();
    int status = take_over(&ex, e);
    if (status > 0)
        status = run_steps(&ex, asked_at);
    executor_release(&ex);
    return status;
}
