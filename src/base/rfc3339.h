/* rfc3339: points in time as APIs write them: "2026-11-24T05:00:00Z". */
#ifndef RIVERS_BASE_RFC3339_H
#define RIVERS_BASE_RFC3339_H

#include <stdint.h>

/* Wall clock, ms. Fractions of a second and offsets are understood. -1: s is no time. */
__attribute__((warn_unused_result)) int rfc3339_parse(const char *s, int64_t *at);

#endif
