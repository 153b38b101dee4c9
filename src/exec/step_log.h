/* step_log: what a step writes, on its way to the log in Redis: sent in chunks while the step runs, bounded when the server
 * does not keep up or is away. */
#ifndef RIVERS_EXEC_STEP_LOG_H
#define RIVERS_EXEC_STEP_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/execution.h"

struct step_log;

/* x, step and refused are borrowed. *refused becomes true when the server would not keep some of it, which is then counted by
 * a call of its own. */
struct step_log *step_log_new(struct store *store, const struct execution *x, const char *step,
                              bool *refused);
void step_log_free(
    struct step_log *l); /* what was sent still arrives; what was not is dropped: flush first */

void step_log_add(struct step_log *l, const char *bytes, size_t n);
void step_log_flush(struct step_log *l); /* sends all that waits */

#endif
