#include "support/port.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 10000
#define COUNT 11000
#define TRIES 1000

static bool is_free(int port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;

    close(fd);
    return bound;
}

int port_free(void)
{
    for (int i = 0; i < TRIES; i++) {
        int port = FIRST + (int)arc4random_uniform(COUNT);
        if (is_free(port) && is_free(port + 10000))
            return port;
    }
    fputs("tests/support/port: no free port\n", stderr);
    exit(1);
}
