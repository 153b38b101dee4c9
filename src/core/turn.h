/* turn: of many dequeuers that nobody rang for, one at a time looks whether anything is due. */
#ifndef RIVERS_CORE_TURN_H
#define RIVERS_CORE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store.h"

#define TURN_MS 100 /* as in lua/lib/queue/upkeep.lua, which says when somebody looked */

/* Asks by plain commands whether it is ours to look: not so where another one has just looked, nothing is ready, and the server
 * knows the token `seen`; one that knows less has lost history. `ours` says nothing
 * when e does. */
void turn_ask(struct store *s, int64_t seen, int64_t deadline_ms,
              void (*on_turn)(void *arg, bool ours, const struct err *e), void *arg);

#endif
