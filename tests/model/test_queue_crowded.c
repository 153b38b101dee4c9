/* The run queue against a naive scan, when nearly everything waits for a limit. */
#include "support/queue_sim.h"

static const struct sim_profile profiles[] = {
    {.name = "crowded",
     .values = 3,
     .limits = 8,
     .queued = 8,
     .most = "3",
     .pace = 2,
     .seeds = 45,
     .steps = 2000},
};

int main(void)
{
    return sim_main(profiles, sizeof profiles / sizeof *profiles);
}
