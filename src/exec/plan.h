/* plan: which steps of a run may start, and what the run comes to when nothing is left to do. Pure: no clock,
 * no process. */
#ifndef RIVERS_EXEC_PLAN_H
#define RIVERS_EXEC_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/run.h"
#include "core/spec.h"

enum task_state {
    TASK_PENDING, /* waits for what it needs, or for a place under max_concurrent_steps */
    TASK_ACTIVE,  /* claims, runs, or waits to be tried again */
    TASK_SUCCESS,
    TASK_FAILURE,
    TASK_SKIPPED,  /* something it needs did not succeed, or the run failed or was canceled before its turn */
    TASK_CANCELED, /* was active when the run was canceled */
};

struct plan {
    const struct spec *spec;
    enum task_state *states; /* spec->nsteps of them */
    size_t most_active;      /* max_concurrent_steps, > 0 */
    bool ending;             /* the run is being canceled or given up: nothing starts any more */
};

/* elsewhere: steps run on other machines, and wait for room there. Where the run does not say how many may be active, these are
 * enough to keep a cluster busy, and few enough for one executor to follow and one quota to bear. */
#define PLAN_MOST_ELSEWHERE 100
void plan_init(struct plan *p, const struct spec *spec, bool elsewhere);
void plan_release(struct plan *p);

/* The next step to start, or (size_t)-1. Its caller sets it to TASK_ACTIVE. */
size_t plan_next(const struct plan *p);

/* A pending step that will never run, or (size_t)-1. Its caller sets it to TASK_SKIPPED. */
size_t plan_dead(const struct plan *p);

bool plan_is_over(const struct plan *p); /* nothing pending, nothing active */

/* The step whose failure fails the run, or (size_t)-1. */
size_t plan_failed(const struct plan *p);

#endif
