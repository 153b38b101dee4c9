#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "chaos/servers.h"
#include "support/port.h"

/* A sentinel keeps what it knows in its configuration. It has the true clock. */
static void sentinel_start(struct chaos *c, int i)
{
    char path[128];
    pid_t parent = getpid();

    c->sentinel_ports[i] = port_free();
    snprintf(path, sizeof path, "%s/sentinel%d.conf", c->dir, i);
    FILE *f = fopen(path, "we");
    if (!f)
        die(path);
    fprintf(f,
            "port %d\nbind 127.0.0.1\nlogfile %s/sentinel%d.log\nsentinel monitor queue 127.0.0.1 %d 2\n"
            "sentinel down-after-milliseconds queue 1500\nsentinel failover-timeout queue 5000\n",
            c->sentinel_ports[i], c->dir, i, c->nodes[0].port);
    fclose(f);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execlp("redis-server", "redis-server", path, "--sentinel", (char *)NULL);
    _exit(127);
}

static bool sentinel_is_ready(int port)
{
    redisReply *replicas = ask_port(port, "SENTINEL replicas queue");
    bool knows = replicas && replicas->elements == 1;

    freeReplyObject(replicas);
    return knows && says(ask_port(port, "SENTINEL ckquorum queue"), "OK 3 usable");
}

static void sentinels_await(struct chaos *c)
{
    int64_t deadline = clock_mono_ms() + UP_MS;

    for (int i = 0; i < SENTINELS; i++)
        while (!sentinel_is_ready(c->sentinel_ports[i])) {
            if (clock_mono_ms() > deadline)
                die("the sentinels do not agree");
            nap(50);
        }
}

void sentinels_start(struct chaos *c)
{
    size_t n = (size_t)snprintf(c->url, sizeof c->url, "redis+sentinel://");

    for (int i = 0; i < c->topology->nodes; i++) {
        node_listen(&c->nodes[i]);
        node_option(&c->nodes[i], "--min-replicas-to-write", "1");
        node_option(&c->nodes[i], "--min-replicas-max-lag", "2");
        node_option(&c->nodes[i], "--repl-diskless-sync-delay", "0");
        node_follow(&c->nodes[i], i ? &c->nodes[0] : NULL);
        node_start(&c->nodes[i]);
    }
    for (int i = 0; i < SENTINELS; i++) {
        sentinel_start(c, i);
        n += (size_t)snprintf(c->url + n, sizeof c->url - n, "%s127.0.0.1:%d", i ? "," : "",
                              c->sentinel_ports[i]);
    }
    snprintf(c->url + n, sizeof c->url - n, "/queue");
    sentinels_await(c);
}

int sentinels_active(struct chaos *c)
{
    int found = -1;

    for (int i = 0; i < SENTINELS && found < 0; i++) {
        redisReply *r = ask_port(c->sentinel_ports[i], "SENTINEL get-master-addr-by-name queue");
        for (int n = 0; r && r->elements == 2 && n < c->topology->nodes; n++)
            if (strcmp(r->element[1]->str, c->nodes[n].port_text) == 0)
                found = n;
        freeReplyObject(r);
    }
    return found;
}
