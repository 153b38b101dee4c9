#include "core/run_backend.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "core/command_backend.h"

static const struct json_member local_members[] = {
    {"type", NULL, 0, true},
};

static int check_local(const cJSON *v, const struct json_path *at, struct err *e)
{
    return json_object(v, at, local_members, sizeof local_members / sizeof *local_members, NULL, e);
}

static int check_command(const cJSON *v, const struct json_path *at, struct err *e)
{
    struct command_backend b;
    int failed = command_backend_read(v, at, &b, e);

    command_backend_release(&b);
    return failed;
}

static int check_kubernetes(const cJSON *v, const struct json_path *at, struct err *e)
{
    struct kube_backend b;
    int failed = kube_backend_read(v, at, &b, e);

    kube_backend_release(&b);
    return failed;
}

static const struct type {
    const char *name;
    int (*check)(const cJSON *v, const struct json_path *at, struct err *e);
} types[] = {
    {"local", check_local},
    {"command", check_command},
    {"kubernetes", check_kubernetes},
};

static void unknown_fault(const char *name, const struct json_path *at, struct err *e)
{
    struct text known = {0};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        text_addf(&known, "%s%s", i ? ", " : "", types[i].name);
    json_fault(e, at, "unknown type '%s', known: %s", name, text_get(&known));
    text_release(&known);
}

/* NULL: e. */
static const struct type *type_of(const cJSON *v, const struct json_path *at, struct err *e)
{
    struct json_path place = {at, "type", 0};
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(v, "type");

    if (!cJSON_IsString(name)) {
        json_fault(e, &place, name ? "must be a string" : "is required");
        return NULL;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(name->valuestring, types[i].name))
            return &types[i];
    unknown_fault(name->valuestring, &place, e);
    return NULL;
}

int run_backend_read(const cJSON *v, const struct json_path *at, char **text, struct err *e)
{
    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object");
    const struct type *type = type_of(v, at, e);
    if (!type || type->check(v, at, e))
        return -1;
    *text = json_print(v);
    return 0;
}
