/* env: the environment variables that a run or a step adds. */
#ifndef RIVERS_CORE_ENV_H
#define RIVERS_CORE_ENV_H

#include <stddef.h>

#include "base/json.h"
#include "base/text.h"

struct env_var {
    char *name; /* [A-Za-z_][A-Za-z0-9_]* */
    char *value;
};

__attribute__((warn_unused_result)) int env_name_check(const char *name, struct err *e);

/* An object of strings; *env and *n are for env_release, also after a failure. */
__attribute__((warn_unused_result)) int env_read(const struct cJSON *v, const struct json_path *at,
                                                 struct env_var **env, size_t *n, struct err *e);
void env_release(struct env_var *env, size_t n);

/* Puts the member "env"; nothing when there is none. */
void env_print(struct text *t, const struct env_var *env, size_t n);

#endif
