/* client: a connection under test on a loop of its own, and what its callbacks were told. */
#ifndef RIVERS_TESTS_CLIENT_H
#define RIVERS_TESTS_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "redis/client.h"
#include "support/redis_server.h"

#define LONG_MS 20000 /* a deadline that is not meant to come */

struct client {
    struct event_base *base;
    struct redis *redis;
    int changes; /* between ready and not ready */
};

/* What a callback was told: the reply, or "UNKNOWN <message>". */
struct answer {
    int count;
    char text[512];
};

/* The fixtures of a group of tests: a private server. */
extern struct redis_server client_server;
int client_server_start(void **state);
int client_server_stop(void **state);

struct client client_open(const char *url);
void client_close(struct client *c);
void client_count_changes(struct client *c);

void turn(struct client *c, int64_t end_at);
#define RUN_UNTIL(c, condition)                                                                              \
    for (int64_t end_at = clock_mono_ms() + LONG_MS; !(condition);)                                          \
    turn((c), end_at)

/* Sends the words of a line. */
void on_answer(void *answer, const struct reply *reply, const struct err *e);
void ask(struct client *c, struct answer *a, int flags, int64_t deadline_ms, const char *line);

/* Waits; the answer must start with the prefix. */
void assert_answer(struct client *c, struct answer *a, const char *prefix);

/* Both. */
void expect(struct client *c, const char *line, const char *prefix);

/* The server at this URL does not become ready, because of this; the password hunter2 is not shown. */
void assert_refused(const char *url, const char *reason);

#endif
