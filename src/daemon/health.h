/* health: a file for whoever watches over a daemon: one line, `ready` or `not ready: <why>`, which is written again every few
 * seconds. One that is old says that the daemon stands still. */
#ifndef RIVERS_DAEMON_HEALTH_H
#define RIVERS_DAEMON_HEALTH_H

#include "base/err.h"

#define HEALTH_MS 5000 /* from one write to the next, unless there is something new */

struct event_base;
struct health;

/* Not ready yet. NULL and e when the file cannot be written. */
struct health *health_new(struct event_base *base, const char *file, struct err *e);
void health_free(struct health *h); /* removes the file; NULL is fine */

void health_tell(struct health *h, const char *why); /* why not; NULL: ready. h NULL: nobody wants to know */

#endif
