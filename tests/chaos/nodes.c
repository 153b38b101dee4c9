#include "chaos/nodes.h"

#include <stdarg.h>
#include <string.h>

#include "support/port.h"

static const struct timeval patience = {.tv_sec = 5};

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

redisContext *node_connect(const struct node *n)
{
    char path[128];

    snprintf(path, sizeof path, "%s/redis.sock", n->server.dir);
    return connected(redisConnectUnixWithTimeout(path, patience));
}

redisReply *ask_over(redisContext *redis, const char *format, va_list args)
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

redisReply *ask_port(int port, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    redisReply *r = ask_over(
        connected(redisConnectWithTimeout("127.0.0.1", port, (struct timeval){.tv_sec = 1})), format, args);
    va_end(args);
    return r;
}

bool says(redisReply *r, const char *text)
{
    bool yes = r && r->str && strstr(r->str, text);

    freeReplyObject(r);
    return yes;
}

void must(redisReply *r, const char *what)
{
    if (!r)
        die(what);
    freeReplyObject(r);
}

bool done(redisReply *r)
{
    freeReplyObject(r);
    return r != NULL;
}

void node_option(struct node *n, const char *name, const char *value)
{
    size_t i = 0;

    while (n->extra[i])
        i++;
    n->extra[i] = name;
    n->extra[i + 1] = value;
}

void node_init(struct chaos *c, struct node *n)
{
    node_option(n, "--appendonly", "yes");
    node_option(n, "--appendfsync", c->sync);
}

void node_listen(struct node *n)
{
    n->port = port_free();
    snprintf(n->port_text, sizeof n->port_text, "%d", n->port);
    node_option(n, "--port", n->port_text);
    node_option(n, "--bind", "127.0.0.1");
}

void node_follow(struct node *n, const struct node *master)
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

void node_start(struct node *n)
{
    redis_server_start(&n->server, n->extra);
}
