/* redis_server: a private redis-server for one test binary: unix socket, own temporary directory, gone when
 * the test binary ends, also when it is killed (PR_SET_PDEATHSIG). */
#ifndef RIVERS_TESTS_REDIS_SERVER_H
#define RIVERS_TESTS_REDIS_SERVER_H

#include <sys/types.h>

/* The environment variable with what is loaded into the server (LD_PRELOAD), and into nothing else. */
#define REDIS_SERVER_PRELOAD "REDIS_SERVER_PRELOAD"

struct redis_server {
    char dir[64];             /* temporary directory, removed by redis_server_stop */
    char url[128];            /* unix:///<dir>/redis.sock */
    const char *const *extra; /* as given: borrowed, for restarts */
    pid_t pid;
};

/* Starts and waits until it answers; extra: NULL-terminated redis-server options, or NULL. Ends the test
 * binary with a message when that fails. */
void redis_server_start(struct redis_server *s, const char *const *extra);
void redis_server_kill(struct redis_server *s);    /* kill -9, keeps the directory */
void redis_server_restart(struct redis_server *s); /* after kill: same directory, same socket */
void redis_server_stop(struct redis_server *s);    /* ends it and removes the directory */

#endif
