/* The run queue against a naive scan, with few runs and tags: every order of events comes up soon. */
#include "support/queue_sim.h"

static const struct sim_profile profiles[] = {
    {.name = "few runs",
     .values = 3,
     .limits = 4,
     .queued = 8,
     .most = "10",
     .pace = 1,
     .seeds = 50,
     .steps = 2000},
};

int main(void)
{
    return sim_main(profiles, sizeof profiles / sizeof *profiles);
}
