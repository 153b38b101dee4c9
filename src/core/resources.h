/* resources: what a step asks of the node that runs its worker pod. */
#ifndef RIVERS_CORE_RESOURCES_H
#define RIVERS_CORE_RESOURCES_H

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

struct resources {
    char *cpu, *memory; /* quantities; NULL: those of the backend */
    int64_t gpu;        /* whole ones */
};

void resources_release(struct resources *r);

/* An object {"cpu", "memory", "gpu"}; r is for resources_release also after a failure. */
__attribute__((warn_unused_result)) int resources_read(const struct cJSON *v, const struct json_path *at,
                                                       struct resources *r, struct err *e);

/* Puts the member "resources"; nothing when nothing is asked. */
void resources_print(struct text *t, const struct resources *r);

#endif
