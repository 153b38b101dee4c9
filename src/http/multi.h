/* multi: transfers of libcurl on a libevent loop. */
#ifndef RIVERS_HTTP_MULTI_H
#define RIVERS_HTTP_MULTI_H

#include "http/curl.h"

struct event_base;
struct multi;

struct multi_events {
    /* libcurl did something and has returned: now its data may be looked at and transfers added and removed. */
    void (*on_turn)(void *arg);
    /* A transfer that was added has ended, and is removed already. */
    void (*on_done)(void *arg, CURL *easy, CURLcode result);
    void *arg;
};

/* curl is borrowed. connections_max: to all hosts together. */
struct multi *multi_new(const struct curl *curl, struct event_base *base, long connections_max,
                        const struct multi_events *events);

/* When all transfers ended or were removed; not from a callback. NULL is fine. */
void multi_free(struct multi *m);

/* The transfer begins with the next turn of the loop, not before this has returned. */
void multi_add(struct multi *m, CURL *easy);
void multi_remove(struct multi *m, CURL *easy); /* a transfer that was added and has not ended */

#endif
