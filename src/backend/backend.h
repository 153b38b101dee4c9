/* backend: where admitted runs execute. Each type fills one struct backend_type; the dequeuer knows nothing
 * else of it.
 *
 *               on_launched, why: it cannot be launched
 *             ┌────────────────────────────────────────────> over
 *   launch ───┤                 observe: on_waiting
 *             └─ on_launched ──┬─────────────────────┐
 *   recover ──── on_found ─────┘                     └─ on_ended ──> over       terminate, at any time: over
 */
#ifndef RIVERS_BACKEND_BACKEND_H
#define RIVERS_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct access_options;
struct backend;
struct check;
struct event_base;
struct reaper;
struct settings;
struct store;

/* An executor to be started: `rivers execute <run>` with its token. Launching the same again must not run it
 * twice: the token sees to that, whatever the type does. */
struct launch {
    const char *run;
    int64_t token, attempt;
};

/* The launch is borrowed for the time of the call. */
struct backend_events {
    /* Once for each launch, perhaps before backend->launch has returned; why NULL: the executor is on its
     * way. */
    void (*on_launched)(void *arg, const struct launch *l, const struct err *why);
    /* What the executor waits for before it can start; "": nothing any more. */
    void (*on_waiting)(void *arg, const struct launch *l, const char *for_what);
    /* The executor of a launched run ended, or (not begun) will not come; how NULL: it said that nothing is left to do. */
    void (*on_ended)(void *arg, const struct launch *l, bool began, const char *how);
    /* The executor of a launched run is gone, and what it left is being ended: about every second until on_ended, as nobody
     * else renews the leases of the run and of its slots. */
    void (*on_ending)(void *arg, const struct launch *l);
    /* An executor that another dequeuer launched, or this one in an earlier life, and that has not ended. */
    void (*on_found)(void *arg, const struct launch *l);
    void *arg;
};

/* What every type is given; borrowed. */
struct backend_host {
    struct event_base *base;
    struct reaper *reaper;
    struct store *store;
    const struct access_options *access; /* to Kubernetes */
    const char *redis_url, *namespace;   /* for the executors */
    const char *installation;        /* a name of the data on this server; "" for a type without recover */
    const struct settings *settings; /* change while the dequeuer lives */
    struct backend_events events;
};

struct backend_type {
    const char *name; /* run_backend.type */
    /* config: the run_backend document. NULL and e when it cannot work. */
    struct backend *(*open)(const struct backend_host *host, const char *config, struct err *e);
    void (*launch)(struct backend *b, const struct launch *l);
    /* Asked again and again for a launched executor that has not started its run: on_waiting or on_ended answer
     * now, later, or not at all when nothing is known. */
    void (*observe)(struct backend *b, const struct launch *l);
    int64_t observe_ms; /* how often, at most; about every second when 0 */
    /* Nobody wants this executor any more: the run was canceled or given up, or has another token. It is ended
     * wherever it is on its way; an event that still follows changes nothing. Also for what is not known here. */
    void (*terminate)(struct backend *b, const struct launch *l);
    /* Called once, before the first launch: reports what can be found by on_found, then and whenever there is
     * more. NULL: nothing can be found, the leases of runs decide what becomes of them. */
    void (*recover)(struct backend *b);
    /* How many launched executors have not ended, as far as this process would have to stay for them. */
    size_t (*live)(const struct backend *b);
    /* Tells whether all is there that the type needs, as far as it can be seen from here, and waits for the answers. Of the
     * host only base, reaper and access are given. */
    void (*check)(const struct backend_host *host, const char *config, struct check *c);
    /* Executors go on; no further event. */
    void (*close)(struct backend *b);
};

extern const struct backend_type backend_local;
extern const struct backend_type backend_command;
extern const struct backend_type backend_kubernetes;

/* The type that the run_backend document names, or NULL and e. */
const struct backend_type *backend_type_of(const char *config, struct err *e);

#endif
