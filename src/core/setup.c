#include "core/setup.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "redis/reply.h"

struct call *setup_apply_call(struct store *s, enum setup_mode mode, const struct config *c)
{
    static const char *const words[] = {"apply", "replace", "diff", "init"};
    struct call *call = call_new(s, SCRIPT_CONFIG_APPLY);

    call_str(call, words[mode]);
    for (size_t i = 0; i < c->n; i++) {
        call_str(call, c->items[i].hash);
        call_str(call, c->items[i].field);
        call_str(call, c->items[i].value);
    }
    return call;
}

struct reply *setup_apply_file(struct store *s, enum setup_mode mode, const char *file, struct err *e)
{
    struct config c;
    struct reply *r;

    if (config_load(&c, file, e) < 0)
        return NULL;
    r = call_wait(setup_apply_call(s, mode, &c), 0, e);
    config_release(&c);
    return r;
}

size_t setup_count(const struct reply *r)
{
    return reply_count(r) - 1;
}

struct setup_change setup_at(const struct reply *r, size_t i)
{
    const struct reply *row = reply_at(r, 1 + i);

    return (struct setup_change){
        .action = reply_str(reply_at(row, 0)),
        .hash = reply_str(reply_at(row, 1)),
        .field = reply_str(reply_at(row, 2)),
        .live = reply_str(reply_at(row, 3)),
        .file = reply_str(reply_at(row, 4)),
    };
}

struct call *setup_show_call(struct store *s)
{
    return call_new(s, SCRIPT_CONFIG_SHOW);
}

const char *setup_hash_word(enum setup_hash hash)
{
    static const char *const words[] = {"config", "tag_limits", "pool_limits", "jobs"};

    return words[hash];
}

const struct reply *setup_hash_get(const struct reply *r, enum setup_hash hash)
{
    return reply_at(r, 1 + (size_t)hash);
}

static cJSON *whole_or_text(const char *s)
{
    char digits[24];
    int64_t n;

    if (number_parse(s, -JSON_WHOLE_MAX, JSON_WHOLE_MAX, &n) < 0)
        return cJSON_CreateString(s);
    snprintf(digits, sizeof digits, "%" PRId64, n);
    return cJSON_CreateRaw(digits);
}

static cJSON *json_or_text(const char *s)
{
    cJSON *v = cJSON_Parse(s);

    return v ? v : cJSON_CreateString(s);
}

/* Where the settings stand in the file, and as what; those that are not here are texts at its root. */
static const struct setting {
    const char *field;
    bool of_queue;
    cJSON *(*value)(const char *s);
} settings[] = {
    {"max_concurrent_runs", true, whole_or_text},   {"max_queued_runs", true, whole_or_text},
    {"dequeue_interval", true, cJSON_CreateString}, {"start_timeout", true, cJSON_CreateString},
    {"run_lease", true, cJSON_CreateString},        {"run_backend", false, json_or_text},
    {"retention_runs", false, whole_or_text},
};

static void add_setting(cJSON *root, cJSON *queue, const char *field, const char *value)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(settings[i].field, field) == 0) {
            cJSON_AddItemToObject(settings[i].of_queue ? queue : root, field, settings[i].value(value));
            return;
        }
    cJSON_AddStringToObject(root, field, value);
}

/* "env=prod", "team" or "team=*" as {key, value?, per_unique_value?, limit}. */
static void add_tag_limit(cJSON *limits, const char *field, const char *value)
{
    size_t key = strcspn(field, "=");
    char *name = xmemdup(field, key);
    cJSON *limit = cJSON_CreateObject();

    cJSON_AddStringToObject(limit, "key", name);
    if (strcmp(field + key, "=*") == 0)
        cJSON_AddTrueToObject(limit, "per_unique_value");
    else if (field[key])
        cJSON_AddStringToObject(limit, "value", field + key + 1);
    cJSON_AddItemToObject(limit, "limit", whole_or_text(value));
    cJSON_AddItemToArray(limits, limit);
    free(name);
}

static const char *field_at(const struct reply *r, enum setup_hash hash, size_t i)
{
    return reply_str(reply_at(setup_hash_get(r, hash), i));
}

char *setup_document(const struct reply *r)
{
    cJSON *root = cJSON_CreateObject(), *queue = cJSON_AddObjectToObject(root, "run_queue");
    cJSON *pools = cJSON_CreateObject(), *jobs = cJSON_CreateObject();
    cJSON *limits = cJSON_CreateArray();

    for (size_t i = 0; i + 1 < reply_count(setup_hash_get(r, SETUP_CONFIG)); i += 2)
        add_setting(root, queue, field_at(r, SETUP_CONFIG, i), field_at(r, SETUP_CONFIG, i + 1));
    for (size_t i = 0; i + 1 < reply_count(setup_hash_get(r, SETUP_TAG_LIMITS)); i += 2)
        add_tag_limit(limits, field_at(r, SETUP_TAG_LIMITS, i), field_at(r, SETUP_TAG_LIMITS, i + 1));
    for (size_t i = 0; i + 1 < reply_count(setup_hash_get(r, SETUP_POOL_LIMITS)); i += 2)
        cJSON_AddItemToObject(pools, field_at(r, SETUP_POOL_LIMITS, i),
                              whole_or_text(field_at(r, SETUP_POOL_LIMITS, i + 1)));
    for (size_t i = 0; i + 1 < reply_count(setup_hash_get(r, SETUP_JOBS)); i += 2)
        cJSON_AddItemToObject(jobs, field_at(r, SETUP_JOBS, i), json_or_text(field_at(r, SETUP_JOBS, i + 1)));
    cJSON_AddItemToObject(queue, "tag_concurrency_limits", limits);
    cJSON_AddItemToObject(root, "pool_limits", pools);
    cJSON_AddItemToObject(root, "jobs", jobs);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}
