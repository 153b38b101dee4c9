#include "core/env.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "core/name.h"

int env_name_check(const char *name, struct err *e)
{
    if (name_is_env(name))
        return 0;
    return err_set(e, ERR_INVALID, "'%s' cannot name an environment variable: letters, digits and _ can",
                   name);
}

int env_read(const cJSON *v, const struct json_path *at, struct env_var **env, size_t *n, struct err *e)
{
    const char *value;

    if (!cJSON_IsObject(v))
        return json_fault(e, at, "must be an object");
    *env = xcalloc((size_t)cJSON_GetArraySize(v), sizeof **env);
    for (const cJSON *child = v->child; child; child = child->next) {
        struct json_path below = {at, child->string, 0};
        if (env_name_check(child->string, e))
            return json_place(e, at);
        if (json_string(child, &below, &value, e))
            return -1;
        (*env)[(*n)++] = (struct env_var){xstrdup(child->string), xstrdup(value)};
    }
    return 0;
}

void env_release(struct env_var *env, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(env[i].name);
        free(env[i].value);
    }
    free(env);
}

void env_print(struct text *t, const struct env_var *env, size_t n)
{
    if (!n)
        return;
    json_put_key(t, "env");
    json_put_open(t, '{');
    for (size_t i = 0; i < n; i++)
        json_put_string_member(t, env[i].name, env[i].value);
    json_put_close(t, '}');
}
