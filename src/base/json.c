#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/duration.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/text.h"

static int compare_keys(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

/* A key that the object has twice, or NULL. */
static const char *key_given_twice(const cJSON *object)
{
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    const char **keys = xcalloc(n, sizeof *keys);
    const char *twice = NULL;

    for (const cJSON *child = object->child; child; child = child->next)
        keys[i++] = child->string;
    qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 1; i < n && !twice; i++)
        if (!strcmp(keys[i - 1], keys[i]))
            twice = keys[i];
    free(keys);
    return twice;
}

static int check_keys(const cJSON *v, const struct json_path *at, struct err *e)
{
    const char *twice = cJSON_IsObject(v) ? key_given_twice(v) : NULL;
    int index = 0;

    if (twice)
        return json_fault(e, at, "key '%s' given twice", twice);
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, index++};
        if (check_keys(child, &below, e))
            return -1;
    }
    return 0;
}

cJSON *json_parse(const char *s, size_t len, int flags, struct err *e)
{
    size_t mark = len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    char *copy = xmemdup(s + mark, len -= mark);
    cJSON *v = NULL;

    if (json_scan(copy, len, flags, e))
        goto out;
    v = cJSON_ParseWithLengthOpts(copy, len, NULL, 0);
    if (!v) {
        err_set(e, ERR_INVALID, "not readable as JSON");
    } else if (check_keys(v, NULL, e)) {
        cJSON_Delete(v);
        v = NULL;
    }
out:
    free(copy);
    return v;
}

char *json_print(const cJSON *v)
{
    char *s = cJSON_PrintUnformatted(v);

    if (!s)
        abort(); /* out of memory */
    return s;
}

void json_add_text(cJSON *object, const char *key, const char *s)
{
    cJSON_AddItemToObject(object, key, *s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

static void path_print(struct text *t, const struct json_path *at)
{
    if (!at)
        return;
    path_print(t, at->parent);
    if (at->key)
        text_addf(t, "%s%s", t->len ? "." : "", at->key);
    else
        text_addf(t, "[%d]", at->index);
}

int json_place(struct err *e, const struct json_path *at)
{
    struct text path = {0};

    path_print(&path, at);
    if (path.len)
        err_prefix(e, "%s", path.s);
    text_release(&path);
    return -1;
}

int json_fault(struct err *e, const struct json_path *at, const char *fmt, ...)
{
    char what[sizeof e->msg];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_set(e, ERR_INVALID, "%s", what);
    return json_place(e, at);
}

int json_string(const cJSON *v, const struct json_path *at, const char **out, struct err *e)
{
    if (!cJSON_IsString(v))
        return json_fault(e, at, "must be a string");
    *out = v->valuestring;
    return 0;
}

static int whole_fault(const struct json_path *at, int64_t min, int64_t max, struct err *e)
{
    if (max < INT64_MAX)
        return json_fault(e, at, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    if (min > INT64_MIN)
        return json_fault(e, at, "must be a whole number ≥ %" PRId64, min);
    return json_fault(e, at, "must be a whole number");
}

int json_optional_text(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    char **text = into;
    const char *s = "";

    if (cJSON_IsNull(v))
        return 0;
    if (json_string(v, at, &s, e))
        return -1;
    *text = *s ? xstrdup(s) : NULL;
    return 0;
}

int json_whole(const cJSON *v, const struct json_path *at, int64_t min, int64_t max, int64_t *out,
               struct err *e)
{
    double d = cJSON_IsNumber(v) ? v->valuedouble : NAN;

    if (!(fabs(d) <= JSON_WHOLE_MAX) || d != (double)(int64_t)d || (int64_t)d < min || (int64_t)d > max)
        return whole_fault(at, min, max, e);
    *out = (int64_t)d;
    return 0;
}

int json_bool(const cJSON *v, const struct json_path *at, bool *out, struct err *e)
{
    if (!cJSON_IsBool(v))
        return json_fault(e, at, "must be true or false");
    *out = cJSON_IsTrue(v);
    return 0;
}

int json_duration_ms(const cJSON *v, const struct json_path *at, int64_t *ms, struct err *e)
{
    if (!cJSON_IsString(v))
        return json_fault(e, at, "must be a duration in quotes, such as \"30s\" or \"1h30m\"");
    return duration_parse_ms(ms, at->key, v->valuestring, e) ? json_place(e, at) : 0;
}

static const struct json_member *nearest_member(const char *key, const struct json_member *members, size_t n)
{
    const struct json_member *nearest = NULL;
    unsigned least = NEAREST_NONE;

    for (size_t i = 0; i < n; i++) {
        unsigned d = nearest_distance(key, members[i].key);
        if (d >= least)
            continue;
        nearest = &members[i];
        least = d;
    }
    return nearest;
}

static int check_known(const char *key, const struct json_path *at, const struct json_member *members,
                       size_t n, struct err *e)
{
    const struct json_member *nearest;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(key, members[i].key))
            return 0;
    nearest = nearest_member(key, members, n);
    if (nearest)
        return json_fault(e, at, "unknown key '%s', did you mean '%s'?", key, nearest->key);
    return json_fault(e, at, "unknown key '%s'", key);
}

static int read_member(const cJSON *object, const struct json_path *at, const struct json_member *m,
                       void *into, struct err *e)
{
    struct json_path below = {at, m->key, 0};
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, m->key);

    if (!v)
        return m->required ? json_fault(e, &below, "is required") : 0;
    return m->read ? m->read(v, &below, (char *)into + m->offset, e) : 0;
}

int json_object(const cJSON *v, const struct json_path *at, const struct json_member *members, size_t n,
                void *into, struct err *e)
{
    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object");
    for (const cJSON *child = v->child; child; child = child->next)
        if (check_known(child->string, at, members, n, e))
            return -1;
    for (size_t i = 0; i < n; i++)
        if (read_member(v, at, &members[i], into, e))
            return -1;
    return 0;
}
