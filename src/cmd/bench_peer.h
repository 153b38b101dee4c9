/* bench_peer: a client in a process of its own, which notes when what it waits for has come; the clock is the same in both. */
#ifndef RIVERS_CMD_BENCH_PEER_H
#define RIVERS_CMD_BENCH_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/bench.h"

struct peer {
    pid_t pid;
    int socket;
};

/* `be` is called in that process, with a connection of its own in b, and returns when there is no further round. */
void peer_open(struct peer *p, struct bench *b, void (*be)(struct bench *b, const struct peer *p));
void peer_close(struct peer *p);

/* --- here */

void peer_go(const struct peer *p, struct bench *b); /* the next round: returns when it begins to wait */
double peer_woken_us(const struct peer *p, struct bench *b); /* when it had what it waited for */

/* --- in that process */

bool peer_next(const struct peer *p); /* waits for the next round; false: there is none */
void peer_waits(const struct peer *p);
void peer_tell(const struct peer *p, double woken_us);

/* --- the least that waiting can cost: arg is a peer that is peer_popper, woken by a push; in µs */

void peer_popper(struct bench *b, const struct peer *p);
double peer_blpop_us(struct bench *b, void *arg);

#endif
