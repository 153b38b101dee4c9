#include "backend/backend.h"

#include <cjson/cJSON.h>
#include <string.h>

static const struct backend_type *const types[] = {&backend_local, &backend_command, &backend_kubernetes};

const struct backend_type *backend_type_of(const char *config, struct err *e)
{
    const struct backend_type *found = NULL;
    cJSON *document = cJSON_Parse(config);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "type"));

    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i]->name, name) == 0)
            found = types[i];
    if (!found)
        err_set(e, ERR_INVALID, "run_backend: unknown type '%s'", name ? name : config);
    cJSON_Delete(document);
    return found;
}
