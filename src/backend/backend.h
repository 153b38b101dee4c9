/* backend: where admitted runs execute. Each type fills one struct backend_type; the dequeuer knows nothing
 * else of it. */
#ifndef RIVERS_BACKEND_BACKEND_H
#define RIVERS_BACKEND_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct backend;
struct event_base;
struct reaper;

/* An executor to be started: `rivers execute <run>` with its token. Launching the same again must not run it
 * twice: the token sees to that, whatever the type does. */
struct launch {
    const char *run;
    int64_t token, attempt;
};

struct backend_events {
    /* Once for each launch, perhaps before backend->launch has returned; why NULL: the executor is on its
     * way. */
    void (*on_launched)(void *arg, const struct launch *l, const struct err *why);
    /* The executor of a launched run ended; how NULL: it said that nothing is left to do. */
    void (*on_ended)(void *arg, const struct launch *l, const char *how);
    void *arg;
};

/* What every type is given; borrowed. */
struct backend_host {
    struct event_base *base;
    struct reaper *reaper;
    const char *redis_url, *namespace; /* for the executors */
    struct backend_events events;
};

struct backend_type {
    const char *name; /* run_backend.type */
    /* config: the run_backend document. NULL and e when it cannot work. */
    struct backend *(*open)(const struct backend_host *host, const char *config, struct err *e);
    void (*launch)(struct backend *b, const struct launch *l);
    /* How many launched executors have not ended, as far as this process launched them. */
    size_t (*live)(const struct backend *b);
    /* Executors go on; no further event. */
    void (*close)(struct backend *b);
};

extern const struct backend_type backend_local;

/* The type that the run_backend document names, or NULL and e. */
const struct backend_type *backend_type_of(const char *config, struct err *e);

#endif
