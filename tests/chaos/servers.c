#include "chaos/servers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/port.h"

#define UP_MS      60000 /* servers that find each other */
#define SLOTS      16384
#define MOVED_KEYS 50 /* in one call */

static const struct timeval patience = {.tv_sec = 5};

/* --- asking */

static redisContext *connected(redisContext *redis)
{
    if (!redis || !redis->err) {
        if (redis)
            redisSetTimeout(redis, patience);
        return redis;
    }
    redisFree(redis);
    return NULL;
}

static redisContext *node_connect(const struct node *n)
{
    char path[128];

    snprintf(path, sizeof path, "%s/redis.sock", n->server.dir);
    return connected(redisConnectUnixWithTimeout(path, patience));
}

static redisReply *ask_over(redisContext *redis, const char *format, va_list args)
{
    redisReply *r = redis ? redisvCommand(redis, format, args) : NULL;

    if (redis)
        redisFree(redis);
    if (r && r->type == REDIS_REPLY_ERROR) {
        freeReplyObject(r);
        return NULL;
    }
    return r;
}

redisReply *ask_node(struct chaos *c, int node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    redisReply *r = ask_over(node_connect(&c->nodes[node]), format, args);
    va_end(args);
    return r;
}

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

static redisReply *ask_port(int port, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    redisReply *r = ask_over(
        connected(redisConnectWithTimeout("127.0.0.1", port, (struct timeval){.tv_sec = 1})), format, args);
    va_end(args);
    return r;
}

static bool says(redisReply *r, const char *text)
{
    bool yes = r && r->str && strstr(r->str, text);

    freeReplyObject(r);
    return yes;
}

static void must(redisReply *r, const char *what)
{
    if (!r)
        die(what);
    freeReplyObject(r);
}

/* --- nodes */

static void add_option(struct node *n, const char *name, const char *value)
{
    size_t i = 0;

    while (n->extra[i])
        i++;
    n->extra[i] = name;
    n->extra[i + 1] = value;
}

static void node_init(struct chaos *c, struct node *n)
{
    add_option(n, "--appendonly", "yes");
    add_option(n, "--appendfsync", c->sync);
}

static void node_listen(struct node *n)
{
    n->port = port_free();
    snprintf(n->port_text, sizeof n->port_text, "%d", n->port);
    add_option(n, "--port", n->port_text);
    add_option(n, "--bind", "127.0.0.1");
}

/* Of which node it is the replica; NULL: of none. Two options at the end, the second of two words. */
static void node_follow(struct node *n, const struct node *master)
{
    size_t i = 0;

    while (n->extra[i] && strcmp(n->extra[i], "--replicaof") != 0)
        i++;
    n->extra[i] = n->extra[i + 1] = n->extra[i + 2] = NULL;
    if (!master)
        return;
    snprintf(n->master_text, sizeof n->master_text, "%d", master->port);
    n->extra[i] = "--replicaof";
    n->extra[i + 1] = "127.0.0.1";
    n->extra[i + 2] = n->master_text;
}

static void node_start(struct node *n)
{
    redis_server_start(&n->server, n->extra);
}

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

/* --- sentinels */

/* A sentinel keeps what it knows in its configuration. It has the true clock. */
static void sentinel_start(struct chaos *c, int i)
{
    char path[128];
    pid_t parent = getpid();

    c->sentinel_ports[i] = port_free();
    snprintf(path, sizeof path, "%s/sentinel%d.conf", c->dir, i);
    FILE *f = fopen(path, "we");
    if (!f)
        die(path);
    fprintf(f,
            "port %d\nbind 127.0.0.1\nlogfile %s/sentinel%d.log\nsentinel monitor queue 127.0.0.1 %d 2\n"
            "sentinel down-after-milliseconds queue 1500\nsentinel failover-timeout queue 5000\n",
            c->sentinel_ports[i], c->dir, i, c->nodes[0].port);
    fclose(f);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execlp("redis-server", "redis-server", path, "--sentinel", (char *)NULL);
    _exit(127);
}

static bool sentinel_is_ready(int port)
{
    redisReply *replicas = ask_port(port, "SENTINEL replicas queue");
    bool knows = replicas && replicas->elements == 1;

    freeReplyObject(replicas);
    return knows && says(ask_port(port, "SENTINEL ckquorum queue"), "OK 3 usable");
}

static void sentinels_await(struct chaos *c)
{
    int64_t deadline = clock_mono_ms() + UP_MS;

    for (int i = 0; i < SENTINELS; i++)
        while (!sentinel_is_ready(c->sentinel_ports[i])) {
            if (clock_mono_ms() > deadline)
                die("the sentinels do not agree");
            nap(50);
        }
}

static void sentinel_topology_start(struct chaos *c)
{
    size_t n = (size_t)snprintf(c->url, sizeof c->url, "redis+sentinel://");

    for (int i = 0; i < c->topology->nodes; i++) {
        node_listen(&c->nodes[i]);
        add_option(&c->nodes[i], "--min-replicas-to-write", "1");
        add_option(&c->nodes[i], "--min-replicas-max-lag", "2");
        add_option(&c->nodes[i], "--repl-diskless-sync-delay", "0");
        node_follow(&c->nodes[i], i ? &c->nodes[0] : NULL);
        node_start(&c->nodes[i]);
    }
    for (int i = 0; i < SENTINELS; i++) {
        sentinel_start(c, i);
        n += (size_t)snprintf(c->url + n, sizeof c->url - n, "%s127.0.0.1:%d", i ? "," : "",
                              c->sentinel_ports[i]);
    }
    snprintf(c->url + n, sizeof c->url - n, "/queue");
    sentinels_await(c);
}

static int sentinel_active(struct chaos *c)
{
    int found = -1;

    for (int i = 0; i < SENTINELS && found < 0; i++) {
        redisReply *r = ask_port(c->sentinel_ports[i], "SENTINEL get-master-addr-by-name queue");
        for (int n = 0; r && r->elements == 2 && n < c->topology->nodes; n++)
            if (strcmp(r->element[1]->str, c->nodes[n].port_text) == 0)
                found = n;
        freeReplyObject(r);
    }
    return found;
}

/* --- a cluster */

static bool cluster_is_up(struct chaos *c, int node)
{
    return says(ask_node(c, node, "CLUSTER INFO"), "cluster_state:ok") &&
           says(ask_node(c, node, "CLUSTER INFO"), "cluster_known_nodes:3");
}

/* A node without a slot would become a replica: each has a part of them. */
static void cluster_start(struct chaos *c)
{
    int64_t deadline = clock_mono_ms() + UP_MS;
    size_t n = (size_t)snprintf(c->url, sizeof c->url, "redis+cluster://");

    for (int i = 0; i < c->topology->nodes; i++) {
        struct node *node = &c->nodes[i];
        node_listen(node);
        add_option(node, "--cluster-enabled", "yes");
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

/* Whether a node did it. */
static bool done(redisReply *r)
{
    freeReplyObject(r);
    return r != NULL;
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
static int cluster_active(struct chaos *c)
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

/* --- all */

static const struct topology topologies[] = {
    {"one", 1, 3000, false, one_start, one_active},
    {"sentinel", 2, 6000, true, sentinel_topology_start, sentinel_active},
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
