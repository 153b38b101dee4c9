/* url: where the server is, who we are there, and what proves both.
 *
 *   redis://[user[:pass]@]host[:port][/db]                one server
 *   redis+sentinel://[user[:pass]@]h1[:p],h2.../name[/db] the master that the sentinels know by this name
 *   redis+cluster://[user[:pass]@]h1[:p],h2...            the node of a cluster that has the namespace
 *   unix://[user[:pass]@]/path                            a socket
 *
 * rediss instead of redis: over TLS. Behind a '?' may stand, separated by '&': ca, cert, key (PEM files, TLS
 * only), password_file, sentinel_password_file, and db for a socket.
 */
#ifndef RIVERS_REDIS_URL_H
#define RIVERS_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum redis_topology { REDIS_SINGLE, REDIS_SENTINEL, REDIS_CLUSTER };

struct redis_host {
    char *name; /* or address without brackets */
    int port;
};

struct redis_url {
    enum redis_topology topology;
    bool tls;
    char *path;               /* unix socket, or NULL */
    struct redis_host *hosts; /* the server, or several sentinels or nodes to begin with */
    size_t nhosts;            /* 0 with a path */
    char *master;             /* what sentinels call it, or NULL */
    char *user, *pass;        /* NULL: none; percent-decoded */
    int db;
    char *ca, *cert, *key; /* files, or NULL: the system's authorities; no client certificate */
    char *password_file;   /* read at each connection, or NULL: pass */
    char *sentinel_password_file;
};

/* On failure nothing is to be released, and e names the part that is wrong without quoting it: a part read
 * wrongly may be a piece of the password. */
__attribute__((warn_unused_result)) int redis_url_parse(struct redis_url *u, const char *s, struct err *e);
void redis_url_copy(struct redis_url *to, const struct redis_url *from);
void redis_url_release(struct redis_url *u);

/* The URL without its password, for messages, logs and steps; the whole of it, for executors. Both can be read
 * again and are owned by the caller. */
char *redis_url_print(const struct redis_url *u);
char *redis_url_print_whole(const struct redis_url *u);

#endif
