/*
 * task: one step of a run while its executor works on it: attempts one after the other, each under the slots it claims and
 * with its output in the step's log, until one succeeds or no further try is allowed.
 *
 *          task_start       slots granted, or none asked      exit 0
 *   (new) ───────────> CLAIMING ───────────────────────> RUNNING ──────────────────────────> on_done(TASK_SUCCESS)
 *                         ^  │ never to be granted, timeout  │ any other end    no try left ──> on_done(TASK_FAILURE)
 *                         │  └────> on_done(TASK_FAILURE)    v
 *                         └───────── backoff over ───── BACKOFF (slots given back)
 *   task_end: from CLAIMING and BACKOFF at once, from RUNNING when nothing of it runs any more ──> on_done(TASK_CANCELED)
 */
#ifndef RIVERS_EXEC_TASK_H
#define RIVERS_EXEC_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/environment.h"
#include "core/execution.h"
#include "core/spec.h"
#include "exec/lease.h"
#include "exec/plan.h"
#include "exec/slots.h"
#include "exec/worker.h"

struct task;

/* What all tasks of a run share; borrowed. */
struct task_host {
    struct store *store;
    struct workers workers;
    struct slots *slots;
    const struct lease *lease; /* of the run: without it nothing is started any more */
    const struct execution *x;
    const struct environment *environment; /* the run's */
    bool echo;                             /* what steps write goes to our stdout as well */
    bool *output_refused;                  /* becomes true: see step_log_new */
    void (*on_report)(void *arg,
                      const struct step_report *report); /* each transition, in order; strings for the call */
    /* Once; why: for people, of a failure. task_free is allowed. */
    void (*on_done)(void *arg, size_t index, enum task_state state, const char *why);
    void *arg;
};

/* Begins the first attempt (numbered after the attempts that were made before). on_done never runs before this returns. */
struct task *task_start(const struct task_host *host, const struct step *step, size_t index,
                        int64_t attempts_before);
void task_free(struct task *t); /* kills what runs, gives slots back; no further callback */

void task_end(struct task *t, int64_t grace_ms); /* cancel: SIGTERM, grace, SIGKILL; 0: SIGKILL at once */
void task_signal(struct task *t, int sig);       /* forwards a signal to what runs */

#endif
