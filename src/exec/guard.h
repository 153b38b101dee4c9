/*
 * guard: the process above executors that outlives them, so that nothing of a run does. When an executor dies, its orphans come
 * to the guard, which kills them; when it stands still until its lease is about to end, the guard kills it first.
 *
 *   dequeuer ──orders──> guard ─┬─ executor ── steps
 *            <──words───        └─ executor ── steps
 *
 * A guard forks an executor for each launch that is ordered on a socket, and says there how it ended: nothing is loaded and
 * linked for a run. One is forked ahead, and waits for its order: a launch need not wait for a fork. Without orders the guard
 * forks one, which may also be another holder of a lease, and ends as that ended. It passes signals on, but those of a terminal,
 * which reach both. When it is killed itself, its executors get SIGTERM; when its dequeuer is gone it stays until they have ended.
 */
#ifndef RIVERS_EXEC_GUARD_H
#define RIVERS_EXEC_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "exec/seats.h"

#define GUARD_TERMINATE_MS 30000 /* for an executor to end its steps, from GUARD_TERMINATE to SIGKILL */

/* As the operand of `rivers execute`: orders come on the socket that is its stdin. An executor shows its run in its place; both
 * have the same length. */
#define GUARD_ORDERS "orders-from-stdin"

/* What is sent over the socket (AF_UNIX, SOCK_SEQPACKET), one in a message. The first message is that of seats_new. */
struct guard_order {
    enum guard_what { GUARD_LAUNCH, GUARD_TERMINATE } what;
    int64_t token;
    int64_t lease_ms; /* for the run; 0: the settings say */
    char run[64];
};

struct guard_word {
    enum guard_said { GUARD_LAUNCHED = 1, GUARD_FAILED, GUARD_ENDED } what;
    int64_t token; /* of the order */
    int code;      /* errno; exit code or signal */
    bool signaled;
};

/* Returns in an executor, with its seat and the order that it is for; the caller's process is the guard and never returns. orders
 * -1: the only order is the one that is given. NULL and e when there can be no guard, or not this one executor. Before anything
 * that does not outlive a fork: an event base, a connection. */
struct seat *guard_fork(int orders, struct guard_order *order, struct err *e);

/* What the names of the control groups of this guard's executors begin with, where it may make some; owned by the caller. */
char *guard_groups(pid_t guard);

#endif
