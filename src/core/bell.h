/* bell: listens for a token in a list of the namespace (`bell`, `wake:<run>`), on a connection of its own. */
#ifndef RIVERS_CORE_BELL_H
#define RIVERS_CORE_BELL_H

#include "core/store.h"

struct bell;

/* on_ring tells that a token came, or that one may have been lost with the connection. */
struct bell *bell_new(struct store *store, const char *name, void (*on_ring)(void *arg), void *arg);
void bell_free(struct bell *b); /* not from on_ring */

/* Until it has rung once; nothing when it listens already. */
void bell_listen(struct bell *b);

#endif
