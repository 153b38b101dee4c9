/* run_backend: the setting that says what launches executors: an object with a type and the members of that
 * type. */
#ifndef RIVERS_CORE_RUN_BACKEND_H
#define RIVERS_CORE_RUN_BACKEND_H

#include "base/json.h"
#include "core/kube_backend.h"

/* Checks the object and prints it on one line, as it is stored; *text is owned by the caller. */
__attribute__((warn_unused_result)) int run_backend_read(const struct cJSON *v, const struct json_path *at,
                                                         char **text, struct err *e);

#endif
