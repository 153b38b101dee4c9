#include "support/kube_selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

#define TERMS_MAX 16

enum op { IS, IS_NOT, IN, NOT_IN, EXISTS, EXISTS_NOT };

struct term {
    bool label;
    enum op op;
    char key[320];
    char values[512]; /* ",a,b," */
};

struct kube_selector {
    struct term terms[TERMS_MAX];
    int n;
};

static const char *const fields_known[] = {"metadata.name",      "metadata.namespace", "involvedObject.name",
                                           "involvedObject.uid", "status.phase",       "spec.nodeName"};

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " ");
}

/* One word: what no operator or bracket ends. */
static const char *word(const char *s, char *out, size_t size)
{
    size_t n = strcspn(s, " ,=!()");

    snprintf(out, size, "%.*s", (int)n, s);
    return skip_blanks(s + n);
}

static const char *value_set(const char *s, struct term *t)
{
    size_t n = strcspn(s, ")");

    snprintf(t->values, sizeof t->values, ",%.*s,", (int)(n - (n > 0)), s + 1);
    return s[n] ? skip_blanks(s + n + 1) : s + n;
}

static const char *operand(const char *s, struct term *t)
{
    char one[256];

    s = word(skip_blanks(s), one, sizeof one);
    snprintf(t->values, sizeof t->values, ",%s,", one);
    return s;
}

static const char *term_parse(const char *s, struct term *t)
{
    t->op = EXISTS;
    s = skip_blanks(s);
    if (*s == '!') {
        t->op = EXISTS_NOT;
        return word(s + 1, t->key, sizeof t->key);
    }
    s = word(s, t->key, sizeof t->key);
    if (strncmp(s, "!=", 2) == 0) {
        t->op = IS_NOT;
        return operand(s + 2, t);
    }
    if (*s == '=') {
        t->op = IS;
        return operand(s + 1 + (s[1] == '='), t);
    }
    if (strncmp(s, "in", 2) == 0) {
        t->op = IN;
        return value_set(skip_blanks(s + 2), t);
    }
    if (strncmp(s, "notin", 5) == 0) {
        t->op = NOT_IN;
        return value_set(skip_blanks(s + 5), t);
    }
    return s;
}

static cJSON *unknown_field(const struct kube_resource *r, const char *field)
{
    return kube_status(400, "BadRequest", NULL, "field label \"%s\" not supported for %s%s.%s", field,
                       r->group, r->version, r->kind);
}

static cJSON *field_fault(const struct kube_resource *r, const struct term *t)
{
    for (size_t i = 0; i < sizeof fields_known / sizeof *fields_known; i++)
        if (strcmp(fields_known[i], t->key) == 0)
            return NULL;
    return unknown_field(r, t->key);
}

static cJSON *parse(struct kube_selector *s, const struct kube_resource *r, const char *text, bool label)
{
    while (text && *text) {
        struct term *t = &s->terms[s->n];
        if (s->n++ == TERMS_MAX)
            return kube_status(400, "BadRequest", NULL, "too many requirements for this server");
        t->label = label;
        text = term_parse(text, t);
        cJSON *fault = label ? NULL : field_fault(r, t);
        if (fault)
            return fault;
        if (*text && *text != ',')
            return kube_status(400, "BadRequest", NULL, "found '%c', expected: ',' or 'end of string'",
                               *text);
        text += *text == ',';
    }
    return NULL;
}

struct kube_selector *kube_selector_new(const struct kube_resource *r, const char *labels, const char *fields,
                                        cJSON **status)
{
    struct kube_selector *s = xcalloc(1, sizeof *s);

    *status = parse(s, r, labels, true);
    if (!*status)
        *status = parse(s, r, fields, false);
    if (!*status)
        return s;
    free(s);
    return NULL;
}

void kube_selector_free(struct kube_selector *s)
{
    free(s);
}

static bool among(const char *values, const char *value)
{
    char wanted[300];

    snprintf(wanted, sizeof wanted, ",%s,", value);
    return strstr(values, wanted) != NULL;
}

static bool term_takes(const struct term *t, const cJSON *object)
{
    const char *have = t->label ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                                      kube_at(object, "metadata.labels"), t->key))
                                : kube_text_at(object, t->key);

    switch (t->op) {
    case IS:
    case IN:
        return have && among(t->values, have);
    case IS_NOT:
    case NOT_IN:
        return !have || !among(t->values, have);
    case EXISTS:
        return have != NULL;
    case EXISTS_NOT:
        return !have;
    }
    return false;
}

bool kube_selector_takes(const struct kube_selector *s, const cJSON *object)
{
    for (int i = 0; i < s->n; i++)
        if (!term_takes(&s->terms[i], object))
            return false;
    return true;
}
