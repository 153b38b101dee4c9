/* bell: waits for a token in a list of the namespace (`bell`, `wake:<run>`), on a connection of its own. */
#ifndef RIVERS_CORE_BELL_H
#define RIVERS_CORE_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store.h"

struct bell;

/* on_ring answers each bell_wait once: rung, or the time was over (also when the server could not be asked).
 */
struct bell *bell_new(struct store *store, const char *name, void (*on_ring)(void *arg, bool rung),
                      void *arg);
void bell_free(struct bell *b); /* a wait that is under way ends without an answer */

void bell_wait(struct bell *b, int64_t timeout_ms); /* one at a time; timeout_ms > 0 */

#endif
