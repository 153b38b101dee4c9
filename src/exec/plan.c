#include "exec/plan.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define NONE ((size_t)-1)

/* The cores that we may use: less to ask for than those that the machine has. More than fit into a set: all. */
static size_t most_here(void)
{
    cpu_set_t set;
    bool fits = sched_getaffinity(0, sizeof set, &set) == 0;
    long cores = fits ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);

    return cores > 0 ? (size_t)cores : 1;
}

void plan_init(struct plan *p, const struct spec *spec, bool elsewhere)
{
    *p = (struct plan){.spec = spec, .states = xcalloc(spec->nsteps, sizeof *p->states)};
    p->most_active = spec->max_concurrent_steps > 0 ? (size_t)spec->max_concurrent_steps
                     : elsewhere                    ? PLAN_MOST_ELSEWHERE
                                                    : most_here();
}

void plan_release(struct plan *p)
{
    free(p->states);
    *p = (struct plan){0};
}

static size_t count(const struct plan *p, enum task_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < p->spec->nsteps; i++)
        n += p->states[i] == state;
    return n;
}

static bool is_satisfied(const struct plan *p, size_t step)
{
    return p->states[step] == TASK_SUCCESS ||
           (p->states[step] == TASK_FAILURE && p->spec->steps[step].continue_on_failure);
}

static bool all_needs(const struct plan *p, size_t step)
{
    const struct step *s = &p->spec->steps[step];

    for (size_t i = 0; i < s->nneeds; i++)
        if (!is_satisfied(p, s->needs[i]))
            return false;
    return true;
}

size_t plan_failed(const struct plan *p)
{
    for (size_t i = 0; i < p->spec->nsteps; i++)
        if (p->states[i] == TASK_FAILURE && !p->spec->steps[i].continue_on_failure)
            return i;
    return NONE;
}

size_t plan_next(const struct plan *p)
{
    if (p->ending || plan_failed(p) != NONE || count(p, TASK_ACTIVE) >= p->most_active)
        return NONE;
    for (size_t i = 0; i < p->spec->nsteps; i++)
        if (p->states[i] == TASK_PENDING && all_needs(p, i))
            return i;
    return NONE;
}

size_t plan_dead(const struct plan *p)
{
    if (!p->ending && plan_failed(p) == NONE)
        return NONE;
    for (size_t i = 0; i < p->spec->nsteps; i++)
        if (p->states[i] == TASK_PENDING)
            return i;
    return NONE;
}

bool plan_is_over(const struct plan *p)
{
    return count(p, TASK_PENDING) == 0 && count(p, TASK_ACTIVE) == 0;
}
