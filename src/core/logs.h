/* logs: reads what the steps of a run wrote, as it grows (`log:<run>/<step>`, of which the last MiB is kept).
 */
#ifndef RIVERS_CORE_LOGS_H
#define RIVERS_CORE_LOGS_H

#include <stdint.h>

#include "base/text.h"
#include "core/store.h"

struct log_reader { /* {.run, .step} begins at the first byte */
    const char *run, *step;
    int64_t at;      /* bytes read or dropped so far */
    int64_t dropped; /* bytes that were there and are no longer kept */
    int64_t missing; /* bytes that never came */
};

/* Adds what comes next, at most 64 KiB, to `out`; adds nothing at the end of what is there now. A line says
 * where bytes are missing. */
__attribute__((warn_unused_result)) int log_read(struct log_reader *l, struct store *s, struct text *out,
                                                 struct err *e);

#endif
