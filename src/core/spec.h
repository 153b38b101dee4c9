/*
 * spec: what a submission says, read from its JSON and checked whole before anything reaches the server.
 *
 * A job in the configuration has the same shape. What scripts decide by (job, tags, priority, key, delay,
 * on_lost, max_attempts) is stored in fields of the run's record; the rest (steps, env, max_concurrent_steps,
 * executor) is stored beside it as the JSON that spec_print writes, and read again by the executor.
 *
 *   {"job": "nightly", "tags": {"team": "growth"}, "priority": 5, "key": "nightly-23", "delay": "10m",
 *    "on_lost": "fail" | "requeue", "max_attempts": 3,
 *    "max_concurrent_steps": 4, "executor": "in_process", "env": {"DAY": "2026-11-23"},
 *    "steps": [{"name": "extract", "command": ["sh", "-c", "..."] | "...", "needs": ["a"], "env": {},
 *               "cwd": "/tmp", "image": "python:3", "resources": {"cpu": "2", "memory": "4Gi", "gpu": 1},
 *               "timeout": "10m", "grace": "10s", "continue_on_failure": false,
 *               "retries": {"max": 3, "backoff": "1s", "factor": 2, "max_backoff": "1m",
 *                           "on": ["exit" | 1, "timeout", "lost", ...]},
 *               "pool": "db" | ["db", "api"], "pool_slots": 2 | {"db": 2},
 *               "pools": {"db": 2, "api": 1}, "claim_timeout": "10m"}]}
 */
#ifndef RIVERS_CORE_SPEC_H
#define RIVERS_CORE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "core/env.h"
#include "core/step.h"
#include "core/tag.h"

#define SPEC_BYTES_MAX (1 << 20) /* of a whole submission */
#define SPEC_STEPS_MAX 1000
#define SPEC_KEY_BYTES 255 /* of an idempotency key */

struct spec {
    char *job; /* NULL: none */
    struct tag *tags;
    size_t ntags;
    int64_t priority;             /* int32 range */
    char *key;                    /* NULL: none */
    int64_t delay_ms;             /* 0: none */
    bool requeue_lost;            /* on_lost: "requeue" */
    int64_t max_attempts;         /* of the run when its executor is lost; 3 */
    int64_t max_concurrent_steps; /* 0: number of cores, or see exec/plan.h */
    bool in_process;              /* executor: "in_process", no worker pods */
    struct env_var *env;
    size_t nenv;
    struct step *steps;
    size_t nsteps;
};

void spec_init(struct spec *s);    /* the defaults, no steps */
void spec_release(struct spec *s); /* s may be zeroed */

/* Reads and checks a document into an uninitialised s; after a failure s is empty. The needs of the steps:
 * see core/graph.h. `at` is the place inside a larger document, or NULL. */
__attribute__((warn_unused_result)) int spec_read(struct spec *s, const struct cJSON *v,
                                                  const struct json_path *at, struct err *e);
__attribute__((warn_unused_result)) int spec_parse(struct spec *s, const char *text, size_t len,
                                                   struct err *e);

/* Sets or replaces; used by `submit --tag`. rivers/priority sets the priority as well. */
__attribute__((warn_unused_result)) int spec_tag_set(struct spec *s, const char *key, const char *value,
                                                     struct err *e);
__attribute__((warn_unused_result)) int spec_env_set(struct spec *s, const char *name, const char *value,
                                                     struct err *e);

/* Makes it a run of one step (named "main") from a command line. */
void spec_command_set(struct spec *s, char *const *argv);

/* The stored part (steps, env, max_concurrent_steps, executor), defaults left out; owned by the caller. spec_parse
 * reads it again. */
char *spec_print(const struct spec *s);

/* The whole document, as spec_parse reads it; owned by the caller. */
char *spec_print_whole(const struct spec *s);

#endif
