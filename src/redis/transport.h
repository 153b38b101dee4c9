/* transport: one stream of bytes to a Redis server, over TCP, TLS or a unix socket; made anew for every attempt
 * to connect. */
#ifndef RIVERS_REDIS_TRANSPORT_H
#define RIVERS_REDIS_TRANSPORT_H

#include <stddef.h>

#include "base/err.h"
#include "redis/url.h"

struct event_base;
struct evbuffer;
struct transport;

/* All run from the event loop, never inside transport_open or transport_send, and may free the transport. */
struct transport_events {
    void (*on_open)(void *arg);
    void (*on_bytes)(void *arg, struct evbuffer *in); /* takes what it wants out of `in` */
    void (*on_close)(void *arg, const char *why); /* at most once: connecting failed, or the stream ended */
};

/* Resolves the name (this blocks unless it is an address: a resolver thread would only move the wait, as no
 * request can go out before) and tries each of its addresses for 5 s. NULL and e when there is none to try.
 * url says how and outlives the transport; host says where, unless url has a path, and is not kept. */
struct transport *transport_open(struct event_base *base, const struct redis_url *url,
                                 const struct redis_host *host, const struct transport_events *events,
                                 void *arg, struct err *e);
void transport_free(struct transport *t);
void transport_send(struct transport *t, const void *bytes, size_t len);

#endif
