#include "support/lua.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define ARGS_MAX 512

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests/support/lua: %s: %s\n", what, why);
    exit(1);
}

void lua_open(struct lua *l, const struct redis_server *server)
{
    snprintf(l->prefix, sizeof l->prefix, "rivers:{test}:");
    l->redis = redisConnectUnix(server->url + strlen("unix://"));
    if (!l->redis || l->redis->err)
        die("connect", l->redis ? l->redis->errstr : "out of memory");
    for (int i = 0; i < SCRIPT_COUNT; i++) {
        redisReply *r = redisCommand(l->redis, "SCRIPT LOAD %b", scripts[i].body, scripts[i].len);
        if (!r || r->type == REDIS_REPLY_ERROR)
            die(scripts[i].name, r ? r->str : l->redis->errstr);
        if (strcmp(r->str, scripts[i].sha1) != 0)
            die(scripts[i].name, "the embedded SHA-1 is not that of its bytes");
        freeReplyObject(r);
    }
}

void lua_close(struct lua *l)
{
    redisFree(l->redis);
    l->redis = NULL;
}

void lua_flush(struct lua *l)
{
    freeReplyObject(redisCommand(l->redis, "FLUSHALL"));
}

struct redisReply *lua_call(struct lua *l, enum script_id script, size_t argc, const char *const *argv)
{
    const char *all[ARGS_MAX] = {"EVALSHA", scripts[script].sha1, "1", l->prefix};

    if (argc + 4 > ARGS_MAX)
        die(scripts[script].name, "too many arguments");
    memcpy(all + 4, argv, argc * sizeof *argv);
    redisReply *r = redisCommandArgv(l->redis, (int)argc + 4, all, NULL);
    if (!r)
        die(scripts[script].name, l->redis->errstr);
    return r;
}

static void print(struct text *t, const redisReply *r)
{
    switch (r->type) {
    case REDIS_REPLY_ARRAY:
        for (size_t i = 0; i < r->elements; i++) {
            const redisReply *child = r->element[i];
            text_add(t, i ? " " : "");
            text_add(t, child->type == REDIS_REPLY_ARRAY ? "[" : "");
            print(t, child);
            text_add(t, child->type == REDIS_REPLY_ARRAY ? "]" : "");
        }
        break;
    case REDIS_REPLY_INTEGER:
        text_addf(t, "%lld", r->integer);
        break;
    case REDIS_REPLY_NIL:
        text_add(t, "(nil)");
        break;
    default:
        text_add(t, r->type == REDIS_REPLY_ERROR ? "ERR:" : "");
        text_add(t, r->len ? "" : "''");
        text_add_bytes(t, r->str, (size_t)r->len);
    }
}

/* Takes the reply; the text lives in a ring, so that a few answers can be compared with one another. */
const char *lua_text(struct redisReply *r)
{
    static struct text ring[8];
    static size_t next;
    struct text *t = &ring[next++ % 8];

    text_clear(t);
    print(t, r);
    freeReplyObject(r);
    return text_get(t);
}

const char *lua_run(struct lua *l, enum script_id script, ...)
{
    const char *argv[ARGS_MAX];
    size_t argc = 0;
    va_list ap;

    va_start(ap, script);
    for (const char *arg; argc < ARGS_MAX && (arg = va_arg(ap, const char *));)
        argv[argc++] = arg;
    va_end(ap);
    return lua_text(lua_call(l, script, argc, argv));
}

const char *lua_cmd(struct lua *l, const char *fmt, ...)
{
    char line[1024], words[2048] = "";
    const char *argv[64];
    int argc = 0;
    va_list ap;
    size_t used = 0;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    for (char *save, *word = strtok_r(line, " ", &save); word && argc < 64;
         word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = words + used;
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", *word == '@' ? l->prefix : "",
                                 *word == '@' ? word + 1 : word) +
                1;
    }
    redisReply *r = redisCommandArgv(l->redis, argc, argv, NULL);
    if (!r)
        die(fmt, l->redis->errstr);
    return lua_text(r);
}

static bool is_any_mendable(const struct redisReply *r)
{
    for (size_t i = 2; i < r->elements; i++)
        if (strcmp(r->element[i]->element[3]->str, "mendable") == 0)
            return true;
    return false;
}

const char *lua_audit(struct lua *l)
{
    char cursor[4096] = "";

    do {
        const char *argv[] = {"", cursor};
        struct redisReply *r = lua_call(l, SCRIPT_DOCTOR_AUDIT, 2, argv);
        if (r->type != REDIS_REPLY_ARRAY || is_any_mendable(r))
            return lua_text(r);
        snprintf(cursor, sizeof cursor, "%s", r->element[1]->str);
        freeReplyObject(r);
    } while (*cursor);
    return "";
}
