/* strays: children of this process that nobody looks after, found in /proc. */
#ifndef RIVERS_BASE_STRAYS_H
#define RIVERS_BASE_STRAYS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { STRAYS_MAX_MS = 2000, STRAYS_PAUSE_MS = 2 }; /* how long to try again, and how often */

/* One pass: kills the children that are not spared, and reaps those that are dead already. Returns how many there were; what
 * they leave behind comes after them, so again, until there is none. -1: e. */
__attribute__((warn_unused_result)) int strays_kill(bool (*is_spared)(void *arg, pid_t pid), void *arg,
                                                    struct err *e);

#endif
