/* port: a TCP port of loopback that nobody listens on. */
#ifndef RIVERS_TESTS_PORT_H
#define RIVERS_TESTS_PORT_H

/* Below those that the kernel hands out by itself; the one 10,000 above it is free too (a cluster bus). Ends
 * the test binary when there is none. */
int port_free(void);

#endif
