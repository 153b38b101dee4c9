/*
 * client: one connection to a Redis server on the event loop: hiredis writes and reads the protocol, a
 * libevent bufferevent carries it. Requests queue while the connection is down and go out, in order, once it
 * is up.
 *
 *            connect             +PONG/OK of the hello (AUTH, SELECT, CLIENT SETNAME)
 *   DOWN ──────────────> HELLO ─────────────────────────────────────────────────> READY
 *    ^  back-off (full jitter, 100 ms to 10 s; the name is resolved anew,           │
 *    │            sentinels are asked anew)                                         │
 *    └───────────── eof, error, hello refused, another server has the data ─────────┘
 *
 * Every request has a deadline and ends exactly once, in its callback, never before the call that started it
 * has returned. A request whose connection broke after it left is sent again when it is REDIS_RESEND (scripts
 * are idempotent by their arguments), otherwise it ends with ERR_UNKNOWN.
 */
#ifndef RIVERS_REDIS_CLIENT_H
#define RIVERS_REDIS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "redis/reply.h"
#include "redis/url.h"
#include "scripts.h"

struct event_base;
struct redis;

/* reply is NULL exactly when e->code is not ERR_NONE. An error reply of the server is ERR_SERVER with its
 * text. Both are borrowed for the time of the call. */
typedef void redis_reply_fn(void *arg, const struct reply *reply, const struct err *e);

enum redis_flags {
    REDIS_RESEND = 1,    /* may be sent twice: a lost connection does not end it, only its deadline does */
    REDIS_IMPATIENT = 2, /* ends when an attempt to connect fails, rather than wait for the next one */
};

/* name: CLIENT SETNAME, shown by CLIENT LIST; may be NULL. Starts to connect at once. url is copied. The process
 * ignores SIGPIPE. */
struct redis *redis_new(struct event_base *base, const struct redis_url *url, const char *name);

/* Pending requests end with ERR_UNAVAILABLE or ERR_UNKNOWN (their callbacks run before this returns, and send
 * nothing), then all is freed. Not to be called from a callback of r. */
void redis_free(struct redis *r);

struct event_base *redis_base_get(const struct redis *r);
const struct redis_url *redis_url_get(const struct redis *r);
bool redis_is_ready(const struct redis *r);
const char *redis_why_get(const struct redis *r); /* why it is not ready: the last failure, or "" */

/* on_change runs after each change between ready and not ready. */
void redis_on_change(struct redis *r, void (*on_change)(void *arg, bool ready), void *arg);

/* From now on waits at most ms between two tries to connect, and gives a try up after ms: for who holds a lease. Only the
 * shortest that was asked for counts. */
void redis_retry_within(struct redis *r, int64_t ms);

/* A command as an argv. lens may be NULL when all arguments are C strings. deadline_ms from now; 0: 10 s. */
void redis_send(struct redis *r, int flags, int64_t deadline_ms, int argc, const char *const *argv,
                const size_t *lens, redis_reply_fn *on_reply, void *arg);

/* EVALSHA of an embedded script with the one key `key`; on NOSCRIPT it is loaded and sent once more. */
void redis_script(struct redis *r, int64_t deadline_ms, enum script_id script, const char *key, int argc,
                  const char *const *argv, const size_t *lens, redis_reply_fn *on_reply, void *arg);

/* The same two for code that has nothing else to do: run the loop until the reply is there. The reply is
 * owned by the caller (reply_free); NULL with *e filled otherwise. Not to be called from a callback. */
struct reply *redis_send_wait(struct redis *r, int64_t deadline_ms, int argc, const char *const *argv,
                              const size_t *lens, struct err *e);
struct reply *redis_script_wait(struct redis *r, int64_t deadline_ms, enum script_id script, const char *key,
                                int argc, const char *const *argv, const size_t *lens, struct err *e);

#endif
