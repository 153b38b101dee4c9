/* embedded: a private redis-server for one directory: unix socket, append-only file, nobody else's. What
 * `rivers dev` runs on, and what rivers finds in `.rivers/` of this or a parent directory. */
#ifndef RIVERS_DAEMON_EMBEDDED_H
#define RIVERS_DAEMON_EMBEDDED_H

#include "base/err.h"

struct event_base;

struct embedded {
    char *dir; /* absolute */
    char *url; /* unix://<dir>/redis.sock */
    int lock;  /* held while it is ours: one `rivers dev` a directory */
};

/* Starts the server in dir (made when missing), or takes over the one that an earlier `rivers dev` left
 * running. Blocks until it answers. */
__attribute__((warn_unused_result)) int embedded_start(struct embedded *em, const char *dir, struct err *e);

/* Ends the server, with everything on disk, and waits until it is gone. */
void embedded_stop(struct embedded *em);

#endif
