/* nodes: single servers of Redis, and what they and sentinels are asked, past all proxies. */
#ifndef RIVERS_TESTS_CHAOS_NODES_H
#define RIVERS_TESTS_CHAOS_NODES_H

#include <hiredis/hiredis.h>
#include <stdarg.h>

#include "chaos/chaos.h"

/* Options of a server that is to be started; borrowed. */
void node_init(struct chaos *c, struct node *n);
void node_option(struct node *n, const char *name, const char *value);
void node_listen(struct node *n); /* at a port of its own */
void node_follow(struct node *n,
                 const struct node *master); /* as the replica of another; NULL: as a master */
void node_start(struct node *n);

redisContext *node_connect(const struct node *n);                            /* NULL: it does not answer */
redisReply *ask_over(redisContext *redis, const char *format, va_list args); /* ends the connection */

/* NULL: no answer, or an error. Owned by the caller. */
redisReply *ask_node(struct chaos *c, int node, const char *format, ...);
redisReply *ask_port(int port, const char *format, ...);

/* Take a reply, and free it: whether there is one; whether it is a text with this in it; the end of the program without one. */
bool done(redisReply *r);
bool says(redisReply *r, const char *text);
void must(redisReply *r, const char *what);

#endif
