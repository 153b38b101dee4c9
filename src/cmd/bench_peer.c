#include "cmd/bench_peer.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "redis/client.h"

/* Nothing of the parent's connection is touched: what is asked here goes over another one. */
static _Noreturn void peer_main(struct bench *b, const struct peer *p,
                                void (*be)(struct bench *b, const struct peer *p))
{
    b->base = event_base_new();
    b->redis = redis_new(b->base, redis_url_get(b->redis), "rivers-bench-peer");
    be(b, p);
    _exit(EXIT_SUCCESS);
}

void peer_open(struct peer *p, struct bench *b, void (*be)(struct bench *b, const struct peer *p))
{
    int ends[2];

    *p = (struct peer){-1, -1};
    if (!bench_ok(b))
        return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 || (p->pid = fork()) < 0) {
        err_sys(&b->err, "cannot make another client");
        return;
    }
    p->socket = ends[p->pid == 0];
    close(ends[p->pid != 0]);
    if (p->pid == 0)
        peer_main(b, p, be);
}

void peer_close(struct peer *p)
{
    if (p->pid < 0)
        return;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    close(p->socket);
}

double peer_woken_us(const struct peer *p, struct bench *b)
{
    double us = 0;

    if (bench_ok(b) && recv(p->socket, &us, sizeof us, 0) != (ssize_t)sizeof us && bench_ok(b))
        err_set(&b->err, ERR_UNAVAILABLE, "another client ended");
    return us;
}

void peer_go(const struct peer *p, struct bench *b)
{
    if (bench_ok(b) && send(p->socket, "", 1, MSG_NOSIGNAL) < 0)
        err_sys(&b->err, "no word to another client");
    (void)peer_woken_us(p, b); /* peer_waits */
}

bool peer_next(const struct peer *p)
{
    char word;

    return recv(p->socket, &word, sizeof word, 0) == (ssize_t)sizeof word;
}

void peer_tell(const struct peer *p, double woken_us)
{
    (void)send(p->socket, &woken_us, sizeof woken_us, MSG_NOSIGNAL);
}

void peer_waits(const struct peer *p)
{
    peer_tell(p, 0);
}

void peer_popper(struct bench *b, const struct peer *p)
{
    while (peer_next(p) && bench_ok(b)) {
        peer_waits(p);
        struct reply *popped = bench_ask(b, "BLPOP", "bare", "0", NULL);
        peer_tell(p, bench_clock_us());
        reply_free(popped);
    }
}

double peer_blpop_us(struct bench *b, void *arg)
{
    const struct peer *p = arg;

    peer_go(p, b);
    bench_rest();
    double begun = bench_clock_us();
    reply_free(bench_ask(b, "RPUSH", "bare", "1", NULL));
    return peer_woken_us(p, b) - begun;
}
