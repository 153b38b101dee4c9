#include "support/kube_status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/kube_json.h"

static char *print(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static char *print(const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

static cJSON *status_of(int code, const char *reason, cJSON *details, const char *message)
{
    cJSON *s = kube_json("{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure','message':%s,"
                         "'reason':%s,'code':%d}",
                         message, reason, code);

    if (details)
        cJSON_AddItemToObject(s, "details", details);
    return s;
}

cJSON *kube_status(int code, const char *reason, cJSON *details, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *message = print(format, args);
    va_end(args);
    cJSON *s = status_of(code, reason, details, message);
    free(message);
    return s;
}

int kube_status_code(const cJSON *status)
{
    return (int)kube_whole_at(status, "code", 500);
}

static cJSON *details_of(const struct kube_resource *r, const char *name, const char *kind)
{
    return *r->group ? kube_json("{'name':%s,'group':%s,'kind':%s}", name, r->group, kind)
                     : kube_json("{'name':%s,'kind':%s}", name, kind);
}

cJSON *kube_not_found(const struct kube_resource *r, const char *name)
{
    return kube_status(404, "NotFound", details_of(r, name, r->plural), "%s \"%s\" not found", kube_dotted(r),
                       name);
}

void kube_cause(struct kube_causes *c, const char *reason, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *message = print(format, args);
    va_end(args);
    if (!c->list)
        c->list = cJSON_CreateArray();
    cJSON_AddItemToArray(c->list, kube_json("{'reason':%s,'message':%s,'field':%s}", reason, message, field));
    free(message);
}

void kube_cause_invalid(struct kube_causes *c, const char *field, const char *value, const char *why)
{
    kube_cause(c, "FieldValueInvalid", field, "Invalid value: \"%s\": %s", value, why);
}

static bool same_cause(const cJSON *a, const cJSON *b)
{
    return strcmp(kube_text_at(a, "field"), kube_text_at(b, "field")) == 0 &&
           strcmp(kube_text_at(a, "message"), kube_text_at(b, "message")) == 0;
}

/* The message names each once, in brackets when there are several; the causes list them all. */
cJSON *kube_invalid(struct kube_causes *c, const struct kube_resource *r, const char *name)
{
    struct text t = {0};
    int told = 0;

    if (!c->list)
        return NULL;
    for (const cJSON *v = c->list->child; v; v = v->next) {
        const cJSON *first = c->list->child;
        while (!same_cause(first, v))
            first = first->next;
        if (first == v)
            text_addf(&t, "%s%s: %s", told++ ? ", " : "", kube_text_at(v, "field"),
                      kube_text_at(v, "message"));
    }
    cJSON *details = details_of(r, name, r->kind);
    cJSON_AddItemToObject(details, "causes", c->list);
    cJSON *s = kube_status(422, "Invalid", details, "%s%s%s \"%s\" is invalid: %s%s%s", r->kind,
                           *r->group ? "." : "", r->group, name, told > 1 ? "[" : "", text_get(&t),
                           told > 1 ? "]" : "");
    text_release(&t);
    c->list = NULL;
    return s;
}
