/*
 * task: one step of a run while its executor works on it: attempts one after the other, each a process whose
 * output goes to the step's log, until one succeeds or no further try is allowed.
 *
 *            start                exit 0
 *   (new) ────────> RUNNING ───────────────────────────────────────────────> on_done(TASK_SUCCESS)
 *                    ^  │ exit != 0, signal, timeout, not to be run   no retry left ──> on_done(TASK_FAILURE)
 *                    │  └────────────────────────────────────> BACKOFF
 *                    └───────────── backoff over ─────────────────┘ task_end ──> on_done(TASK_CANCELED)
 */
#ifndef RIVERS_EXEC_TASK_H
#define RIVERS_EXEC_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/execution.h"
#include "core/spec.h"
#include "base/environment.h"
#include "exec/plan.h"

struct task;
struct reaper;

/* What all tasks of a run share; borrowed. */
struct task_host {
    struct store *store;
    struct reaper *reaper;
    const struct execution *x;
    const struct environment *environment; /* the run's */
    void (*on_report)(void *arg,
                      const struct step_report *report); /* each transition, in order; strings for the call */
    void (*on_done)(void *arg, size_t index, enum task_state state,
                    const char *how); /* once; task_free is allowed */
    void *arg;
};

/* Starts the first attempt (numbered after the attempts that were made before). on_done never runs before
 * this returns. */
struct task *task_start(const struct task_host *host, const struct step *step, size_t index,
                        int64_t attempts_before);
void task_free(struct task *t); /* kills what runs; no further callback */

void task_end(struct task *t, int64_t grace_ms); /* cancel: SIGTERM, grace, SIGKILL; 0: SIGKILL at once */
void task_signal(struct task *t, int sig);       /* forwards a signal to the step's process group */

#endif
