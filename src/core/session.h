/* session: how a program comes to a namespace: which server and which namespace are meant, the loop, the connection and the
 * store. */
#ifndef RIVERS_CORE_SESSION_H
#define RIVERS_CORE_SESSION_H

#include "core/store.h"

struct event_base;

/* NULL: what the environment says (RIVERS_REDIS_URL, RIVERS_REDIS_PASSWORD_FILE, RIVERS_NAMESPACE), then the socket that
 * `rivers dev` made in this or a parent directory, and the namespace `default`. */
struct session_options {
    const char *redis, *password_file, *namespace;
};

struct session { /* `struct session s = {0}` is valid */
    char *url;   /* of the server, with all that executors need */
    struct event_base *base;
    struct redis *redis;
    struct store *store; /* NULL: not open */
};

const char *session_namespace_get(const struct session_options *o);

/* Leaves the server to the calls; session_await waits for it. ERR_NOT_FOUND: no server is named anywhere. After a failure
 * nothing is open. */
__attribute__((warn_unused_result)) int session_open(struct session *s, const struct session_options *o,
                                                     struct err *e);
void session_close(struct session *s);

/* Until the server can be asked; gives up after most_ms, and after a second where it was tried and refused. */
__attribute__((warn_unused_result)) int session_await(struct session *s, int64_t most_ms, struct err *e);

void session_sleep(struct session *s, int64_t ms); /* the connection lives on meanwhile */

#endif
