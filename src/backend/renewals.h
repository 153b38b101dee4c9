/*
 * renewals: renews the leases of runs for the executors below a guard, many in a call, and says so in their seats, before each of
 * them would ask for itself (terms.h). An executor that finds nothing there does: nothing depends on this one.
 *
 * A run is renewed while its executor lives: it says itself when it was alive last, and nobody else does.
 */
#ifndef RIVERS_BACKEND_RENEWALS_H
#define RIVERS_BACKEND_RENEWALS_H

#include "core/settings.h"
#include "core/store.h"
#include "exec/seats.h"

struct renewals;

/* All is borrowed, the seats until renewals_free. */
struct renewals *renewals_new(struct store *store, const struct settings *settings, struct seats *seats);
void renewals_free(struct renewals *rn); /* NULL is fine */

#endif
