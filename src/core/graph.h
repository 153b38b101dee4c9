/* graph: which step of a run waits for which. */
#ifndef RIVERS_CORE_GRAPH_H
#define RIVERS_CORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "core/step.h"

/* Fills in the needs of the steps that were read from `list`. When none has the member `needs`, they run one
 * after the other: each needs the one before; as soon as one has it, steps without are roots. Names given
 * twice, unknown names and cycles are refused. `at` is the list's place. */
__attribute__((warn_unused_result)) int graph_read(struct step *steps, size_t n, const struct cJSON *list,
                                                   const struct json_path *at, struct err *e);

/* Whether the steps run one after the other, so that a list without `needs` says the same. */
bool graph_is_chain(const struct step *steps, size_t n);

#endif
