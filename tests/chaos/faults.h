/* faults: what fails, drawn by the seed: each begins, lasts and ends; the same one does not come twice at once. */
#ifndef RIVERS_TESTS_CHAOS_FAULTS_H
#define RIVERS_TESTS_CHAOS_FAULTS_H

#include "chaos/chaos.h"

#define FAULTS_MAX 32

struct fault {
    int64_t begun_at, until; /* 0: is not there */
    pid_t pid;
    int which; /* proxy or node */
};

/* Whether one of the wanted faults exists where rivers works. */
bool some_are_wanted(const struct chaos *c);

void begin_fault(struct chaos *c, struct fault faults[FAULTS_MAX]);

/* Returns whether some are left. */
bool end_faults(struct chaos *c, struct fault faults[FAULTS_MAX], int64_t now);

/* Notes what may be lost when another master is seen. To be called often. */
void watch_master(struct chaos *c);

#endif
