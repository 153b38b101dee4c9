#include "daemon/embedded.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "redis/client.h"

#define ANSWER_DEADLINE_MS 30000 /* an append-only file of some GB is loaded first */
#define SHUTDOWN_MS        10000

extern char **environ;

static int directory_make(struct embedded *em, const char *dir, struct err *e)
{
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_sys(e, "cannot make directory '%s'", dir);
    em->dir = realpath(dir, NULL);
    if (!em->dir)
        return err_sys(e, "cannot enter directory '%s'", dir);
    em->url = xasprintf("unix://%s/redis.sock", em->dir);
    if (strlen(em->url) - strlen("unix://") >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(e, ERR_REFUSED,
                       "the path '%s/redis.sock' is too long for a unix socket: use a shorter directory",
                       em->dir);
    return 0;
}

static int directory_lock(struct embedded *em, struct err *e)
{
    char *path = xasprintf("%s/lock", em->dir);

    em->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(path);
    if (em->lock < 0)
        return err_sys(e, "cannot open '%s/lock'", em->dir);
    if (flock(em->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, ERR_REFUSED, "'%s' is in use by another 'rivers dev'", em->dir);
    return 0;
}

/* One question to the server; owned by the caller, NULL when it did not answer. */
static struct reply *ask(const struct embedded *em, const char *command, int64_t deadline_ms, struct err *e)
{
    struct event_base *base = event_base_new();
    struct redis_url url = {0};
    struct reply *r = NULL;

    if (redis_url_parse(&url, em->url, e) == 0) {
        struct redis *redis = redis_new(base, &url, "rivers-dev");
        r = redis_send_wait(redis, deadline_ms, 1, &command, NULL, e);
        redis_free(redis);
    }
    redis_url_release(&url);
    event_base_free(base);
    return r;
}

static int server_spawn(const struct embedded *em, struct err *e)
{
    char *socket = xasprintf("%s/redis.sock", em->dir), *pid = xasprintf("%s/redis.pid", em->dir);
    char *log = xasprintf("%s/redis.log", em->dir);
    const char *argv[] = {"redis-server",
                          "--port",
                          "0",
                          "--unixsocket",
                          socket,
                          "--unixsocketperm",
                          "700",
                          "--dir",
                          em->dir,
                          "--appendonly",
                          "yes",
                          "--appendfsync",
                          "everysec",
                          "--save",
                          "",
                          "--daemonize",
                          "yes",
                          "--pidfile",
                          pid,
                          "--logfile",
                          log,
                          "--maxmemory-policy",
                          "noeviction",
                          "--zset-max-listpack-entries", /* above that trees, which need no search */
                          "16",
                          NULL};
    pid_t child;
    int status = 0;

    int failed = posix_spawnp(&child, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    free(socket);
    free(pid);
    free(log);
    if (failed == ENOENT)
        return err_set(e, ERR_NOT_FOUND,
                       "redis-server is not installed: 'apt-get install redis-server', or use --redis URL");
    if (failed) {
        errno = failed;
        return err_sys(e, "cannot run redis-server");
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0)
        return err_set(e, ERR_SYSTEM, "redis-server did not start, see '%s/redis.log'", em->dir);
    return 0;
}

/* An earlier `rivers dev` that was killed has left its server running. */
static bool is_running(const struct embedded *em)
{
    char *socket = xasprintf("%s/redis.sock", em->dir);
    bool there = access(socket, F_OK) == 0;

    free(socket);
    if (!there)
        return false;
    struct reply *r = ask(em, "PING", 500, NULL);
    reply_free(r);
    return r != NULL;
}

int embedded_start(struct embedded *em, const char *dir, struct err *e)
{
    *em = (struct embedded){.lock = -1};
    if (directory_make(em, dir, e) < 0 || directory_lock(em, e) < 0)
        goto fail;
    if (!is_running(em)) {
        if (server_spawn(em, e) < 0)
            goto fail;
        struct reply *r = ask(em, "PING", ANSWER_DEADLINE_MS, e);
        if (!r)
            goto fail;
        reply_free(r);
    }
    log_line(LOG_INFO, "embedded redis-server is ready", "url", em->url, NULL);
    return 0;
fail:
    if (em->lock >= 0)
        close(em->lock);
    free(em->dir);
    free(em->url);
    return -1;
}

static pid_t server_pid(const struct embedded *em)
{
    char *path = xasprintf("%s/redis.pid", em->dir);
    FILE *f = fopen(path, "re");
    int pid = 0;

    free(path);
    if (!f)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    fclose(f);
    return pid;
}

/* SHUTDOWN by signal: redis-server writes its append-only file to disk and ends. A pidfd tells that also of a
 * process that nobody reaps, as in a container without an init. */
static void server_end(pid_t pid)
{
    struct pollfd server = {.fd = pidfd_open(pid, 0), .events = POLLIN};

    if (server.fd < 0)
        return;
    if (pidfd_send_signal(server.fd, SIGTERM, NULL, 0) == 0)
        poll(&server, 1, SHUTDOWN_MS);
    close(server.fd);
}

void embedded_stop(struct embedded *em)
{
    pid_t pid = server_pid(em);

    if (pid > 0)
        server_end(pid);
    close(em->lock);
    free(em->dir);
    free(em->url);
    *em = (struct embedded){.lock = -1};
}
