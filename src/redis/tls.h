/* tls: encrypted streams. OpenSSL costs every process that links it a few milliseconds, so it is loaded with
 * the first stream that needs it. */
#ifndef RIVERS_REDIS_TLS_H
#define RIVERS_REDIS_TLS_H

#include "base/err.h"
#include "redis/url.h"

struct bufferevent;
struct event_base;

/* A stream that is yet to be connected, as TLS 1.2 or later: the server has to prove that it is `host`, a name
 * or an address. The files that url names are read anew. NULL and e on failure. */
struct bufferevent *tls_stream_new(struct event_base *base, int options, const struct redis_url *url,
                                   const char *host, struct err *e);

/* Why such a stream failed, into e; 0 when TLS knows of nothing. */
int tls_why(struct bufferevent *stream, struct err *e);

#endif
