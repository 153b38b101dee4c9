/* yaml: a YAML document as the same tree that JSON makes. libyaml is loaded for it. */
#ifndef RIVERS_KUBE_YAML_H
#define RIVERS_KUBE_YAML_H

#include <stddef.h>

#include "base/err.h"

struct cJSON;

/* Owned by the caller. Scalars are strings but the plain words true, false and null (or nothing at all). Refuses a second
 * document, keys that are no text or given twice, NUL bytes, nesting > 64 and more than 20,000 values, those that aliases
 * repeat counted each time. e: `line 3, column 7: ...`. */
struct cJSON *yaml_parse(const char *s, size_t len, struct err *e);

#endif
