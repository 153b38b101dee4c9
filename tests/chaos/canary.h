/* canary: by how much timers of this host come late, as nothing that rivers does can help. */
#ifndef RIVERS_TESTS_CHAOS_CANARY_H
#define RIVERS_TESTS_CHAOS_CANARY_H

/* Writes `late <wall ms> <ms>` to the file whenever a timer was as late as none before. */
void canary_start(int history);

#endif
