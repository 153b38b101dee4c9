/* lua: runs the embedded scripts against a private server, with answers as text, so that tests read like tables. */
#ifndef RIVERS_TESTS_LUA_H
#define RIVERS_TESTS_LUA_H

#include <stddef.h>

#include "scripts.h"
#include "support/redis_server.h"

struct redisContext;
struct redisReply;

struct lua {
    struct redisContext *redis;
    char prefix[64]; /* rivers:{test}: */
};

/* Connects and loads all scripts; ends the test binary with a message when that fails. */
void lua_open(struct lua *l, const struct redis_server *server);
void lua_close(struct lua *l);
void lua_flush(struct lua *l); /* FLUSHALL, the scripts stay loaded */

/* Runs a script with ARGV as a NULL-terminated list of strings. The answer as one line: array elements joined by blanks,
 * nested arrays in [], nil as (nil), errors as ERR:...; an empty string as ''. Valid until the next call of the same
 * function family (a ring of 8 buffers). */
const char *lua_run(struct lua *l, enum script_id script, ... /* const char *, NULL */)
    __attribute__((sentinel));

/* The same with an argument vector, the reply itself; freed by the caller with freeReplyObject. */
struct redisReply *lua_call(struct lua *l, enum script_id script, size_t argc, const char *const *argv);

/* A plain command; `%s` and `%d` work as in redisCommand, and "@" as the first character of an argument word stands for
 * the prefix: lua_cmd(l, "ZRANGE @queue 0 -1"). Answer as text, as above. */
const char *lua_cmd(struct lua *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* All slices of doctor/audit: the first that finds what it could mend, as text; "" when all is well. */
const char *lua_audit(struct lua *l);

/* Takes a reply and gives it as text, as above. */
const char *lua_text(struct redisReply *r);

#endif
