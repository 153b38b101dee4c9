/*
 * config: rivers.json as rows of Redis hashes. A configuration file becomes items (hash, field, value), the
 * same that an operator sets with `redis-cli HSET rivers:{default}:<hash> <field> <value>`:
 *
 *   config       max_concurrent_runs 10 | dequeue_interval 250ms | start_timeout 180s | run_lease 30s |
 *                max_queued_runs -1 | retention 7d | retention_runs 100000 | audit_interval 10m |
 *                run_backend {"type":"local"}
 *   tag_limits   env=prod 3 | team 5 | team=* 2
 *   pool_limits  warehouse 8
 *   jobs         nightly {"steps":[...]}
 *
 *   {"run_queue": {"max_concurrent_runs": 10, "dequeue_interval": "250ms", "start_timeout": "180s",
 *                  "run_lease": "30s", "max_queued_runs": -1,
 *                  "tag_concurrency_limits": [{"key": "env", "limit": 3, "value": "prod"},
 *                                             {"key": "team", "limit": 2, "per_unique_value": true}]},
 *    "run_backend": {"type": "local"}, "retention": "7d", "retention_runs": 100000,
 *    "pool_limits": {"warehouse": 8}, "jobs": {"nightly": {"steps": [...]}}}
 *
 * Every part is optional, comments are allowed.
 */
#ifndef RIVERS_CORE_CONFIG_H
#define RIVERS_CORE_CONFIG_H

#include <stddef.h>

#include "base/err.h"
#include "core/settings.h"

struct config_item {
    char *hash, *field, *value;
};

struct config {
    struct config_item *items; /* in the order above; settings with a default are always there */
    size_t n;
};

/* e names the place: `run_queue.tag_concurrency_limits[1].limit: must be a whole number ≥ 0`; config_load
 * puts the file before it. Nothing to release after a failure. */
__attribute__((warn_unused_result)) int config_parse(struct config *c, const char *text, size_t len,
                                                     struct err *e);
__attribute__((warn_unused_result)) int config_load(struct config *c, const char *file, struct err *e);
void config_release(struct config *c);

/* Tells of each pool that a step of a job names and pool_limits, where it has any, does not: nothing is wrong with that (the pool
 * is made when it is claimed, unlimited), but it may be misspelled. */
void config_stray_pools(const struct config *c,
                        void (*on_stray)(void *arg, const char *job, const char *step, const char *pool),
                        void *arg);

#endif
