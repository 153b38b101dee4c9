/*
 * http: requests to one origin on the event loop, carried by libcurl, which is loaded when the first of these
 * is made (a run that needs no HTTP does not pay for it).
 *
 * Requests share connections: one with HTTP/2, a few with HTTP/1.1. A stream is a response that goes on for
 * minutes, delivered line by line; it has a connection of its own, always a new one. Certificates and host
 * names are verified, redirects are answers like any other, no proxy is taken from the environment.
 *
 * Every call ends exactly once, in its callback, never before the function that started it has returned, or
 * by http_cancel without one. Callbacks may start and cancel calls. A request may reach the server twice: one
 * that finds its kept connection closed goes out again over a new one.
 */
#ifndef RIVERS_HTTP_HTTP_H
#define RIVERS_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct event_base;
struct http;
struct http_call; /* a request or a stream under way; not to be used once its callback was called */

struct http_bytes {
    const void *at; /* NULL: none */
    size_t len;
};

/* Where to and who we are. */
struct http_options {
    const char *url;                    /* "https://10.0.0.1:6443", perhaps with a path; http:// too */
    const char *server_name;            /* what the certificate is for; NULL: the host of url */
    const char *proxy;                  /* URL; NULL: none */
    bool insecure;                      /* nothing is verified */
    struct http_bytes ca;               /* PEM; NULL: those of the system */
    struct http_bytes certificate, key; /* PEM, of the client */
    const char *token;                  /* sent as Authorization: Bearer; NULL: none */
};

/* options are copied. NULL and e when libcurl cannot be loaded or url is none. */
struct http *http_new(struct event_base *base, const struct http_options *options, struct err *e);

/* New options for all calls that start from now on; they do not share connections with those before unless
 * only the token differs. */
__attribute__((warn_unused_result)) int http_configure(struct http *h, const struct http_options *options,
                                                       struct err *e);

/* Calls under way end without their callbacks. Not from a callback of h. */
void http_free(struct http *h);

struct http_request {
    const char *method;       /* "GET", "POST", ... */
    const char *path;         /* from "/" on, with its query, already escaped */
    const char *content_type; /* of the body; NULL: application/json */
    const char *body;         /* copied; NULL: none */
    size_t body_len;
    int64_t deadline_ms; /* until all of the answer is there; 0: 30 s (a stream: none) */
    int64_t begin_ms;    /* until its status is there; 0: no other than deadline_ms */
    size_t bytes_max;    /* of the body of the answer, of a line of a stream; 0: 16 MiB */
};

/* Borrowed for the time of the call. */
struct http_response {
    int status;               /* 200, 404, ... */
    const char *content_type; /* "" when the server sent none */
    int64_t retry_after_ms;   /* -1: the server named no time */
    const char *body;         /* NUL-terminated; of a refused stream too */
    size_t body_len;
};

/* response is NULL exactly when e->code is not ERR_NONE: ERR_UNAVAILABLE when the request did not reach the
 * server, ERR_UNKNOWN when it may have, ERR_INVALID when an answer came that is too long or no HTTP. */
typedef void http_response_fn(void *arg, const struct http_response *response, const struct err *e);

struct http_call *http_send(struct http *h, const struct http_request *request, http_response_fn *on_response,
                            void *arg);

/* A line of a response with status 200, without its newline, NUL-terminated; what is left at a proper end is the
 * last line. Borrowed for the time of the call. */
typedef void http_line_fn(void *arg, const char *line, size_t len);

/* on_end is the last callback, as for http_send: a response (200 with an empty body when all lines were
 * delivered and the server ended it properly), or e. */
struct http_call *http_stream(struct http *h, const struct http_request *request, http_line_fn *on_line,
                              http_response_fn *on_end, void *arg);

/* Ends a call without a callback. NULL is none. */
void http_cancel(struct http_call *call);

#endif
