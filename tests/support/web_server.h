/*
 * web_server: a server on loopback that reads HTTP/1.1 requests and answers what a function of the test writes,
 * byte by byte if it wants to. Each connection has a thread of its own, in which the function runs.
 */
#ifndef RIVERS_TESTS_WEB_SERVER_H
#define RIVERS_TESTS_WEB_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "support/certificate.h"

struct web_server;

struct exchange {
    const char *head; /* the request line and the headers */
    const char *body; /* NUL-terminated */
    size_t body_len;
    int connection;     /* counts from 1 */
    int number;         /* of the request, counts from 1 */
    const char *client; /* the name in its certificate; "" without */
};

/* Another request is read from the connection when it returns, unless exchange_close or _reset was called. */
typedef void web_serve_fn(void *arg, struct exchange *x);

/* identity NULL: without TLS. client_ca: the issuer of certificates that clients must have; NULL: they need
 * none. Ends the test binary with a message when that fails. */
struct web_server *web_server_new(const struct certificate *identity, const struct certificate *client_ca,
                                  web_serve_fn *serve, void *arg);
void web_server_free(struct web_server *s); /* ends the connections, then waits for the function to return */

const char *web_server_url_get(const struct web_server *s); /* https://127.0.0.1:<port> */
int web_server_connections(const struct web_server *s);     /* accepted so far */

bool web_server_is_idle(const struct web_server *s); /* the function runs nowhere */

/* The certificate of connections from now on. */
void web_server_set_identity(struct web_server *s, const struct certificate *identity);

bool exchange_has(const struct exchange *x, const char *text); /* in its head */
void exchange_write(struct exchange *x, const void *bytes, size_t n);
void exchange_print(struct exchange *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A whole answer with Content-Length. headers: lines that end in CRLF, or "". */
void exchange_answer(struct exchange *x, const char *status, const char *headers, const char *body);

void exchange_close(struct exchange *x);
void exchange_reset(struct exchange *x);     /* the connection is gone with an RST */
void exchange_wait_over(struct exchange *x); /* until the client or web_server_free ends the connection */

#endif
