#include "core/config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/claims.h"
#include "core/run_backend.h"
#include "core/spec.h"
#include "core/tag.h"

/* field and value become the configuration's. */
static void add(struct config *c, const char *hash, char *field, char *value)
{
    c->items = xrealloc(c->items, (c->n + 1) * sizeof *c->items);
    c->items[c->n++] = (struct config_item){xstrdup(hash), field, value};
}

static struct config_item *find(const struct config *c, const char *hash, const char *field)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->items[i].hash, hash) && !strcmp(c->items[i].field, field))
            return &c->items[i];
    return NULL;
}

static void add_defaults(struct config *c)
{
    for (size_t i = 0; settings_name_get(i); i++)
        add(c, "config", xstrdup(settings_name_get(i)), xstrdup(settings_default_get(i)));
}

/* --- settings: the default's item gets the value that is given --- */

static void set(struct config *c, const char *name, char *value)
{
    struct config_item *item = find(c, "config", name);

    free(item->value);
    item->value = value;
}

static int set_whole(const cJSON *v, const struct json_path *at, int64_t min, struct config *c, struct err *e)
{
    int64_t n;

    if (json_whole(v, at, min, INT64_MAX, &n, e))
        return -1;
    set(c, at->key, xasprintf("%" PRId64, n));
    return 0;
}

static int read_any(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return set_whole(v, at, INT64_MIN, into, e);
}

static int read_count(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return set_whole(v, at, 0, into, e);
}

static int read_count_or_unlimited(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return set_whole(v, at, -1, into, e);
}

static int read_duration(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t ms;

    if (json_duration_ms(v, at, &ms, e))
        return -1;
    if (settings_check(at->key, v->valuestring, e))
        return json_place(e, at);
    set(into, at->key, xstrdup(v->valuestring));
    return 0;
}

static int read_run_backend(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    char *text;

    if (run_backend_read(v, at, &text, e))
        return -1;
    set(into, at->key, text);
    return 0;
}

/* --- tag limits --- */

struct tag_limit {
    const char *key, *value;
    int64_t limit;
    bool per_unique_value;
};

static int read_string(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_string(v, at, into, e);
}

static int read_limit(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 0, INT64_MAX, into, e);
}

static int read_flag(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_bool(v, at, into, e);
}

static const struct json_member tag_limit_members[] = {
    {"key", read_string, offsetof(struct tag_limit, key), true},
    {"limit", read_limit, offsetof(struct tag_limit, limit), true},
    {"value", read_string, offsetof(struct tag_limit, value), false},
    {"per_unique_value", read_flag, offsetof(struct tag_limit, per_unique_value), false},
};

static char *tag_limit_field(const struct tag_limit *l)
{
    if (l->per_unique_value)
        return xasprintf("%s=*", l->key);
    return l->value ? xasprintf("%s=%s", l->key, l->value) : xstrdup(l->key);
}

static int read_tag_limit(const cJSON *v, const struct json_path *at, struct config *c, struct err *e)
{
    struct tag_limit l = {0};

    if (json_object(v, at, tag_limit_members, sizeof tag_limit_members / sizeof *tag_limit_members, &l, e))
        return -1;
    if (l.value && l.per_unique_value)
        return json_fault(e, at, "value together with per_unique_value");
    if (tag_check(l.key, l.value ? l.value : "", e))
        return json_place(e, at);
    char *field = tag_limit_field(&l);
    if (find(c, "tag_limits", field)) {
        json_fault(e, at, "a second limit for '%s'", field);
        free(field);
        return -1;
    }
    add(c, "tag_limits", field, xasprintf("%" PRId64, l.limit));
    return 0;
}

static int read_tag_limits(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    struct json_path below = {at, NULL, 0};

    if (!cJSON_IsArray(v))
        return json_fault(e, at, "must be a list");
    for (const cJSON *item = v->child; item; item = item->next, below.index++)
        if (read_tag_limit(item, &below, into, e))
            return -1;
    return 0;
}

/* --- pools and jobs --- */

static int read_pool_limits(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    int64_t slots;

    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object of slots by pool");
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, 0};
        if (pool_name_check(child->string, e))
            return json_place(e, at);
        if (json_whole(child, &below, -1, INT64_MAX, &slots, e))
            return -1;
        add(into, "pool_limits", xstrdup(child->string), xasprintf("%" PRId64, slots));
    }
    return 0;
}

static int read_job(const cJSON *v, const struct json_path *at, struct config *c, struct err *e)
{
    struct json_path job = {at, "job", 0};
    struct spec s;

    if (step_name_check(at->key, e))
        return json_place(e, at->parent);
    if (spec_read(&s, v, at, e))
        return -1;
    int differs = s.job && strcmp(s.job, at->key);
    if (differs)
        json_fault(e, &job, "must be '%s' or left out", at->key);
    else
        add(c, "jobs", xstrdup(at->key), spec_print_whole(&s));
    spec_release(&s);
    return differs ? -1 : 0;
}

static int read_jobs(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object of jobs by name");
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, 0};
        if (read_job(child, &below, into, e))
            return -1;
    }
    return 0;
}

/* --- the document --- */

static const struct json_member run_queue_members[] = {
    {"max_concurrent_runs", read_any, 0, false},   /* negative: unlimited */
    {"dequeue_interval", read_duration, 0, false}, /* kept as written, as all durations are */
    {"start_timeout", read_duration, 0, false},
    {"run_lease", read_duration, 0, false},
    {"max_queued_runs", read_count_or_unlimited, 0, false},
    {"tag_concurrency_limits", read_tag_limits, 0, false},
};

static int read_run_queue(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_object(v, at, run_queue_members, sizeof run_queue_members / sizeof *run_queue_members, into,
                       e);
}

static const struct json_member members[] = {
    {"run_queue", read_run_queue, 0, false},
    {"run_backend", read_run_backend, 0, false},
    {"retention", read_duration, 0, false},
    {"retention_runs", read_count, 0, false},
    {"audit_interval", read_duration, 0, false},
    {"pool_limits", read_pool_limits, 0, false},
    {"jobs", read_jobs, 0, false},
};

int config_parse(struct config *c, const char *text, size_t len, struct err *e)
{
    cJSON *v = json_parse(text, len, JSON_COMMENTS, e);

    *c = (struct config){0};
    if (!v)
        return -1;
    add_defaults(c);
    int failed = json_object(v, NULL, members, sizeof members / sizeof *members, c, e);
    cJSON_Delete(v);
    if (failed)
        config_release(c);
    return failed;
}

static bool has_pools(const struct config *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->items[i].hash, "pool_limits"))
            return true;
    return false;
}

void config_stray_pools(const struct config *c,
                        void (*on_stray)(void *arg, const char *job, const char *step, const char *pool),
                        void *arg)
{
    for (size_t i = 0; i < c->n && has_pools(c); i++) {
        const struct config_item *item = &c->items[i];
        struct spec s;
        if (strcmp(item->hash, "jobs") || spec_parse(&s, item->value, strlen(item->value), NULL))
            continue;
        for (size_t j = 0; j < s.nsteps; j++)
            for (size_t k = 0; k < s.steps[j].nclaims; k++)
                if (!find(c, "pool_limits", s.steps[j].claims[k].pool))
                    on_stray(arg, item->field, s.steps[j].name, s.steps[j].claims[k].pool);
        spec_release(&s);
    }
}

static int read_file(struct text *t, const char *file, struct err *e)
{
    FILE *f = fopen(file, "re");
    char buf[4096];

    if (!f)
        return err_sys(e, "cannot open '%s'", file);
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        text_add_bytes(t, buf, n);
    int failed = ferror(f) ? err_sys(e, "cannot read '%s'", file) : 0;
    fclose(f);
    return failed;
}

int config_load(struct config *c, const char *file, struct err *e)
{
    struct text t = {0};
    int failed = read_file(&t, file, e);

    if (!failed && config_parse(c, text_get(&t), t.len, e))
        failed = err_prefix(e, "%s", file);
    text_release(&t);
    return failed;
}

void config_release(struct config *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].hash);
        free(c->items[i].field);
        free(c->items[i].value);
    }
    free(c->items);
    *c = (struct config){0};
}
