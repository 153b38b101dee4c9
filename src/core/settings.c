#include "core/settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "core/run_backend.h"
#include "core/store.h"
#include "redis/reply.h"

static int take_ms(void *field, const char *name, const char *value, struct err *e)
{
    return duration_parse_ms(field, name, value, e);
}

static int take_interval(void *field, const char *name, const char *value, struct err *e)
{
    int64_t *ms = field;

    if (duration_parse_ms(ms, name, value, e))
        return -1;
    if (*ms < SETTINGS_INTERVAL_MIN_MS)
        *ms = SETTINGS_INTERVAL_MIN_MS;
    return 0;
}

static int take_lease(void *field, const char *name, const char *value, struct err *e)
{
    int64_t ms;

    if (duration_parse_ms(&ms, name, value, e))
        return -1;
    if (ms < SETTINGS_LEASE_MIN_MS)
        return err_set(e, ERR_INVALID, "%s must be at least 1s, not \"%s\"", name, value);
    *(int64_t *)field = ms;
    return 0;
}

static int take_count(void *field, const char *name, const char *value, struct err *e)
{
    if (!number_parse(value, 0, INT64_MAX, field))
        return 0;
    return err_set(e, ERR_INVALID, "%s must be a whole number ≥ 0, not \"%s\"", name, value);
}

static int take_backend(void *field, const char *name, const char *value, struct err *e)
{
    struct json_path at = {NULL, name, 0};
    cJSON *v = json_parse(value, strlen(value), 0, e);
    char *text;

    if (!v)
        return json_place(e, &at);
    int failed = run_backend_read(v, &at, &text, e);
    cJSON_Delete(v);
    if (failed)
        return -1;
    free(*(char **)field);
    *(char **)field = text;
    return 0;
}

/* The fields of the `config` hash; without `take` it is only scripts that read one. */
static const struct setting {
    const char *name, *otherwise;
    int (*take)(void *field, const char *name, const char *value, struct err *e);
    size_t offset;
} rows[] = {
    {"max_concurrent_runs", "10", NULL, 0},
    {"dequeue_interval", "250ms", take_interval, offsetof(struct settings, dequeue_interval_ms)},
    {"start_timeout", "180s", take_ms, offsetof(struct settings, start_timeout_ms)},
    {"run_lease", "30s", take_lease, offsetof(struct settings, run_lease_ms)},
    {"max_queued_runs", "-1", NULL, 0},
    {"retention", "7d", take_ms, offsetof(struct settings, retention_ms)},
    {"retention_runs", "100000", take_count, offsetof(struct settings, retention_runs)},
    {"audit_interval", "10m", take_ms, offsetof(struct settings, audit_interval_ms)},
    {"run_backend", "{\"type\":\"local\"}", take_backend, offsetof(struct settings, run_backend)},
};

#define NROWS (sizeof rows / sizeof *rows)

const char *settings_name_get(size_t i)
{
    return i < NROWS ? rows[i].name : NULL;
}

const char *settings_default_get(size_t i)
{
    return i < NROWS ? rows[i].otherwise : NULL;
}

static int take(struct settings *s, const char *name, const char *value, struct err *e)
{
    for (size_t i = 0; i < NROWS; i++)
        if (rows[i].take && !strcmp(name, rows[i].name))
            return rows[i].take((char *)s + rows[i].offset, name, value, e);
    return 0;
}

void settings_init(struct settings *s)
{
    *s = (struct settings){0};
    for (size_t i = 0; i < NROWS; i++)
        if (take(s, rows[i].name, rows[i].otherwise, NULL))
            abort(); /* a default that is refused */
}

void settings_release(struct settings *s)
{
    free(s->run_backend);
    *s = (struct settings){0};
}

/* NULL: it is not set. */
static const char *value_of(const struct reply *hgetall, const char *name)
{
    for (size_t i = 0; i + 1 < reply_count(hgetall); i += 2)
        if (reply_is(reply_at(hgetall, i), name))
            return reply_str(reply_at(hgetall, i + 1));
    return NULL;
}

void settings_update(struct settings *s, const struct reply *hgetall,
                     void (*on_fault)(void *arg, const struct err *e), void *arg)
{
    struct err e;

    for (size_t i = 0; hgetall && i < NROWS; i++) {
        const char *value = value_of(hgetall, rows[i].name);
        if (take(s, rows[i].name, value ? value : rows[i].otherwise, &e) && on_fault)
            on_fault(arg, &e);
    }
}

int settings_load(struct settings *s, struct store *store, int64_t deadline_ms,
                  void (*on_fault)(void *arg, const struct err *e), void *arg, struct err *e)
{
    char key[128];
    const char *argv[] = {"HGETALL", store_key(store, key, sizeof key, "config", "")};
    struct reply *r = redis_send_wait(store_redis_get(store), deadline_ms, 2, argv, NULL, e);

    settings_init(s);
    settings_update(s, r, on_fault, arg);
    const struct reply *backend = reply_field(r, 0, "run_backend");
    int status = !r || (backend && settings_check("run_backend", reply_str(backend), e)) ? -1 : 0;
    reply_free(r);
    return status;
}

int settings_check(const char *name, const char *value, struct err *e)
{
    struct settings scratch = {0};
    int failed = take(&scratch, name, value, e);

    settings_release(&scratch);
    return failed;
}
