#include "support/kube_schema.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/kube_json.h"

#define DEFINITION "#/definitions/"
#define ROOT       "io.k8s.api.batch.v1.Job"

struct field {
    char *path;
    size_t parent_len; /* of the path of the object that it is in */
    enum kube_type type;
    bool required;
};

struct kube_schema {
    struct field *fields; /* sorted by path */
    size_t n, cap;
};

static const char *const type_words[] = {
    [KUBE_OBJECT] = "object",     [KUBE_MAP] = "object",
    [KUBE_ARRAY] = "array",       [KUBE_STRING] = "string",
    [KUBE_INTEGER] = "integer",   [KUBE_BOOLEAN] = "boolean",
    [KUBE_QUANTITY] = "quantity", [KUBE_INT_OR_STRING] = "integer or string",
    [KUBE_ANY] = "anything",
};

/* Definitions that are values and not objects. */
static const struct {
    const char *name;
    enum kube_type type;
} values[] = {{"io.k8s.apimachinery.pkg.api.resource.Quantity", KUBE_QUANTITY},
              {"io.k8s.apimachinery.pkg.apis.meta.v1.Time", KUBE_STRING},
              {"io.k8s.apimachinery.pkg.util.intstr.IntOrString", KUBE_INT_OR_STRING},
              {"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", KUBE_ANY}};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->path, ((const struct field *)b)->path);
}

static void field_add(struct kube_schema *s, const char *path, enum kube_type type, bool required)
{
    const char *dot = strrchr(path, '.');

    if (s->n == s->cap)
        s->fields = xrealloc(s->fields, (s->cap = s->cap * 2 + 64) * sizeof *s->fields);
    s->fields[s->n++] = (struct field){xstrdup(path), dot ? (size_t)(dot - path) : 0, type, required};
}

static struct kube_schema *sorted(struct kube_schema *s)
{
    qsort(s->fields, s->n, sizeof *s->fields, by_path);
    return s;
}

struct kube_schema *kube_schema_builtin(void)
{
    struct kube_schema *s = xcalloc(1, sizeof *s);

    for (size_t i = 0; i < kube_job_fields_count; i++)
        field_add(s, kube_job_fields[i].path, kube_job_fields[i].type, kube_job_fields[i].required);
    return sorted(s);
}

/* ---- an OpenAPI document becomes a list of paths ---- */

struct flattening {
    struct kube_schema *schema;
    const cJSON *definitions;
};

static bool requires(const cJSON *definition, const char *name)
{
    const cJSON *one;

    for (one = kube_first(cJSON_GetObjectItem(definition, "required")); one; one = one->next)
        if (strcmp(one->valuestring, name) == 0)
            return true;
    return false;
}

static void flatten(struct flattening *f, const char *path, const cJSON *schema, bool required);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as a Job */
static void flatten_definition(struct flattening *f, const char *path, const char *name, bool required)
{
    const cJSON *definition = cJSON_GetObjectItemCaseSensitive(f->definitions, name);
    const cJSON *property;
    char below[512];

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].name, name) == 0) {
            field_add(f->schema, path, values[i].type, required);
            return;
        }
    field_add(f->schema, path, KUBE_OBJECT, required);
    for (property = kube_first(cJSON_GetObjectItem(definition, "properties")); property;
         property = property->next) {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", property->string);
        flatten(f, below, property, requires(definition, property->string));
    }
}

static enum kube_type type_of(const char *word)
{
    for (size_t i = 0; word && i < sizeof type_words / sizeof *type_words; i++)
        if (strcmp(type_words[i], word) == 0)
            return (enum kube_type)i;
    return KUBE_ANY;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as a Job */
static void flatten(struct flattening *f, const char *path, const cJSON *schema, bool required)
{
    const char *ref = kube_text_at(schema, "$ref");
    const cJSON *items = cJSON_GetObjectItem(schema, "items");
    const cJSON *named = cJSON_GetObjectItem(schema, "additionalProperties");
    char below[512];

    if (ref) {
        flatten_definition(f, path, ref + strlen(DEFINITION), required);
        return;
    }
    field_add(f->schema, path, named ? KUBE_MAP : type_of(kube_text_at(schema, "type")), required);
    snprintf(below, sizeof below, "%s%s", path, items ? "[]" : "{}");
    if (items || named)
        flatten(f, below, items ? items : named, false);
}

static char *read_whole(const char *file)
{
    FILE *in = fopen(file, "re");
    struct text t = {0};
    char buf[65536];

    if (!in) {
        perror(file);
        exit(1);
    }
    for (size_t n; (n = fread(buf, 1, sizeof buf, in)) > 0;)
        text_add_bytes(&t, buf, n);
    fclose(in);
    return t.s;
}

struct kube_schema *kube_schema_read(const char *file)
{
    char *text = read_whole(file);
    cJSON *document = cJSON_Parse(text);
    struct flattening f = {xcalloc(1, sizeof *f.schema), cJSON_GetObjectItem(document, "definitions")};

    if (!cJSON_GetObjectItem(f.definitions, ROOT)) {
        fprintf(stderr, "%s: no definition of %s\n", file, ROOT);
        exit(1);
    }
    flatten_definition(&f, "", ROOT, false);
    cJSON_Delete(document);
    free(text);
    return sorted(f.schema);
}

void kube_schema_free(struct kube_schema *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->fields[i].path);
    free(s->fields);
    free(s);
}

size_t kube_schema_count(const struct kube_schema *s)
{
    return s->n;
}

/* ---- a Job is held against the list ---- */

struct checking {
    const struct kube_schema *schema;
    bool drop_unknown;
    struct kube_violation found;
};

static bool violated(struct checking *c, enum kube_fault fault, const char *shown, const char *want)
{
    c->found.fault = fault;
    c->found.want = want;
    snprintf(c->found.path, sizeof c->found.path, "%s", shown);
    return false;
}

static bool of_type(const cJSON *v, enum kube_type type)
{
    switch (type) {
    case KUBE_OBJECT:
    case KUBE_MAP:
        return cJSON_IsObject(v);
    case KUBE_ARRAY:
        return cJSON_IsArray(v);
    case KUBE_STRING:
        return cJSON_IsString(v);
    case KUBE_INTEGER:
        return cJSON_IsNumber(v) && (double)(int64_t)v->valuedouble == v->valuedouble;
    case KUBE_BOOLEAN:
        return cJSON_IsBool(v);
    case KUBE_QUANTITY:
    case KUBE_INT_OR_STRING:
        return cJSON_IsString(v) || cJSON_IsNumber(v);
    case KUBE_ANY:
        return true;
    }
    return false;
}

static bool all_required(struct checking *c, const char *path, const char *shown, const cJSON *v)
{
    size_t len = strlen(path);
    char missing[512];

    for (size_t i = 0; i < c->schema->n; i++) {
        const struct field *f = &c->schema->fields[i];
        if (!f->required || f->parent_len != len || strncmp(f->path, path, len) != 0)
            continue;
        const char *name = f->path + len + (len > 0);
        snprintf(missing, sizeof missing, "%s%s%s", shown, *shown ? "." : "", name);
        if (!cJSON_HasObjectItem(v, name))
            return violated(c, KUBE_MISSING, missing, NULL);
    }
    return true;
}

/* The paths of a part: as the list has it, and as it is shown. */
static void part_paths(char below[2][512], enum kube_type type, const char *path, const char *shown,
                       const cJSON *part, int index)
{
    const char *dot = *path ? "." : "";

    if (type == KUBE_ARRAY) {
        snprintf(below[0], 512, "%s[]", path);
        snprintf(below[1], 512, "%s[%d]", shown, index);
    } else if (type == KUBE_MAP) {
        snprintf(below[0], 512, "%s{}", path);
        snprintf(below[1], 512, "%s[%s]", shown, part->string);
    } else {
        snprintf(below[0], 512, "%s%s%s", path, dot, part->string);
        snprintf(below[1], 512, "%s%s%s", shown, dot, part->string);
    }
}

static const struct field *find(const struct kube_schema *s, char *path)
{
    const struct field wanted = {.path = path};

    return bsearch(&wanted, s->fields, s->n, sizeof wanted, by_path);
}

/* false ends the check. NOLINTNEXTLINE(misc-no-recursion): as deep as a Job */
static bool check(struct checking *c, char *path, const char *shown, cJSON *v)
{
    const struct field *f = find(c->schema, path);
    char below[2][512];
    int index = 0;

    if (!f)
        return violated(c, KUBE_UNKNOWN_FIELD, shown, NULL);
    if (cJSON_IsNull(v))
        return true;
    if (!of_type(v, f->type))
        return violated(c, KUBE_WRONG_TYPE, shown, type_words[f->type]);
    if (f->type != KUBE_OBJECT && f->type != KUBE_ARRAY && f->type != KUBE_MAP)
        return true;
    for (cJSON *part = v->child, *next; part; part = next) {
        next = part->next;
        part_paths(below, f->type, path, shown, part, index++);
        if (c->drop_unknown && f->type == KUBE_OBJECT && !find(c->schema, below[0]))
            cJSON_Delete(cJSON_DetachItemViaPointer(v, part));
        else if (!check(c, below[0], below[1], part))
            return false;
    }
    return f->type != KUBE_OBJECT || all_required(c, path, shown, v);
}

struct kube_violation kube_schema_check(const struct kube_schema *s, cJSON *job, bool drop_unknown)
{
    struct checking c = {.schema = s, .drop_unknown = drop_unknown};
    char root[1] = "";

    check(&c, root, "", job);
    return c.found;
}

bool kube_schema_knows(const struct kube_schema *s, const struct kube_field *f)
{
    char *path = xstrdup(f->path);
    const struct field *known = find(s, path);

    free(path);
    return known && known->required == f->required && (known->type == f->type || f->type == KUBE_ANY);
}
