/* server_check: tells the operator by which of its settings the Redis server would lose what it promised. */
#ifndef RIVERS_DAEMON_SERVER_CHECK_H
#define RIVERS_DAEMON_SERVER_CHECK_H

struct redis;

/* Asks once and logs a line for each fault. */
void server_check(struct redis *r);

#endif
