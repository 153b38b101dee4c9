/* duration: spans of time as people write them: "250ms", "1h 30m" (the grammar and the error texts of
 * humantime 2.4). */
#ifndef RIVERS_BASE_DURATION_H
#define RIVERS_BASE_DURATION_H

#include <stdint.h>

#include "base/err.h"

struct duration {
    uint64_t s;
    uint32_t ns; /* < 1,000,000,000 */
};

/* On failure e says only what is wrong ("time unit needed, for example 5sec or 5ms"). */
__attribute__((warn_unused_result)) int duration_parse(struct duration *d, const char *s, struct err *e);

/* In milliseconds, rounded up to the next whole one, limited to 10^15. On failure e reads
 * `invalid duration for '<name>': "<s>" — <what is wrong>. Examples: "30s", "5m", "1h30m", "250ms"`. */
__attribute__((warn_unused_result)) int duration_parse_ms(int64_t *ms, const char *name, const char *s,
                                                          struct err *e);

/* Shortest exact form, "10m", "1h 30m", "250ms", "0s". buf holds at least 64 bytes; returns buf. */
char *duration_print_ms(int64_t ms, char *buf, unsigned long size);

#endif
