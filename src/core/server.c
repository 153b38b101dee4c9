#include "core/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEAST_VERSION  7
#define CLOCK_APART_MS 5000

const struct server_command server_commands[SERVER_QUESTIONS] = {
    [SERVER_INFO] = {1, {"INFO"}},
    [SERVER_CONFIG] = {3, {"CONFIG", "GET", "appendfsync"}},
    [SERVER_TIME] = {1, {"TIME"}},
};

static bool is_old(const char *version)
{
    return strtol(version, NULL, 10) < LEAST_VERSION;
}

static bool is_replica(const char *role)
{
    return strcmp(role, "slave") == 0;
}

static bool evicts(const char *policy)
{
    return strcmp(policy, "noeviction") != 0;
}

static bool is_zero(const char *number)
{
    return strcmp(number, "0") == 0;
}

static bool is_not_zero(const char *number)
{
    return !is_zero(number);
}

static bool is_not_ok(const char *status)
{
    return strcmp(status, "ok") != 0;
}

static bool is_no(const char *word)
{
    return strcmp(word, "no") == 0;
}

/* What a server does not say is not judged. */
static const struct rule {
    enum server_question question;
    const char *setting;
    bool (*is_fault)(const char *value);
    const char *unless; /* the server says this as well: then it is none; NULL: nothing */
    bool wrong;
    const char *why;
} rules[] = {
    {SERVER_INFO, "redis_version", is_old, NULL, true, "scripts do not run: Redis 7 is the least"},
    {SERVER_INFO, "role", is_replica, NULL, true,
     "a replica accepts nothing: name its master, or its sentinels"},
    {SERVER_INFO, "maxmemory_policy", evicts, NULL, true,
     "queued runs may be deleted when memory is short: set maxmemory-policy noeviction"},
    {SERVER_INFO, "aof_enabled", is_zero, NULL, false,
     "a crash loses what came after the last snapshot: set appendonly yes"},
    {SERVER_CONFIG, "appendfsync", is_no, NULL, false,
     "a crash of the machine loses what its kernel had not written: set appendfsync everysec, or always"},
    {SERVER_INFO, "aof_last_write_status", is_not_ok, NULL, true,
     "the append-only file cannot be written: the disk and the log of the server say why"},
    {SERVER_INFO, "rdb_last_bgsave_status", is_not_ok, NULL, true,
     "the last snapshot failed: the disk and the log of the server say why"},
    {SERVER_INFO, "connected_slaves", is_not_zero, "min_slaves_good_slaves", false,
     "a fail-over loses what no replica had: set min-replicas-to-write 1"},
};

/* The value of a field of INFO, owned by the caller; NULL: it is not there. */
static char *field_dup(const char *info, const char *field)
{
    size_t len = strlen(field);

    for (const char *line = info; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            return xmemdup(line + len + 1, strcspn(line + len + 1, "\r\n"));
    return NULL;
}

static char *value_dup(enum server_question question, const struct reply *answer, const char *setting)
{
    if (question == SERVER_INFO)
        return field_dup(reply_str(answer), setting);
    const struct reply *value = reply_field(answer, 0, setting);
    return value ? xstrdup(reply_str(value)) : NULL;
}

static bool says(const struct rule *rule, const struct reply *answer)
{
    char *value = rule->unless ? value_dup(rule->question, answer, rule->unless) : NULL;
    bool there = value;

    free(value);
    return there;
}

/* As the server itself compares them, once it has made room where it may. */
static void judge_memory(const struct reply *info,
                         void (*on_fault)(void *arg, const struct server_fault *fault), void *arg)
{
    char *used = value_dup(SERVER_INFO, info, "used_memory"),
         *most = value_dup(SERVER_INFO, info, "maxmemory");

    if (used && most && !is_zero(most) && strtoull(used, NULL, 10) > strtoull(most, NULL, 10))
        on_fault(arg, &(struct server_fault){"used_memory", used,
                                             "more than maxmemory, so nothing new is accepted: raise "
                                             "maxmemory, or delete runs that have ended",
                                             true});
    free(used);
    free(most);
}

/* For people: leases go by the server's clock alone. */
static void judge_clock(const struct reply *time, int64_t now_at,
                        void (*on_fault)(void *arg, const struct server_fault *fault), void *arg)
{
    int64_t ahead_ms =
        reply_int(reply_at(time, 0), 0) * 1000 + reply_int(reply_at(time, 1), 0) / 1000 - now_at;
    char value[32];

    if (ahead_ms >= -CLOCK_APART_MS && ahead_ms <= CLOCK_APART_MS)
        return;
    snprintf(value, sizeof value, "%+" PRId64 "s", ahead_ms / 1000);
    on_fault(arg, &(struct server_fault){"clock", value,
                                         "that far ahead of this host, so times and ages mislead: set both "
                                         "by one time server",
                                         false});
}

void server_judge(enum server_question question, const struct reply *answer, int64_t now_at,
                  void (*on_fault)(void *arg, const struct server_fault *fault), void *arg)
{
    if (question == SERVER_TIME)
        judge_clock(answer, now_at, on_fault, arg);
    if (question == SERVER_INFO)
        judge_memory(answer, on_fault, arg);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *rule = &rules[i];
        char *value = rule->question == question ? value_dup(question, answer, rule->setting) : NULL;
        if (value && rule->is_fault(value) && !says(rule, answer))
            on_fault(arg, &(struct server_fault){rule->setting, value, rule->why, rule->wrong});
        free(value);
    }
}
