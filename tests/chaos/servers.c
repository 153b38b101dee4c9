#include "chaos/servers.h"

#include <stdarg.h>
#include <string.h>

/* --- asking */

int active(struct chaos *c)
{
    int node = c->topology->active(c);

    return node < 0 ? 0 : node;
}

/* On the same connection. */
static bool replica_has_it(struct chaos *c, redisContext *redis)
{
    redisReply *r = c->topology->has_replicas ? redisCommand(redis, "WAIT 1 500") : NULL;
    bool yes = !c->topology->has_replicas || (r && r->type == REDIS_REPLY_INTEGER && r->integer > 0);

    freeReplyObject(r);
    return yes;
}

redisReply *ask_durably(struct chaos *c, const char *format, ...)
{
    redisContext *redis = node_connect(&c->nodes[active(c)]);
    va_list args;

    va_start(args, format);
    redisReply *r = redis ? redisvCommand(redis, format, args) : NULL;
    va_end(args);
    if (r && (r->type == REDIS_REPLY_ERROR || !replica_has_it(c, redis))) {
        freeReplyObject(r);
        r = NULL;
    }
    if (redis)
        redisFree(redis);
    return r;
}

redisReply *ask(struct chaos *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    redisReply *r = ask_over(node_connect(&c->nodes[active(c)]), format, args);
    va_end(args);
    return r;
}

int64_t count(struct chaos *c, const char *command)
{
    redisReply *r = ask(c, command);
    int64_t n = r && r->type == REDIS_REPLY_INTEGER ? r->integer : -1;

    freeReplyObject(r);
    return n;
}

/* --- nodes */

bool any_stands(const struct chaos *c)
{
    bool any = false;

    for (int i = 0; i < c->topology->nodes; i++)
        any = any || c->nodes[i].stands;
    return any;
}

void node_restart(struct chaos *c, int node)
{
    if (c->topology->has_replicas) {
        int master = active(c);
        node_follow(&c->nodes[node], master == node ? NULL : &c->nodes[master]);
    }
    redis_server_restart(&c->nodes[node].server);
}

/* --- one server, each process behind a proxy of its own */

static void one_start(struct chaos *c)
{
    node_start(&c->nodes[0]);
    for (int i = 0; i < PROXIES; i++)
        c->proxies[i] = proxy_new(&c->nodes[0].server);
}

static int one_active(struct chaos *c)
{
    (void)c;
    return 0;
}

/* --- all */

static const struct topology topologies[] = {
    {"one", 1, 3000, false, one_start, one_active},
    {"sentinel", 2, 6000, true, sentinels_start, sentinels_active},
    {"cluster", 3, 6000, false, cluster_start, cluster_active},
};

const struct topology *topology_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof topologies / sizeof *topologies; i++)
        if (strcmp(name, topologies[i].name) == 0)
            return &topologies[i];
    return NULL;
}

void servers_start(struct chaos *c)
{
    for (int i = 0; i < c->topology->nodes; i++)
        node_init(c, &c->nodes[i]);
    c->topology->start(c);
}

void servers_stop(struct chaos *c)
{
    for (int i = 0; i < PROXIES && c->proxies[i]; i++)
        proxy_free(c->proxies[i]);
    for (int i = 0; i < c->topology->nodes; i++)
        redis_server_stop(&c->nodes[i].server);
}
