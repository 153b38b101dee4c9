/*
 * guard: the process above an executor that outlives it, so that nothing of a run does. When the executor dies, its orphans
 * come to the guard, which kills them; when it stands still until its lease is about to end, the guard kills it first.
 *
 *   dequeuer ── guard ── executor ── steps
 *
 * The guard passes signals on and ends as the executor ended. When it is killed itself, the executor gets SIGTERM.
 */
#ifndef RIVERS_EXEC_GUARD_H
#define RIVERS_EXEC_GUARD_H

#include <stdint.h>

#include "base/err.h"

struct guard;

/* Forks: returns in the child, which becomes the executor; the caller's process is the guard and never returns. NULL and e
 * when there can be none. Before anything that does not outlive a fork: an event base, a connection. */
struct guard *guard_fork(struct err *e);

/* The executor has to be over, or to have said a later time, by then (clock_mono_ms); 0: no time. g may be NULL. */
void guard_until(struct guard *g, int64_t at);

#endif
