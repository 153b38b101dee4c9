#include "exec/task.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/process.h"
#include "exec/tail.h"
#include "base/reaper.h"

#define LOG_FLUSH_MS      200
#define LOG_CALLS_MAX     4 /* chunks under way; above it output waits in the tail */
#define LOG_DEADLINE_MS   30000
#define START_FAILED_EXIT 127 /* what a shell would have said */

struct task {
    const struct task_host *host;
    const struct step *step;
    size_t index;
    int64_t attempt, tries; /* tries: attempts made by this task, for the retries */
    struct process *process;
    struct event *timeout, *backoff, *flush, *failed;
    struct tail tail;
    struct log_window *window;
    bool ended, timed_out;
    char how[40];
};

/* Counts the chunks under way; lives until the last of them is answered, also when the task is gone. */
struct log_window {
    struct task *task;
    int calls;
};

static void timer_set(struct event *timer, int64_t in_ms)
{
    struct timeval tv = {in_ms / 1000, (in_ms % 1000) * 1000};

    evtimer_add(timer, &tv);
}

static void report(struct task *t, const char *event, const char *state, const char *how)
{
    struct step_report r = {t->step->name, event, state, t->attempt, how};

    t->host->on_report(t->host->arg, &r);
}

/* --- the log --- */

static void log_flush(struct task *t, int most_calls);

static void on_logged(void *arg, const struct reply *r, const struct err *e)
{
    struct log_window *w = arg;

    (void)r; /* a log that the server refuses is lost; the run goes on */
    (void)e;
    w->calls--;
    if (w->task && w->task->tail.len >= TAIL_CHUNK_BYTES)
        log_flush(w->task, LOG_CALLS_MAX);
    else if (!w->task && w->calls == 0)
        free(w);
}

static void log_flush(struct task *t, int most_calls)
{
    struct tail_chunk chunk;

    while (t->window->calls < most_calls && (chunk = tail_peek(&t->tail, TAIL_CHUNK_BYTES)).len) {
        t->window->calls++;
        call_send(log_call(t->host->store, t->host->x, t->step->name, chunk.bytes, chunk.len, chunk.dropped),
                  LOG_DEADLINE_MS, on_logged, t->window);
        tail_consume(&t->tail, chunk.end);
    }
}

static void on_flush_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    log_flush(arg, LOG_CALLS_MAX);
}

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct task *t = arg;

    tail_add(&t->tail, bytes, n);
    if (t->tail.len >= TAIL_CHUNK_BYTES)
        log_flush(t, LOG_CALLS_MAX);
    else if (!evtimer_pending(t->flush, NULL))
        timer_set(t->flush, LOG_FLUSH_MS);
}

/* --- attempts --- */

static void done(struct task *t, enum task_state state)
{
    log_flush(t, INT32_MAX);
    t->host->on_done(t->host->arg, t->index, state, t->how);
}

static bool is_retryable(const struct task *t, const struct process_exit *x)
{
    const struct retries *r = &t->step->retries;

    if (t->ended || t->tries > r->max)
        return false;
    if (t->timed_out)
        return r->on & RETRY_ON_TIMEOUT;
    if (!(r->on & RETRY_ON_EXIT))
        return false;
    for (size_t i = 0; i < r->nexit_codes; i++)
        if (!x->signaled && r->exit_codes[i] == x->code)
            return true;
    return r->nexit_codes == 0;
}

static int64_t backoff_ms(const struct task *t)
{
    const struct retries *r = &t->step->retries;
    double wait = (double)r->backoff_ms;

    for (int64_t i = 1; i < t->tries && wait < (double)r->max_backoff_ms; i++)
        wait *= r->factor;
    return wait < (double)r->max_backoff_ms ? (int64_t)wait : r->max_backoff_ms;
}

static void attempt_over(struct task *t, const struct process_exit *x)
{
    evtimer_del(t->timeout);
    if (t->timed_out)
        snprintf(t->how, sizeof t->how, "timeout");
    else
        snprintf(t->how, sizeof t->how, "%s:%d", x->signaled ? "signal" : "exit", x->code);
    if (t->ended) {
        report(t, "StepCanceled", "Canceled", t->how);
        done(t, TASK_CANCELED);
    } else if (!t->timed_out && !x->signaled && x->code == 0) {
        report(t, "StepSuccess", "Success", t->how);
        done(t, TASK_SUCCESS);
    } else if (is_retryable(t, x)) {
        report(t, "StepRetry", "Retrying", t->how);
        log_flush(t, INT32_MAX);
        timer_set(t->backoff, backoff_ms(t));
    } else {
        report(t, "StepFailure", "Failure", t->how);
        done(t, TASK_FAILURE);
    }
}

static void on_exit_(void *arg, const struct process_exit *x)
{
    struct task *t = arg;

    process_free(t->process);
    t->process = NULL;
    attempt_over(t, x);
}

static void on_start_failed(evutil_socket_t fd, short what, void *arg)
{
    static const struct process_exit failed = {.code = START_FAILED_EXIT};

    (void)fd;
    (void)what;
    attempt_over(arg, &failed);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct task *t = arg;

    (void)fd;
    (void)what;
    t->timed_out = true;
    process_end(t->process, t->step->grace_ms);
}

static void step_environment(const struct task *t, struct environment *env)
{
    char attempt[24];

    environment_init(env, t->host->environment->vars);
    for (size_t i = 0; i < t->step->nenv; i++)
        environment_set(env, t->step->env[i].name, t->step->env[i].value);
    snprintf(attempt, sizeof attempt, "%lld", (long long)t->attempt);
    environment_set(env, "RIVERS_STEP", t->step->name);
    environment_set(env, "RIVERS_STEP_ATTEMPT", attempt);
}

static void attempt_start(struct task *t)
{
    struct environment env;
    struct err e = {0};

    t->attempt++;
    t->tries++;
    t->timed_out = false;
    report(t, "StepStart", "Started", "-");
    step_environment(t, &env);
    struct process_options options = {
        .argv = t->step->argv,
        .envp = env.vars,
        .cwd = t->step->cwd,
        .apart = PROCESS_GROUP,
        .die_with_parent = true,
        .on_output = on_output,
        .on_exit = on_exit_,
        .arg = t,
    };
    t->process = process_start(t->host->reaper, &options, &e);
    environment_release(&env);
    if (!t->process) {
        on_output(t, e.msg, strlen(e.msg));
        on_output(t, "\n", 1);
        event_active(t->failed, 0, 0);
    } else if (t->step->timeout_ms > 0) {
        timer_set(t->timeout, t->step->timeout_ms);
    }
}

static void on_backoff_over(evutil_socket_t fd, short what, void *arg)
{
    struct task *t = arg;

    (void)fd;
    (void)what;
    if (!t->ended) {
        attempt_start(t);
        return;
    }
    report(t, "StepCanceled", "Canceled", t->how);
    done(t, TASK_CANCELED);
}

struct task *task_start(const struct task_host *host, const struct step *step, size_t index,
                        int64_t attempts_before)
{
    struct task *t = xcalloc(1, sizeof *t);
    struct event_base *base = reaper_base_get(host->reaper);

    t->host = host;
    t->step = step;
    t->index = index;
    t->attempt = attempts_before;
    t->timeout = evtimer_new(base, on_timeout, t);
    t->backoff = evtimer_new(base, on_backoff_over, t);
    t->flush = evtimer_new(base, on_flush_time, t);
    t->failed = evtimer_new(base, on_start_failed, t);
    t->window = xcalloc(1, sizeof *t->window);
    t->window->task = t;
    attempt_start(t);
    return t;
}

void task_free(struct task *t)
{
    if (!t)
        return;
    if (t->process)
        process_free(t->process);
    event_free(t->timeout);
    event_free(t->backoff);
    event_free(t->flush);
    event_free(t->failed);
    tail_release(&t->tail);
    if (t->window->calls == 0)
        free(t->window);
    else
        t->window->task = NULL;
    free(t);
}

void task_end(struct task *t, int64_t grace_ms)
{
    t->ended = true;
    if (t->process)
        process_end(t->process, grace_ms);
    else if (evtimer_pending(t->backoff, NULL))
        timer_set(t->backoff, 0);
}

void task_signal(struct task *t, int sig)
{
    if (t->process)
        process_signal(t->process, sig);
}
