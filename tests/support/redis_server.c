#include "support/redis_server.h"

#include <errno.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define ARGS_MAX         64
#define SERVERS_MAX      8
#define START_TIMEOUT_MS 60000

/* What atexit cleans up after a failed test: copies, as a struct redis_server may live on main's stack. */
static struct redis_server live[SERVERS_MAX];
static pid_t owner;

static const char *path_in(const struct redis_server *s, const char *name)
{
    static char path[sizeof s->dir + 32];

    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    return path;
}

static _Noreturn void die(const struct redis_server *s, const char *why)
{
    FILE *log = fopen(path_in(s, "redis.log"), "re");

    fprintf(stderr, "tests/support/redis_server: %s\n", why);
    for (int c; log && (c = getc(log)) != EOF;)
        putc(c, stderr);
    if (log)
        fclose(log);
    exit(1);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

/* The entry for the directory dir; "" finds a free one. */
static struct redis_server *entry(const char *dir)
{
    for (size_t i = 0; i < SERVERS_MAX; i++)
        if (strcmp(live[i].dir, dir) == 0)
            return &live[i];
    return NULL;
}

static void set_pid(struct redis_server *s, pid_t pid)
{
    s->pid = pid;
    *entry(s->dir) = *s;
}

void redis_server_kill(struct redis_server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    set_pid(s, 0);
}

static void clean_up(void)
{
    if (getpid() != owner)
        return;
    for (size_t i = 0; i < SERVERS_MAX; i++)
        if (*live[i].dir)
            redis_server_stop(&live[i]);
}

static void make_dir(struct redis_server *s)
{
    const char *tmp = getenv("TMPDIR"); /* unless it is too long for the path of a socket */

    snprintf(s->dir, sizeof s->dir, "%s/rivers-redis-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(s->dir)) {
        perror("tests/support/redis_server: mkdtemp");
        exit(1);
    }
    snprintf(s->url, sizeof s->url, "unix://%s/redis.sock", s->dir);
}

/* In the child, between fork and exec. */
static void exec_server(const struct redis_server *s, pid_t parent)
{
    char socket[128], log[128];
    const char *argv[ARGS_MAX] = {"redis-server", "--port",     "0",       "--unixsocket", socket,
                                  "--save",       "",           "--dir",   s->dir,         "--appendonly",
                                  "no",           "--loglevel", "warning", "--logfile",    log,
                                  "--daemonize",  "no"};
    const char *preload = getenv(REDIS_SERVER_PRELOAD);
    size_t argc = 17;

    if (preload)
        setenv("LD_PRELOAD", preload, 1);
    snprintf(socket, sizeof socket, "%s/redis.sock", s->dir);
    snprintf(log, sizeof log, "%s/redis.log", s->dir);
    for (size_t i = 0; s->extra && s->extra[i] && argc < ARGS_MAX - 1; i++)
        argv[argc++] = s->extra[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "tests/support/redis_server: cannot run redis-server: %s\n", strerror(errno));
    _exit(127);
}

/* Any reply but LOADING will do: with requirepass it is NOAUTH. */
static bool answers(const struct redis_server *s)
{
    redisContext *c = redisConnectUnix(path_in(s, "redis.sock"));
    redisReply *r = c && !c->err ? redisCommand(c, "PING") : NULL;
    bool yes = r && strncmp(r->str, "LOADING", 7) != 0;

    freeReplyObject(r);
    if (c)
        redisFree(c);
    return yes;
}

void redis_server_restart(struct redis_server *s)
{
    int64_t deadline = clock_mono_ms() + START_TIMEOUT_MS;
    pid_t parent = getpid();

    unlink(path_in(s, "redis.sock"));
    pid_t pid = fork();
    if (pid == 0)
        exec_server(s, parent);
    set_pid(s, pid);
    while (!answers(s)) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            set_pid(s, 0);
            die(s, "redis-server ended while starting");
        }
        if (clock_mono_ms() > deadline)
            die(s, "redis-server does not answer");
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

void redis_server_start(struct redis_server *s, const char *const *extra)
{
    struct redis_server *mine = entry("");

    if (!owner)
        atexit(clean_up);
    owner = getpid();
    *s = (struct redis_server){.extra = extra};
    if (!mine)
        die(s, "too many servers at once");
    make_dir(s);
    *mine = *s;
    redis_server_restart(s);
}

void redis_server_stop(struct redis_server *s)
{
    struct redis_server *mine = entry(s->dir);

    redis_server_kill(s);
    nftw(s->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    *mine = (struct redis_server){0};
}
