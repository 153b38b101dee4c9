/* servers: the Redis that rivers works on: one server; a master and its replica under sentinels; the nodes of a cluster. */
#ifndef RIVERS_TESTS_CHAOS_SERVERS_H
#define RIVERS_TESTS_CHAOS_SERVERS_H

#include "chaos/nodes.h"

#define UP_MS 60000 /* servers find each other within it */

struct topology {
    const char *name;
    int nodes, lease_ms; /* of runs and slots: longer than the outages that belong to it */
    bool has_replicas;   /* submissions are durable */
    void (*start)(struct chaos *c);
    int (*active)(struct chaos *c); /* the node that has the namespace, -1: not known now */
};

const struct topology *topology_by_name(const char *name); /* NULL: there is none */

/* Starts the servers, and decides where processes find them. Ends the program when that fails. */
void servers_start(struct chaos *c);
void servers_stop(struct chaos *c);

void sentinels_start(struct chaos *c);
int sentinels_active(struct chaos *c);
void cluster_start(struct chaos *c);
int cluster_active(struct chaos *c);

/* As in nodes.h, of the one that has the namespace; durably: a replica has what it changed, where there are some. */
redisReply *ask(struct chaos *c, const char *format, ...);
redisReply *ask_durably(struct chaos *c, const char *format, ...);
int64_t count(struct chaos *c, const char *command); /* -1: no answer */

/* The node that has the namespace; 0 when that is not known. */
int active(struct chaos *c);

/* Starts a node that was killed as what it is now: a master, or the replica of the one that was promoted meanwhile. */
void node_restart(struct chaos *c, int node);

bool any_stands(const struct chaos *c); /* stopped by SIGSTOP */

/* Moves the slot of the namespace to another node, a few keys a call; false: it is done. */
bool slot_move(struct chaos *c, int to);

#endif
