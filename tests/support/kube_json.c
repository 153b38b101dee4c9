#include "support/kube_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static void add_tree(struct text *t, const cJSON *v)
{
    char *s = v ? cJSON_PrintUnformatted(v) : NULL;

    text_add(t, s ? s : "null");
    free(s);
}

static void add_string(struct text *t, const char *s)
{
    cJSON *v = s ? cJSON_CreateString(s) : NULL;

    add_tree(t, v);
    cJSON_Delete(v);
}

cJSON *kube_json(const char *format, ...)
{
    struct text t = {0};
    va_list args;

    va_start(args, format);
    for (const char *f = format; *f; f++) {
        if (*f != '%')
            text_add_bytes(&t, *f == '\'' ? "\"" : f, 1);
        else if (*++f == 's')
            add_string(&t, va_arg(args, const char *));
        else if (*f == 'd')
            text_addf(&t, "%d", va_arg(args, int));
        else if (*f == 'j')
            add_tree(&t, va_arg(args, const cJSON *));
        else
            text_add(&t, va_arg(args, const char *));
    }
    va_end(args);
    cJSON *v = cJSON_Parse(text_get(&t));
    if (!v) {
        fprintf(stderr, "tests/support/kube_json: not JSON: %s\n", text_get(&t));
        abort();
    }
    text_release(&t);
    return v;
}

/* The first name of a path; *rest: what follows its dot, NULL at the end. Names with a dot are not reached. */
static const char *first_name(const char *path, char *name, size_t size, const char **rest)
{
    const char *dot = strchr(path, '.');

    snprintf(name, size, "%.*s", (int)(dot ? dot - path : (long)strlen(path)), path);
    *rest = dot ? dot + 1 : NULL;
    return name;
}

cJSON *kube_at(const cJSON *v, const char *path)
{
    char name[64];
    cJSON *found = NULL;

    for (; path; v = found) {
        first_name(path, name, sizeof name, &path);
        found = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, (int)strtol(name, NULL, 10))
                                 : cJSON_GetObjectItemCaseSensitive(v, name);
        if (!found)
            return NULL;
    }
    return found;
}

const char *kube_text_at(const cJSON *v, const char *path)
{
    return cJSON_GetStringValue(kube_at(v, path));
}

int64_t kube_whole_at(const cJSON *v, const char *path, int64_t otherwise)
{
    const cJSON *n = kube_at(v, path);

    return cJSON_IsNumber(n) ? (int64_t)n->valuedouble : otherwise;
}

bool kube_true_at(const cJSON *v, const char *path)
{
    return cJSON_IsTrue(kube_at(v, path));
}

void kube_put(cJSON *v, const char *path, cJSON *value)
{
    char name[64];
    const char *rest;

    for (first_name(path, name, sizeof name, &rest); rest; first_name(rest, name, sizeof name, &rest)) {
        cJSON *next = cJSON_GetObjectItemCaseSensitive(v, name);
        if (!cJSON_IsObject(next)) {
            cJSON_DeleteItemFromObjectCaseSensitive(v, name);
            next = cJSON_AddObjectToObject(v, name);
        }
        v = next;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(v, name);
    if (value)
        cJSON_AddItemToObject(v, name, value);
}

void kube_put_text(cJSON *v, const char *path, const char *text)
{
    kube_put(v, path, cJSON_CreateString(text));
}

void kube_put_default(cJSON *v, const char *path, cJSON *value)
{
    if (kube_at(v, path))
        cJSON_Delete(value);
    else
        kube_put(v, path, value);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the patch */
void kube_merge(cJSON *into, const cJSON *patch)
{
    for (const cJSON *p = patch->child; p; p = p->next) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(into, p->string);
        if (cJSON_IsObject(p) && cJSON_IsObject(old)) {
            kube_merge(old, p);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(into, p->string);
        if (cJSON_IsObject(p))
            kube_merge(cJSON_AddObjectToObject(into, p->string), p);
        else if (!cJSON_IsNull(p))
            cJSON_AddItemToObject(into, p->string, cJSON_Duplicate(p, 1));
    }
}

const char *kube_time(char *buf, int64_t in_ms)
{
    time_t at = (time_t)((clock_wall_ms() + in_ms) / 1000);
    struct tm tm;

    strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
    return buf;
}

cJSON *kube_first(const cJSON *list)
{
    return list ? list->child : NULL;
}
