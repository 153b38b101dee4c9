/* The run queue against a naive scan, with so many runs, lanes and limits that the bounds of a call are
 * reached. */
#include "support/queue_sim.h"

static const struct sim_profile profiles[] = {
    {.name = "more runs",
     .values = 3,
     .limits = 6,
     .queued = 50,
     .most = "25",
     .pace = 1,
     .seeds = 5,
     .steps = 1500},
    {.name = "many lanes",
     .values = 20,
     .limits = 110,
     .queued = 300,
     .most = "100",
     .pace = 2,
     .seeds = 1,
     .steps = 2000},
    {.name = "many in progress",
     .values = 40,
     .limits = 8,
     .queued = 200,
     .most = "-1",
     .pace = 40,
     .seeds = 1,
     .steps = 2000},
    {.name = "many limits",
     .values = 40,
     .limits = 90,
     .queued = 40,
     .most = "30",
     .pace = 1,
     .seeds = 4,
     .steps = 1000},
};

int main(void)
{
    return sim_main(profiles, sizeof profiles / sizeof *profiles);
}
