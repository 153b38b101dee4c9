/* worker_process: attempts as processes of the executor, each in a group of its own. */
#include "exec/worker.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/process.h"

struct worker {
    struct process *process;
    struct worker_events events;
};

static void on_output(void *arg, const char *bytes, size_t n)
{
    struct worker *w = arg;

    w->events.on_output(w->events.arg, bytes, n);
}

static void on_exit_(void *arg, const struct process_exit *x)
{
    struct worker *w = arg;

    w->events.on_exit(w->events.arg,
                      &(struct ending){x->signaled ? ENDING_SIGNAL : ENDING_EXIT, x->code, NULL});
}

static struct worker *start(void *place, const struct worker_order *order, const struct worker_events *events,
                            struct err *e)
{
    struct worker *w = xcalloc(1, sizeof *w);
    struct process_options options = {
        .argv = order->step->argv,
        .envp = order->vars,
        .cwd = order->step->cwd,
        .apart = PROCESS_GROUP,
        .die_with_parent = true,
        .on_output = on_output,
        .on_exit = on_exit_,
        .arg = w,
    };

    w->events = *events;
    w->process = process_start(place, &options, e);
    if (!w->process) {
        free(w);
        return NULL;
    }
    events->on_running(events->arg);
    return w;
}

static void end(struct worker *w, int64_t grace_ms)
{
    process_end(w->process, grace_ms);
}

static void forward(struct worker *w, int sig)
{
    process_signal(w->process, sig);
}

static void worker_free(struct worker *w)
{
    process_free(w->process);
    free(w);
}

const struct worker_type worker_process = {true, start, end, forward, worker_free};
