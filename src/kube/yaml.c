#include "kube/yaml.h"

#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#define LIBRARY    "libyaml-0.so.2"
#define DEPTH_MAX  64
#define VALUES_MAX 20000

/* The members are called like the functions without their "yaml_". */
struct library {
    void *handle;
    int (*parser_initialize)(yaml_parser_t *parser);
    void (*parser_set_input_string)(yaml_parser_t *parser, const unsigned char *s, size_t len);
    int (*parser_load)(yaml_parser_t *parser, yaml_document_t *document);
    void (*parser_delete)(yaml_parser_t *parser);
    yaml_node_t *(*document_get_root_node)(yaml_document_t *document);
    yaml_node_t *(*document_get_node)(yaml_document_t *document, int index);
    void (*document_delete)(yaml_document_t *document);
};

static const struct symbol {
    const char *name;
    size_t offset; /* in struct library */
} symbols[] = {
#define SYMBOL(member)                                                                                       \
    {                                                                                                        \
        "yaml_" #member, offsetof(struct library, member)                                                    \
    }
    SYMBOL(parser_initialize), SYMBOL(parser_set_input_string), SYMBOL(parser_load),
    SYMBOL(parser_delete),     SYMBOL(document_get_root_node),  SYMBOL(document_get_node),
    SYMBOL(document_delete),
#undef SYMBOL
};

struct reading {
    const struct library *yaml;
    yaml_document_t *document;
    int values;
    struct err *e;
};

static int library_load(struct library *l, struct err *e)
{
    *l = (struct library){.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)};
    if (!l->handle) {
        err_set(e, ERR_SYSTEM, "cannot load libyaml: %s", dlerror());
        return -1;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *address = dlsym(l->handle, symbols[i].name);
        if (!address) {
            dlclose(l->handle);
            err_set(e, ERR_SYSTEM, "cannot load libyaml: %s has no %s", LIBRARY, symbols[i].name);
            return -1;
        }
        memcpy((char *)l + symbols[i].offset, &address, sizeof address);
    }
    return 0;
}

static cJSON *fault(struct reading *r, yaml_mark_t at, const char *what)
{
    err_set(r->e, ERR_INVALID, "line %zu, column %zu: %s", at.line + 1, at.column + 1, what);
    return NULL;
}

/* The word of a plain scalar means what it says; in quotes it is text. */
static cJSON *scalar(struct reading *r, const yaml_node_t *node)
{
    const char *s = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (strlen(s) != node->data.scalar.length)
        return fault(r, node->start_mark, "a NUL byte");
    if (plain && (!*s || !strcmp(s, "~") || !strcmp(s, "null")))
        return cJSON_CreateNull();
    if (plain && (!strcmp(s, "true") || !strcmp(s, "false")))
        return cJSON_CreateBool(*s == 't');
    return cJSON_CreateString(s);
}

static cJSON *value(struct reading *r, int index, int depth);

static cJSON *sequence(struct reading *r, const yaml_node_t *node, int depth)
{
    cJSON *array = cJSON_CreateArray();

    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
         item++) {
        cJSON *element = value(r, *item, depth + 1);
        if (!element) {
            cJSON_Delete(array);
            return NULL;
        }
        cJSON_AddItemToArray(array, element);
    }
    return array;
}

/* NULL and a fault when the node cannot be a new key of the object. */
static const char *key_of(struct reading *r, const cJSON *object, int index)
{
    const yaml_node_t *node = r->yaml->document_get_node(r->document, index);
    const char *s = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;

    if (!s || strlen(s) != node->data.scalar.length)
        fault(r, node->start_mark, "a key that is no text");
    else if (cJSON_GetObjectItemCaseSensitive(object, s))
        fault(r, node->start_mark, "a key that was given before");
    else
        return s;
    return NULL;
}

static cJSON *mapping(struct reading *r, const yaml_node_t *node, int depth)
{
    cJSON *object = cJSON_CreateObject();

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        const char *key = key_of(r, object, pair->key);
        cJSON *member = key ? value(r, pair->value, depth + 1) : NULL;
        if (!member) {
            cJSON_Delete(object);
            return NULL;
        }
        cJSON_AddItemToObject(object, key, member);
    }
    return object;
}

static cJSON *value(struct reading *r, int index, int depth)
{
    const yaml_node_t *node = r->yaml->document_get_node(r->document, index);

    if (++r->values > VALUES_MAX)
        return fault(r, node->start_mark, "too many values");
    if (depth > DEPTH_MAX)
        return fault(r, node->start_mark, "nested too deeply");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return scalar(r, node);
    case YAML_SEQUENCE_NODE:
        return sequence(r, node, depth);
    case YAML_MAPPING_NODE:
        return mapping(r, node, depth);
    case YAML_NO_NODE:
        break;
    }
    return fault(r, node->start_mark, "not a value");
}

/* false and a fault when the text is no YAML. */
static bool load(struct reading *r, yaml_parser_t *parser)
{
    if (r->yaml->parser_load(parser, r->document))
        return true;
    fault(r, parser->problem_mark, parser->problem ? parser->problem : "not readable as YAML");
    return false;
}

static cJSON *first_document(struct reading *r, yaml_parser_t *parser)
{
    cJSON *tree = NULL;

    if (!load(r, parser))
        return NULL;
    if (r->yaml->document_get_root_node(r->document))
        tree = value(r, 1, 0);
    else
        tree = cJSON_CreateNull();
    r->yaml->document_delete(r->document);
    return tree;
}

static cJSON *only_document(struct reading *r, yaml_parser_t *parser)
{
    cJSON *tree = first_document(r, parser);
    bool alone = tree && load(r, parser);

    if (alone) {
        alone = !r->yaml->document_get_root_node(r->document);
        if (!alone)
            fault(r, r->document->start_mark, "a second document");
        r->yaml->document_delete(r->document);
    }
    if (alone)
        return tree;
    cJSON_Delete(tree);
    return NULL;
}

cJSON *yaml_parse(const char *s, size_t len, struct err *e)
{
    struct library library;
    yaml_parser_t parser;
    yaml_document_t document;
    struct reading r = {.yaml = &library, .document = &document, .e = e};

    if (library_load(&library, e))
        return NULL;
    library.parser_initialize(&parser);
    library.parser_set_input_string(&parser, (const unsigned char *)s, len);
    cJSON *tree = only_document(&r, &parser);
    library.parser_delete(&parser);
    dlclose(library.handle);
    return tree;
}
