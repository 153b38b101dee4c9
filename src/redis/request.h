/* request: one command on its way to the server: its bytes, its deadline, and who waits for the reply. */
#ifndef RIVERS_REDIS_REQUEST_H
#define RIVERS_REDIS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "redis/client.h"

struct event;

struct request {
    TAILQ_ENTRY(request) link;
    struct redis *redis;
    char *bytes; /* as they go over the wire */
    size_t len;
    const struct script *script; /* what the server may have to be told first; NULL for a plain command */
    bool loaded;                 /* it was told so on this connection */
    bool resend;                 /* may be sent twice */
    bool impatient;              /* waits for one attempt to connect only */
    bool outstanding;            /* was sent over the connection that is there now */
    bool unknown;                /* was sent over one that broke: may have been applied */
    uint64_t heard;              /* redis->heard when it was sent */
    struct event *timer;         /* NULL: no deadline */
    int64_t deadline_ms;         /* as given: for messages */
    redis_reply_fn *on_reply;    /* NULL: nobody waits, or no longer; the reply is dropped */
    void *arg;
};

TAILQ_HEAD(request_list, request);

/* The words of `head`, then those of argv; lens may be NULL. */
struct request *request_new(struct redis *r, int head_argc, const char *const *head, int argc,
                            const char *const *argv, const size_t *lens);
void request_free(struct request *q); /* takes it out of no list, calls nobody */

/* Who is told, and when at the latest: 0 means 10 s. on_deadline gets the request as its argument. */
void request_await(struct request *q, int64_t deadline_ms, void (*on_deadline)(int fd, short what, void *arg),
                   redis_reply_fn *on_reply, void *arg);

/* Frees it, then tells who waits. */
void request_end(struct request *q, const struct reply *reply, const struct err *e);

#endif
