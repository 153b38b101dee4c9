#include "daemon/server_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "redis/client.h"

#define LEAST_VERSION 7
#define DEADLINE_MS   10000

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

static bool is_off(const char *flag)
{
    return strcmp(flag, "0") == 0;
}

static bool is_not_ok(const char *status)
{
    return strcmp(status, "ok") != 0;
}

/* Fields of INFO. */
static const struct check {
    const char *field;
    bool (*is_fault)(const char *value);
    const char *why;
} checks[] = {
    {"redis_version", is_old, "Redis 7 is the least"},
    {"role", is_replica, "a replica accepts nothing: name its master, or its sentinels"},
    {"maxmemory_policy", evicts, "memory that runs short costs queued runs: set noeviction"},
    {"aof_enabled", is_off, "a crash loses what was written since the last snapshot: set appendonly yes"},
    {"aof_last_write_status", is_not_ok, "the append-only file cannot be written"},
    {"rdb_last_bgsave_status", is_not_ok, "the last snapshot could not be written"},
};

/* The value of a field, owned by the caller; NULL: this server does not know it. */
static char *field_dup(const char *info, const char *field)
{
    size_t len = strlen(field);

    for (const char *line = info; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            return xmemdup(line + len + 1, strcspn(line + len + 1, "\r\n"));
    return NULL;
}

static void on_info(void *arg, const struct reply *reply, const struct err *e)
{
    (void)arg;
    if (e->code == ERR_SERVER)
        log_line(LOG_WARN, "cannot check the settings of redis", "why", e->msg, NULL);
    for (size_t i = 0; reply && i < sizeof checks / sizeof *checks; i++) {
        char *value = field_dup(reply_str(reply), checks[i].field);
        if (value && checks[i].is_fault(value))
            log_line(LOG_WARN, "redis is not set up to keep runs", checks[i].field, value, "why",
                     checks[i].why, NULL);
        free(value);
    }
}

void server_check(struct redis *r)
{
    redis_send(r, REDIS_RESEND, DEADLINE_MS, 1, (const char *const[]){"INFO"}, NULL, on_info, NULL);
}
