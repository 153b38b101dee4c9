/*
 * store: one namespace on one Redis: its key prefix, and calls of the scripts that decide about it.
 *
 * A call is built, then sent or waited for, which consumes it:
 *
 *     struct call *c = call_new(store, SCRIPT_RUN_CANCEL);
 *     call_str(c, id);
 *     call_int(c, grace_ms);
 *     struct reply *r = call_wait(c, 0, &e);
 *
 * The first argument of every script, the time, is left to the server. All scripts may be sent twice (see
 * client.h).
 */
#ifndef RIVERS_CORE_STORE_H
#define RIVERS_CORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "redis/client.h"

struct store;
struct call;

/* namespace: 1 to 63 of a-z A-Z 0-9 _ . -; redis is borrowed and must outlive the store. */
__attribute__((warn_unused_result)) int store_namespace_check(const char *namespace, struct err *e);
struct store *store_new(struct redis *redis, const char *namespace);
void store_free(struct store *s);

struct redis *store_redis_get(const struct store *s);
const char *store_namespace_get(const struct store *s);

/* "rivers:{namespace}:<name><rest>" in buf; for the few plain commands (BLPOP, GETRANGE). */
char *store_key(const struct store *s, char *buf, size_t size, const char *name, const char *rest);

struct call *call_new(struct store *s, enum script_id script);
void call_str(struct call *c, const char *arg); /* NULL counts as "" */
void call_bytes(struct call *c, const void *arg, size_t len);
void call_int(struct call *c, int64_t arg);

/* An argument `<client>:<seq>` under which a script remembers its answer (lua/lib/requests.lua). */
void call_request(struct call *c);

/* deadline_ms 0: 10 s. A namespace of another data layout ends in ERR_REFUSED. */
void call_send(struct call *c, int64_t deadline_ms, redis_reply_fn *on_reply, void *arg);
struct reply *call_wait(struct call *c, int64_t deadline_ms,
                        struct err *e); /* owned by the caller; NULL: e */

#endif
