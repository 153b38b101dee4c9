#include "exec/task.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/timer.h"
#include "exec/step_log.h"

#define NOT_RUN_EXIT 127 /* what a shell says of a command that it cannot run */

struct task {
    const struct task_host *host;
    const struct step *step;
    size_t index;
    int64_t attempt, tries; /* tries: attempts made by this task, for the retries */
    struct worker *worker;  /* NULL: nothing runs */
    struct claim *claim;
    int64_t slot_token; /* 0: no slots are held */
    struct event *next; /* the next attempt, or the end of what does not run */
    struct event *timeout;
    struct step_log *log;
    bool canceled, timed_out, lease_lost;
    struct ending ending;
    char why[256];
};

static void report(struct task *t, const char *event, const char *state, const char *word)
{
    struct step_report r = {t->step->name, event, state, t->attempt, word};

    t->host->on_report(t->host->arg, &r);
}

static void worker_free(struct task *t)
{
    if (t->worker)
        t->host->workers.type->free(t->worker);
    t->worker = NULL;
}

static void give_slots_back(struct task *t)
{
    slots_release(t->claim);
    t->claim = NULL;
    t->slot_token = 0;
}

static void done(struct task *t, const char *event, enum task_state state, const char *word)
{
    char buf[40];

    report(t, event, word, ending_print(&t->ending, buf, sizeof buf));
    step_log_flush(t->log);
    give_slots_back(t);
    t->host->on_done(t->host->arg, t->index, state, t->why);
}

/* --- its output --- */

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct task *t = arg;

    step_log_add(t->log, bytes, n);
    if (t->host->echo) {
        fwrite(bytes, 1, n, stdout);
        fflush(stdout);
    }
}

/* What we have to say stands in the log of the step, where its own words are. */
static void say(struct task *t, const char *what)
{
    on_output(t, what, strlen(what));
    on_output(t, "\n", 1);
}

/* --- how an attempt ends --- */

static bool is_retried(const struct task *t)
{
    return !t->canceled && t->tries <= t->step->retries.max &&
           ending_is_retried(&t->ending, &t->step->retries);
}

static int64_t backoff_ms(const struct task *t)
{
    const struct retries *r = &t->step->retries;
    double wait = (double)r->backoff_ms;

    for (int64_t i = 1; i < t->tries && wait < (double)r->max_backoff_ms; i++)
        wait *= r->factor;
    return wait < (double)r->max_backoff_ms ? (int64_t)wait : r->max_backoff_ms;
}

static void try_again(struct task *t)
{
    char buf[40];
    int64_t wait_ms = backoff_ms(t);

    report(t, "StepRetry", "Retrying", ending_print(&t->ending, buf, sizeof buf));
    step_log_flush(t->log);
    if (wait_ms > 0 || t->lease_lost)
        give_slots_back(t);
    timer_set(t->next, wait_ms);
}

static void attempt_over(struct task *t)
{
    evtimer_del(t->timeout);
    if (t->canceled)
        done(t, "StepCanceled", TASK_CANCELED, "Canceled");
    else if (ending_is_success(&t->ending))
        done(t, "StepSuccess", TASK_SUCCESS, "Success");
    else if (is_retried(t))
        try_again(t);
    else
        done(t, "StepFailure", TASK_FAILURE, "Failure");
}

static void explain(struct task *t)
{
    const char *detail = t->ending.detail ? t->ending.detail : "";
    char word[40];

    ending_print(&t->ending, word, sizeof word);
    snprintf(t->why, sizeof t->why, "step '%s' failed: %s%s%s", t->step->name,
             t->ending.kind == ENDING_LEASE_LOST ? "lease lost" : word, *detail ? ": " : "", detail);
    if (*detail)
        say(t, detail);
    t->ending.detail = NULL; /* was lent */
}

/* What we ended it for counts more than how it went then. */
static void on_exit_(void *arg, const struct ending *ending)
{
    struct task *t = arg;

    t->ending = *ending;
    if (t->timed_out)
        t->ending.kind = ENDING_TIMEOUT;
    else if (t->lease_lost)
        t->ending.kind = ENDING_LEASE_LOST;
    explain(t);
    worker_free(t); /* the detail was its own */
    attempt_over(t);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct task *t = arg;

    (void)fd;
    (void)what;
    t->timed_out = true;
    t->host->workers.type->end(t->worker, t->step->grace_ms);
}

/* --- running --- */

static void number_set(struct environment *env, const char *name, int64_t n)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRId64, n);
    environment_set(env, name, number);
}

static void environment_make(const struct task *t, struct environment *env)
{
    environment_init(env, t->host->environment->vars);
    for (size_t i = 0; i < t->step->nenv; i++)
        environment_set(env, t->step->env[i].name, t->step->env[i].value);
    environment_set(env, "RIVERS_STEP", t->step->name);
    number_set(env, "RIVERS_STEP_ATTEMPT", t->attempt);
    if (t->slot_token)
        number_set(env, "RIVERS_POOL_TOKEN", t->slot_token);
}

static void on_running(void *arg)
{
    struct task *t = arg;

    if (t->step->timeout_ms > 0)
        timer_set(t->timeout, t->step->timeout_ms);
}

static void on_waiting(void *arg, const char *reason)
{
    report(arg, "StepWaiting", "Started", reason);
}

static void cannot_run(struct task *t, const char *why)
{
    say(t, why);
    t->ending = (struct ending){ENDING_EXIT, NOT_RUN_EXIT, NULL};
    explain(t);
    event_active(t->next, 0, 0);
}

static void run(struct task *t)
{
    const struct worker_events events = {on_running, on_waiting, on_output, on_exit_, t};
    struct environment env;
    struct err e = {0};

    if (!lease_holds(t->host->lease))
        return; /* this process stood still; it is about to end all its tasks */
    report(t, "StepStart", "Started", "-");
    environment_make(t, &env);
    const struct worker_order order = {t->step, t->attempt, env.vars};
    t->worker = t->host->workers.type->start(t->host->workers.place, &order, &events, &e);
    environment_release(&env);
    if (!t->worker)
        cannot_run(t, e.msg);
}

/* --- claiming --- */

static void on_granted(void *arg, int64_t token)
{
    struct task *t = arg;

    t->slot_token = token;
    if (!t->canceled)
        run(t);
}

static void no_slots(struct task *t, const char *why)
{
    snprintf(t->why, sizeof t->why, "%s", why);
    say(t, why);
    t->ending.kind = ENDING_NO_SLOTS;
    attempt_over(t);
}

static void on_refused(void *arg, const char *why)
{
    no_slots(arg, why);
}

static void on_claim_timeout(void *arg)
{
    struct task *t = arg;
    char span[64];
    char *why = xasprintf("step '%s' timed out waiting for pool slots after %s", t->step->name,
                          duration_print_ms(t->step->claim_timeout_ms, span, sizeof span));

    no_slots(t, why);
    free(why);
}

static void on_slots_lost(void *arg, int64_t grace_ms)
{
    struct task *t = arg;

    t->lease_lost = true;
    if (t->worker)
        t->host->workers.type->end(t->worker, grace_ms);
    else
        give_slots_back(t); /* the next attempt claims anew */
}

static void claim(struct task *t)
{
    const struct claimant who = {t->host->x->run, t->step->name, t->host->x->token, t->attempt, 0};
    const struct claim_events events = {
        .on_granted = on_granted,
        .on_refused = on_refused,
        .on_timeout = on_claim_timeout,
        .on_lost = on_slots_lost,
        .arg = t,
    };

    t->claim = slots_claim(t->host->slots, &who, t->step->claims, t->step->nclaims, t->step->claim_timeout_ms,
                           &events);
}

/* --- the way of a task --- */

static void attempt_start(struct task *t)
{
    t->attempt++;
    t->tries++;
    t->timed_out = false;
    t->lease_lost = false;
    t->ending = (struct ending){ENDING_NONE, 0, NULL};
    if (t->step->nclaims > 0 && !t->claim)
        claim(t);
    else
        run(t);
}

/* Nothing runs: the next attempt is due, the last one could not be run, or the task was ended meanwhile. */
static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct task *t = arg;

    (void)fd;
    if (t->canceled || !(what & EV_TIMEOUT))
        attempt_over(t);
    else
        attempt_start(t);
}

struct task *task_start(const struct task_host *host, const struct step *step, size_t index,
                        int64_t attempts_before)
{
    struct task *t = xcalloc(1, sizeof *t);
    struct event_base *base = redis_base_get(store_redis_get(host->store));

    t->host = host;
    t->step = step;
    t->index = index;
    t->attempt = attempts_before;
    t->next = evtimer_new(base, on_next, t);
    t->timeout = evtimer_new(base, on_timeout, t);
    t->log = step_log_new(host->store, host->x, step->name, host->output_refused);
    attempt_start(t);
    return t;
}

void task_free(struct task *t)
{
    if (!t)
        return;
    worker_free(t);
    give_slots_back(t);
    event_free(t->next);
    event_free(t->timeout);
    step_log_free(t->log);
    free(t);
}

void task_end(struct task *t, int64_t grace_ms)
{
    t->canceled = true;
    if (t->worker)
        t->host->workers.type->end(t->worker, grace_ms);
    else
        event_active(t->next, 0, 0);
}

void task_signal(struct task *t, int sig)
{
    if (t->worker)
        t->host->workers.type->signal(t->worker, sig);
}
