#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chaos/servers.h"

#define SLOTS      16384
#define MOVED_KEYS 50 /* in one call */

static bool cluster_is_up(struct chaos *c, int node)
{
    return says(ask_node(c, node, "CLUSTER INFO"), "cluster_state:ok") &&
           says(ask_node(c, node, "CLUSTER INFO"), "cluster_known_nodes:3");
}

/* A node without a slot would become a replica: each has a part of them. */
void cluster_start(struct chaos *c)
{
    int64_t deadline = clock_mono_ms() + UP_MS;
    size_t n = (size_t)snprintf(c->url, sizeof c->url, "redis+cluster://");

    for (int i = 0; i < c->topology->nodes; i++) {
        struct node *node = &c->nodes[i];
        node_listen(node);
        node_option(node, "--cluster-enabled", "yes");
        node_start(node);
        must(ask_node(c, i, "CLUSTER SET-CONFIG-EPOCH %d", i + 1), "the epoch of a node");
        must(ask_node(c, 0, "CLUSTER MEET 127.0.0.1 %d", node->port), "the nodes meet");
        n += (size_t)snprintf(c->url + n, sizeof c->url - n, "%s127.0.0.1:%d", i ? "," : "", node->port);
    }
    for (int i = 0, from = 0; i < c->topology->nodes; i++, from += SLOTS / c->topology->nodes + 1) {
        int to = from + SLOTS / c->topology->nodes;
        must(ask_node(c, i, "CLUSTER ADDSLOTSRANGE %d %d", from, to < SLOTS ? to : SLOTS - 1),
             "the slots of a node");
    }
    for (int i = 0; i < c->topology->nodes; i++)
        while (!cluster_is_up(c, i)) {
            if (clock_mono_ms() > deadline)
                die("the cluster does not come up");
            nap(50);
        }
    c->slot = (int)count(c, "CLUSTER KEYSLOT " PREFIX);
    c->owner = c->slot / (SLOTS / c->topology->nodes + 1);
}

static char *node_id(struct chaos *c, int node)
{
    redisReply *r = ask_node(c, node, "CLUSTER MYID");
    char *id = r ? xstrdup(r->str) : NULL;

    freeReplyObject(r);
    return id;
}

/* -1: not known; else how many are left to move. */
static int keys_move(struct chaos *c, int to)
{
    redisReply *keys = ask_node(c, c->owner, "CLUSTER GETKEYSINSLOT %d %d", c->slot, MOVED_KEYS);
    int n = keys ? (int)keys->elements : -1;
    const char *argv[8 + MOVED_KEYS] = {"MIGRATE", "127.0.0.1", c->nodes[to].port_text, "", "0", "5000",
                                        "REPLACE", "KEYS"};

    for (int i = 0; i < n; i++)
        argv[8 + i] = keys->element[i]->str;
    redisContext *redis = n > 0 ? node_connect(&c->nodes[c->owner]) : NULL;
    redisReply *r = redis ? redisCommandArgv(redis, 8 + n, argv, NULL) : NULL;
    if (n > 0 && (!r || r->type == REDIS_REPLY_ERROR))
        n = -1;
    freeReplyObject(r);
    if (redis)
        redisFree(redis);
    freeReplyObject(keys);
    return n;
}

static bool owns_slot(struct chaos *c, int node)
{
    return done(ask_node(c, node, "GET " PREFIX "nothing"));
}

/* Clients do not see what was moved by us. Nobody has it for others while it moves. */
int cluster_active(struct chaos *c)
{
    if (owns_slot(c, c->owner))
        return c->owner;
    for (int i = 0; i < c->topology->nodes; i++)
        if (i != c->owner && !c->nodes[i].stands && owns_slot(c, i))
            c->owner = i;
    return c->owner;
}

/* Whatever fails is done again by the next call. What the last owner is not told by us the others tell it. */
bool slot_move(struct chaos *c, int to)
{
    char *from_id = node_id(c, c->owner), *to_id = node_id(c, to);
    bool moved = owns_slot(c, to);

    if (!moved && from_id && to_id &&
        done(ask_node(c, to, "CLUSTER SETSLOT %d IMPORTING %s", c->slot, from_id)) &&
        done(ask_node(c, c->owner, "CLUSTER SETSLOT %d MIGRATING %s", c->slot, to_id)) &&
        keys_move(c, to) == 0)
        moved = done(ask_node(c, to, "CLUSTER SETSLOT %d NODE %s", c->slot, to_id));
    if (moved) {
        (void)done(ask_node(c, c->owner, "CLUSTER SETSLOT %d NODE %s", c->slot, to_id));
        c->owner = to;
    }
    free(from_id);
    free(to_id);
    return !moved;
}
