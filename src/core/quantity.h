/* quantity: amounts of CPU and memory as Kubernetes writes them: "500m", "0.5", "512Mi", "1e3". */
#ifndef RIVERS_CORE_QUANTITY_H
#define RIVERS_CORE_QUANTITY_H

#include "base/err.h"
#include "base/json.h"

/* What Kubernetes' own reader takes, but no negative ones; in whole units (CPUs, bytes). On failure e says
 * only what is wrong. */
__attribute__((warn_unused_result)) int quantity_parse(double *value, const char *s, struct err *e);

/* The least that makes sense, which catches "512m" of memory: half a byte. */
__attribute__((warn_unused_result)) int quantity_check_cpu(const char *s, struct err *e);
__attribute__((warn_unused_result)) int quantity_check_memory(const char *s, struct err *e);

/* The same as readers of base/json.h: into is a char **, whose text is replaced. */
__attribute__((warn_unused_result)) int quantity_read_cpu(const struct cJSON *v, const struct json_path *at,
                                                          void *into, struct err *e);
__attribute__((warn_unused_result)) int
quantity_read_memory(const struct cJSON *v, const struct json_path *at, void *into, struct err *e);

#endif
