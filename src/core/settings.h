/* settings: what the processes of a namespace decide by, read again and again from its `config` hash. */
#ifndef RIVERS_CORE_SETTINGS_H
#define RIVERS_CORE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SETTINGS_INTERVAL_MIN_MS 10
#define SETTINGS_LEASE_MIN_MS    1000

struct reply;
struct store;

struct settings {
    int64_t dequeue_interval_ms; /* at least SETTINGS_INTERVAL_MIN_MS, also when 0 was set */
    int64_t start_timeout_ms;
    int64_t run_lease_ms; /* at least SETTINGS_LEASE_MIN_MS: less is refused */
    int64_t retention_ms;
    int64_t retention_runs;
    int64_t audit_interval_ms; /* 0: never */
    char *run_backend;         /* JSON */
};

void settings_init(struct settings *s); /* the defaults */
void settings_release(struct settings *s);

/* Takes over every readable value of a HGETALL reply of the `config` hash (field, value, ...); an unreadable
 * one keeps what s had and is told to on_fault, which may be NULL (operators type these by hand). */
void settings_update(struct settings *s, const struct reply *hgetall,
                     void (*on_fault)(void *arg, const struct err *e), void *arg);

/* The defaults, with what the namespace says otherwise; -1 and e without an answer, when s has the defaults, and when the
 * run_backend that is set cannot be read, of which s has the default: that would launch runs where nobody wants them. */
__attribute__((warn_unused_result)) int settings_load(struct settings *s, struct store *store,
                                                      int64_t deadline_ms,
                                                      void (*on_fault)(void *arg, const struct err *e),
                                                      void *arg, struct err *e);

/* The i-th field of the hash and its default, with those that only scripts read; NULL past the last. */
const char *settings_name_get(size_t i);
const char *settings_default_get(size_t i);

/* Whether settings_update would take this value. */
__attribute__((warn_unused_result)) int settings_check(const char *name, const char *value, struct err *e);

#endif
