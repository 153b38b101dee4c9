/* chaos: what its rooms share: the servers, the processes that work on them, the file in which all is written down. */
#ifndef RIVERS_TESTS_CHAOS_H
#define RIVERS_TESTS_CHAOS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "support/proxy.h"
#include "support/redis_host.h"
#include "support/redis_server.h"

#define DEQUEUERS 3
#define CLIENTS   2
#define PROXIES   (DEQUEUERS + CLIENTS)
#define SERVERS   3
#define SENTINELS 3
#define PREFIX    "rivers:{chaos}:"

struct topology;

/* A server of Redis, with its port where others have to find it. */
struct node {
    struct redis_server server; /* pid 0: it was killed, and is not back yet */
    bool stands;                /* is stopped by SIGSTOP */
    int port;
    char port_text[8], master_text[8];
    const char *extra[24]; /* its options */
};

struct chaos {
    const struct topology *topology;
    struct node nodes[SERVERS];
    int sentinel_ports[SENTINELS];
    int owner, slot; /* of a cluster: the node that has the slot of the namespace */
    int master;      /* under sentinels: the last one that was seen */
    char url[256];   /* what processes are given; "": each a proxy of its own */
    struct proxy *proxies[PROXIES];
    pid_t dequeuers[DEQUEUERS], clients[CLIENTS];
    const char *dir, *rivers;
    unsigned short seed[3];
    int history;
    struct redis_host_page *host;
    const char *sync;                /* appendfsync */
    const char *only;                /* NULL: all faults */
    int64_t paused_until;            /* by CLIENT PAUSE, which ends by the wall clock of the server */
    int64_t stopped_at, stood_until; /* the last time that the server stood */
    int64_t trouble_at;              /* wall clock: the last time that the server was stopped or killed */
    char last_token[24];             /* the last that was seen by us */
    int unsure[4]; /* the values of limits that no replica is known to have; 0: it is known */
    bool short_memory;
};

/* One write, as short as it is: others append to the same file. */
#define note(c, ...) ((void)dprintf((c)->history, __VA_ARGS__))

bool syncs_late(const struct chaos *c); /* what Redis answered may not be on its disk */
_Noreturn void die(const char *what);
int below(struct chaos *c, int n);
void nap(int ms);

#endif
