/* redis_host: the clock and the disk of the host of a private redis-server, as a test wants them
 * (tests/preload/redis_host.c is loaded into the server). Both may change at any time. */
#ifndef RIVERS_TESTS_REDIS_HOST_H
#define RIVERS_TESTS_REDIS_HOST_H

#include <stdatomic.h>
#include <stdint.h>

#define REDIS_HOST_PAGE "REDIS_HOST_PAGE" /* the environment variable that names the file with the page */

struct redis_host_page {
    _Atomic int64_t clock_offset_s; /* from the true time */
    _Atomic int
        holds_unsynced; /* read when the server starts: what was not synced is lost when it is killed */
};

/* The page, in a new file `host` of dir. Servers that start from now on have this host: library is the shared
 * object. NULL and errno when that fails. */
struct redis_host_page *redis_host_new(const char *dir, const char *library);

#endif
