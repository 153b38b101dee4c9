/* proxy: a TCP port on loopback before a unix socket, in a thread of its own, that loses, delays and cuts
 * replies. */
#ifndef RIVERS_TESTS_PROXY_H
#define RIVERS_TESTS_PROXY_H

#include "support/redis_server.h"

struct proxy;

/* Ends the test binary with a message when that fails. */
struct proxy *proxy_new(const struct redis_server *server);
void proxy_free(struct proxy *p);
const char *proxy_url_get(const struct proxy *p); /* redis://127.0.0.1:<port> */

/* What happens to bytes that come back from now on; each holds until it is set anew. */
void proxy_lose_replies(struct proxy *p, int yes);
void proxy_delay_replies(struct proxy *p, int ms);

/* Once: lets n more bytes of replies through, then closes the connection that wanted to bring the next ones.
 */
void proxy_cut_reply(struct proxy *p, int n);

/* Closes all connections; replies are passed on again. What was lost before can so not make a client take one
 * reply for another. */
void proxy_drop(struct proxy *p);

/* How many connections were accepted so far. */
int proxy_accepted(const struct proxy *p);

#endif
