/* queue_sim: plays seeded random operations on the run queue, on a frozen clock: every answer is compared
 * with that of the reference, and after every call all invariants are looked at (invariants.lua). */
#ifndef RIVERS_TESTS_QUEUE_SIM_H
#define RIVERS_TESTS_QUEUE_SIM_H

#include <stddef.h>

#define SIM_VALUES 48

struct sim_profile {
    const char *name;
    int values;       /* tag values of each of the three keys, 3 to SIM_VALUES */
    size_t limits;    /* tag limits set at the start */
    size_t queued;    /* runs in the queue, about */
    const char *most; /* max_concurrent_runs at the start, and often later on */
    int pace; /* 1: some 200 ms between operations, so that leases end often; 20: a twentieth of that */
    int seeds;
    size_t steps; /* of each seed */
};

/* The main function of a test binary: one cmocka test for each profile, against a server of their own. The
 * environment: RIVERS_MODEL_SEED plays that one seed of each profile, RIVERS_MODEL_STEPS sets the steps of a
 * seed. A test that fails prints its seed and the last operations. */
int sim_main(const struct sim_profile *profiles, size_t count);

#endif
