/*
 * dequeuer: the daemon that admits runs and launches them. It keeps nothing: any number may work on a
 * namespace, and any may end at any time.
 *
 *            bell, dequeue_interval over, or a run of ours ended
 *   WAITING ────────────────────────────────────────────────────> ADMITTING ──> launch each, look after it
 *      ^                                                              │
 *      └───── nothing more to admit, or our capacity is used up ──────┘
 *   SIGTERM: admits no more, leaves once every launch is confirmed (and, wait_for_runs, every run of ours has
 * ended); a second SIGTERM leaves at once.
 */
#ifndef RIVERS_DAEMON_DEQUEUER_H
#define RIVERS_DAEMON_DEQUEUER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/store.h"
#include "kube/access.h"

struct dequeuer_options {
    const char *id;        /* NULL: <host>-<pid> */
    int64_t capacity;      /* most runs of this id in progress; -1: unlimited */
    const char *redis_url; /* for the executors */
    const char *namespace;
    struct access_options access; /* to Kubernetes */
    const char *health_file;      /* see health.h; NULL: none */
    bool wait_for_runs;           /* drain: stay until the runs launched here have ended */
};

/* Runs until SIGTERM or SIGINT. Returns 0, or -1 and e when it cannot begin. */
int dequeuer_run(struct store *store, const struct dequeuer_options *options, struct err *e);

#endif
