/* chaos: rivers at work while everything around it fails.
 *
 * Dequeuers, their executors and clients, each behind a proxy of its own, work on a private Redis server; faults drawn by a
 * seed come and go, several at once. What happens is written to the file `history` of the directory, which check_history
 * judges: the workers write when steps start and end, this program what it did and what Redis holds at the end.
 *
 * usage: chaos SECONDS SEED DIR HOST     DIR: empty, short; HOST: preload/redis_host.so; $RIVERS names the binary; the worker is
 * found on $PATH; $SYNC: appendfsync, always or everysec; $ONLY lists the faults to draw from, by their names
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exec/guard.h"
#include "support/proxy.h"
#include "support/redis_host.h"
#include "support/redis_server.h"

#define DEQUEUERS 3
#define CLIENTS   2
#define PROXIES   (DEQUEUERS + CLIENTS)
#define BATCH     6
#define QUEUED    30 /* clients wait while there are more */
#define STALL_MS                                                                                             \
    60000 /* once nothing fails any more, something happens within it until all runs have ended */
#define RUN_LEASE   3000
#define LONG_MS     6000 /* longer than any lease */
#define REST_MS     300  /* mean time between two faults of a burst */
#define BURST_MS    20000
#define QUIET_MS    20000 /* between two bursts */
#define HOUR_S      3600
#define LOSS_MS     2000 /* so much may not be synced with appendfsync everysec */
#define PREFIX      "rivers:{chaos}:"
#define LIMITS_KEYS 4

struct chaos {
    struct redis_server server;
    struct proxy *proxies[PROXIES];
    pid_t dequeuers[DEQUEUERS], clients[CLIENTS];
    const char *dir, *rivers;
    unsigned short seed[3];
    int history;
    struct redis_host_page *host;
    const char *sync;                /* appendfsync */
    const char *only;                /* NULL: all faults */
    int64_t paused_until;            /* by CLIENT PAUSE, which ends by the wall clock of the server */
    bool redis_stands;               /* is stopped by SIGSTOP */
    int64_t stopped_at, stood_until; /* the last time */
    bool short_memory;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "chaos: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int below(struct chaos *c, int n)
{
    return (int)(nrand48(c->seed) % n);
}

/* One write, as short as it is: others append to the same file. */
#define note(c, ...) ((void)dprintf((c)->history, __VA_ARGS__))

static void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* --- Redis, past all proxies */

/* NULL: no answer, or an error. Owned by the caller. */
static redisReply *ask(struct chaos *c, const char *format, ...)
{
    const struct timeval patience = {.tv_sec = 5};
    char path[128];
    va_list args;

    snprintf(path, sizeof path, "%s/redis.sock", c->server.dir);
    redisContext *redis = redisConnectUnixWithTimeout(path, patience);
    if (!redis || redis->err) {
        if (redis)
            redisFree(redis);
        return NULL;
    }
    redisSetTimeout(redis, patience);
    va_start(args, format);
    redisReply *r = redisvCommand(redis, format, args);
    va_end(args);
    redisFree(redis);
    if (r && r->type == REDIS_REPLY_ERROR) {
        freeReplyObject(r);
        return NULL;
    }
    return r;
}

static int64_t count(struct chaos *c, const char *command)
{
    redisReply *r = ask(c, command);
    int64_t n = r && r->type == REDIS_REPLY_INTEGER ? r->integer : -1;

    freeReplyObject(r);
    return n;
}

static bool syncs_late(const struct chaos *c)
{
    return strcmp(c->sync, "always") != 0;
}

/* Sets a limit and notes which tokens it holds for. It outlives a power cut, as the tokens given before it do. */
static void set_limit(struct chaos *c, const char *hash, const char *field, const char *name, int n)
{
    static const char both[] = "redis.call('HSET', KEYS[1] .. ARGV[1], ARGV[2], ARGV[3]) "
                               "return redis.call('HGET', KEYS[1] .. 'meta', 'token') or '0'";
    freeReplyObject(ask(c, "CONFIG SET appendfsync always"));
    redisReply *r = ask(c, "EVAL %s 1 " PREFIX " %s %s %d", both, hash, field, n);
    if (r)
        note(c, "limit %s %d %s\n", name, n, r->str);
    freeReplyObject(r);
    freeReplyObject(ask(c, "CONFIG SET appendfsync %s", c->sync));
}

static void change_limits(struct chaos *c)
{
    static const struct {
        const char *hash, *field, *name;
        int least, spread;
    } rows[LIMITS_KEYS] = {{"config", "max_concurrent_runs", "runs", 4, 6},
                           {"tag_limits", "env=prod", "env=prod", 1, 3},
                           {"tag_limits", "team=*", "team=*", 2, 3},
                           {"pool_limits", "gpu", "gpu", 3, 4}};
    int i = below(c, LIMITS_KEYS);

    set_limit(c, rows[i].hash, rows[i].field, rows[i].name, rows[i].least + below(c, rows[i].spread));
}

static void configure(struct chaos *c)
{
    freeReplyObject(
        ask(c, "HSET " PREFIX "config run_lease %dms start_timeout 30s dequeue_interval 50ms", RUN_LEASE));
    freeReplyObject(ask(c, "HSET " PREFIX "pool_leases gpu %d", RUN_LEASE));
    set_limit(c, "config", "max_concurrent_runs", "runs", 8);
    set_limit(c, "tag_limits", "env=prod", "env=prod", 2);
    set_limit(c, "tag_limits", "team=*", "team=*", 3);
    set_limit(c, "pool_limits", "gpu", "gpu", 5);
}

/* --- processes */

/* In the child. */
static void behind_proxy(struct chaos *c, int proxy)
{
    int log = open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setenv("RIVERS_REDIS_URL", proxy_url_get(c->proxies[proxy]), 1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
}

static void start_dequeuer(struct chaos *c, int i)
{
    c->dequeuers[i] = fork();
    if (c->dequeuers[i] < 0)
        die("fork");
    if (c->dequeuers[i] > 0)
        return;
    behind_proxy(c, i);
    execl(c->rivers, "rivers", "dequeuer", "--capacity", "6", (char *)NULL);
    _exit(127);
}

/* Reaps whatever has ended, and starts again what should run. */
static void reap(struct chaos *c, bool again)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
        for (int i = 0; i < DEQUEUERS; i++)
            if (c->dequeuers[i] == pid) {
                c->dequeuers[i] = 0;
                if (again)
                    start_dequeuer(c, i);
            }
        for (int i = 0; i < CLIENTS; i++)
            if (c->clients[i] == pid)
                c->clients[i] = 0;
    }
}

/* The content of a file of a process, in which NULs separate; its length, 0 when it has none. */
static size_t proc_read(const char *pid, const char *name, char *buf, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%.16s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
    if (fd >= 0)
        close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Whether a process is one of ours, by its environment; bytes, of which there are n then, is that. */
static bool is_ours(const struct chaos *c, const char *pid, char bytes[16384], size_t *n)
{
    char mine[256];

    snprintf(mine, sizeof mine, "WORKER_LOG=%s/history", c->dir);
    *n = proc_read(pid, "environ", bytes, 16384);
    return memmem(bytes, *n, mine, strlen(mine));
}

/* One of our executors, or of the guards above them too, 0 when there is none. */
static pid_t some_executor(struct chaos *c, bool or_guard)
{
    DIR *proc = opendir("/proc");
    char bytes[16384];
    pid_t found = 0;
    int seen = 0;

    for (const struct dirent *d; proc && (d = readdir(proc));) {
        size_t n = *d->d_name >= '1' && *d->d_name <= '9' ? proc_read(d->d_name, "cmdline", bytes, 512) : 0;
        const char *word = bytes + strlen(bytes) + 1;
        if (n == 0 || strcmp(word, "execute") != 0 ||
            (!or_guard && strcmp(word + strlen(word) + 1, GUARD_ORDERS) == 0))
            continue;
        if (is_ours(c, d->d_name, bytes, &n) && below(c, ++seen) == 0)
            found = (pid_t)strtol(d->d_name, NULL, 10);
    }
    if (proc)
        closedir(proc);
    return found;
}

static pid_t parent_of(const char *pid)
{
    char stat[512];
    size_t n = proc_read(pid, "stat", stat, sizeof stat);
    const char *name_end = n > 0 ? strrchr(stat, ')') : NULL;

    return name_end && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

/* Of each step that an executor of this group runs. */
static void note_stopped(struct chaos *c, pid_t group)
{
    DIR *proc = opendir("/proc");
    char bytes[16384];
    size_t n;

    for (const struct dirent *d; proc && (d = readdir(proc));) {
        pid_t parent = *d->d_name >= '1' && *d->d_name <= '9' ? parent_of(d->d_name) : 0;
        if (parent <= 1 || getpgid(parent) != group || !is_ours(c, d->d_name, bytes, &n))
            continue;
        const char *held = memmem(bytes, n, "\0RIVERS_TOKEN=", 14);
        if (held)
            note(c, "stopped %s\n", held + 14);
    }
    if (proc)
        closedir(proc);
}

/* --- clients: processes of their own that submit and cancel until they are told to end */

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
    (void)sig;
    told_to_end = 1;
}

static void write_batch(struct chaos *c, const char *path, int client, int batch)
{
    static const char *const teams[] = {"red", "green", "blue"}, *const envs[] = {"prod", "test"};
    FILE *f = fopen(path, "we");

    if (!f)
        die(path);
    for (int i = 0; i < BATCH; i++) {
        const char *team = teams[below(c, 3)], *env = envs[below(c, 2)];
        int slots = 1 + below(c, 3);
        fprintf(f,
                "{\"key\": \"%d-%d-%d\", \"priority\": %d, \"on_lost\": \"requeue\", \"max_attempts\": 50, "
                "\"tags\": {\"team\": \"%s\", \"env\": \"%s\"}, \"steps\": ["
                "{\"name\": \"a\", \"command\": [\"worker\", \"%d\", \"team=%s\", \"env=%s\"]}, "
                "{\"name\": \"b\", \"command\": [\"worker\", \"%d\", \"team=%s\", \"env=%s\", \"gpu:%d\"], "
                "\"pools\": {\"gpu\": %d}, \"claim_timeout\": \"10m\", "
                "\"retries\": {\"max\": 50, \"backoff\": \"50ms\", \"on\": [\"lost\"]}}]}\n",
                client, batch, i, below(c, 3), team, env, 50 + below(c, 800), team, env,
                50 + below(c, below(c, 8) ? 600 : 4000), team, env, slots, slots);
    }
    fclose(f);
}

/* Until it is answered; notes what was accepted. Returns one of the runs, owned by the caller. */
static char *submit(struct chaos *c, int client, const char *path)
{
    char command[512], id[64] = "";

    snprintf(command, sizeof command, "exec '%s' submit -f %s", c->rivers, path);
    for (;;) {
        FILE *out = popen(command, "re"); // NOLINT(cert-env33-c): our own words
        while (out && fgets(id, sizeof id, out)) {
            id[strcspn(id, "\n")] = '\0';
            note(c, "accepted %s %" PRId64 "\n", id, clock_wall_ms());
        }
        if (out && pclose(out) == 0)
            return xstrdup(id);
        note(c, "unknown submission of client %d\n", client);
        nap(100);
    }
}

static _Noreturn void be_client(struct chaos *c, int client)
{
    char path[64], command[512];

    behind_proxy(c, DEQUEUERS + client);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
    snprintf(path, sizeof path, "batch%d", client);
    for (int batch = 0; !told_to_end; batch++) {
        while (!told_to_end && count(c, "ZCARD " PREFIX "queue") > QUEUED)
            nap(100);
        write_batch(c, path, client, batch);
        char *run = submit(c, client, path);
        if (below(c, 3) == 0) {
            snprintf(command, sizeof command, "exec '%s' runs cancel --grace 100ms %s", c->rivers, run);
            if (system(command) != 0) // NOLINT(cert-env33-c): our own words
                note(c, "unknown cancel of %s\n", run);
        }
        free(run);
        nap(300 + below(c, 1000));
    }
    _exit(0);
}

static void start_client(struct chaos *c, int i)
{
    c->clients[i] = fork();
    if (c->clients[i] == 0) {
        c->seed[2] = (unsigned short)(c->seed[2] + i + 1);
        be_client(c, i);
    }
}

/* --- faults: each begins, lasts and ends; the same one does not come twice at once */

struct fault;

struct nemesis {
    const char *name;
    int ms;                                          /* how long it lasts at most; 0: it is over at once */
    bool (*begin)(struct chaos *c, struct fault *f); /* false: not possible now */
    void (*end)(struct chaos *c, struct fault *f);
};

struct fault {
    int64_t until; /* 0: is not there */
    pid_t pid;
    int proxy;
};

static bool kill_dequeuer(struct chaos *c, struct fault *f)
{
    pid_t pid = c->dequeuers[below(c, DEQUEUERS)];

    (void)f;
    return pid > 0 && kill(pid, SIGKILL) == 0;
}

static bool stop_dequeuer(struct chaos *c, struct fault *f)
{
    f->pid = c->dequeuers[below(c, DEQUEUERS)];
    return f->pid > 0 && kill(f->pid, SIGSTOP) == 0;
}

static void go_on(struct chaos *c, struct fault *f)
{
    (void)c;
    kill(f->pid, SIGCONT);
}

/* Or the guard above it, and then all others below that. */
static bool kill_executor(struct chaos *c, struct fault *f)
{
    pid_t pid = some_executor(c, true);

    (void)f;
    return pid > 0 && kill(pid, SIGKILL) == 0;
}

static bool stop_executor(struct chaos *c, struct fault *f)
{
    f->pid = some_executor(c, true);
    return f->pid > 0 && kill(f->pid, SIGSTOP) == 0;
}

/* When both stand still nobody ends the steps: those are not judged from here on. */
static bool stop_executors_and_guard(struct chaos *c, struct fault *f)
{
    pid_t pid = some_executor(c, false), group = pid > 0 ? getpgid(pid) : 0;

    f->pid = -group;
    if (group <= 1 || kill(f->pid, SIGSTOP) < 0)
        return false;
    note_stopped(c, group);
    return true;
}

/* Just killed: what was done in the last seconds in which it worked may be lost, and whoever worked on what is lost has ended
 * one lease from now. */
static void note_loss(struct chaos *c)
{
    int64_t now = clock_wall_ms(), since = now - LOSS_MS;

    if (!syncs_late(c) || !atomic_load(&c->host->holds_unsynced))
        return;
    if (clock_mono_ms() < c->stood_until + LOSS_MS)
        since -= c->stood_until - c->stopped_at;
    note(c, "loss %" PRId64 " %" PRId64 " %" PRId64 "\n", since, now, now + RUN_LEASE);
}

static bool kill_redis(struct chaos *c, struct fault *f)
{
    (void)f;
    if (c->redis_stands)
        return false;
    redis_server_kill(&c->server);
    note_loss(c);
    nap(below(c, 300));
    atomic_store(&c->host->holds_unsynced, 0);
    redis_server_restart(&c->server);
    c->short_memory = false; /* CONFIG SET is forgotten */
    return true;
}

/* What Redis does not sync from now on is lost when the power goes: at the end, or when it is killed before. */
static bool hold_unsynced(struct chaos *c, struct fault *f)
{
    (void)f;
    atomic_store(&c->host->holds_unsynced, 1);
    return true;
}

static void cut_power(struct chaos *c, struct fault *f)
{
    if (atomic_load(&c->host->holds_unsynced) && !kill_redis(c, f))
        f->until = clock_mono_ms() + 100;
}

static bool stop_redis(struct chaos *c, struct fault *f)
{
    f->pid = c->server.pid;
    c->redis_stands = kill(f->pid, SIGSTOP) == 0;
    c->stopped_at = clock_mono_ms();
    return c->redis_stands;
}

static void redis_goes_on(struct chaos *c, struct fault *f)
{
    c->redis_stands = false;
    c->stood_until = clock_mono_ms();
    go_on(c, f);
}

static bool drop(struct chaos *c, struct fault *f)
{
    (void)f;
    proxy_drop(c->proxies[below(c, PROXIES)]);
    return true;
}

static bool cut(struct chaos *c, struct fault *f)
{
    (void)f;
    proxy_cut_reply(c->proxies[below(c, PROXIES)], below(c, 200));
    return true;
}

static bool delay(struct chaos *c, struct fault *f)
{
    f->proxy = below(c, PROXIES);
    proxy_delay_replies(c->proxies[f->proxy], 10 + below(c, 600));
    return true;
}

static void delay_over(struct chaos *c, struct fault *f)
{
    proxy_delay_replies(c->proxies[f->proxy], 0);
}

static bool lose(struct chaos *c, struct fault *f)
{
    f->proxy = below(c, PROXIES);
    proxy_lose_replies(c->proxies[f->proxy], 1);
    return true;
}

static void lose_over(struct chaos *c, struct fault *f)
{
    proxy_drop(c->proxies[f->proxy]);
}

static bool tell_redis(struct chaos *c, const char *command)
{
    if (c->redis_stands)
        return false;
    redisReply *r = ask(c, command);
    freeReplyObject(r);
    return r != NULL;
}

static bool flush_scripts(struct chaos *c, struct fault *f)
{
    (void)f;
    return tell_redis(c, "SCRIPT FLUSH");
}

static bool kill_connections(struct chaos *c, struct fault *f)
{
    (void)f;
    return tell_redis(c, "CLIENT KILL TYPE normal");
}

static bool pause_clients(struct chaos *c, struct fault *f)
{
    (void)f;
    if (!tell_redis(c, "CLIENT PAUSE 800 ALL"))
        return false;
    c->paused_until = clock_mono_ms() + 1000;
    return true;
}

/* The clock of the server, against which it measures leases: an hour ahead or behind. A pause would last as long,
 * and so would what Redis syncs late: it does so by the same clock. */
static bool jump(struct chaos *c, struct fault *f)
{
    (void)f;
    if (c->redis_stands || syncs_late(c) || clock_mono_ms() < c->paused_until)
        return false;
    atomic_store(&c->host->clock_offset_s, below(c, 2) ? HOUR_S : -HOUR_S);
    return true;
}

static void jump_back(struct chaos *c, struct fault *f)
{
    if (c->redis_stands || clock_mono_ms() < c->paused_until)
        f->until = clock_mono_ms() + 100;
    else
        atomic_store(&c->host->clock_offset_s, 0);
}

static bool fill_memory(struct chaos *c, struct fault *f)
{
    (void)f;
    c->short_memory = tell_redis(c, "CONFIG SET maxmemory 100kb");
    return c->short_memory;
}

/* A server that stands still is asked later. */
static void free_memory(struct chaos *c, struct fault *f)
{
    (void)f;
    if (c->short_memory && !tell_redis(c, "CONFIG SET maxmemory 0"))
        f->until = clock_mono_ms() + 100;
    else
        c->short_memory = false;
}

static const struct nemesis nemeses[] = {
    {"dequeuers killed", 0, kill_dequeuer, NULL},
    {"dequeuers stopped", LONG_MS, stop_dequeuer, go_on},
    {"executors killed", 0, kill_executor, NULL},
    {"executors stopped", LONG_MS, stop_executor, go_on},
    {"executors and guards stopped", LONG_MS, stop_executors_and_guard, go_on},
    {"Redis killed", 0, kill_redis, NULL},
    {"power cuts", 3000, hold_unsynced, cut_power},
    {"Redis stopped", LONG_MS, stop_redis, redis_goes_on},
    {"connections dropped", 0, drop, NULL},
    {"replies cut", 0, cut, NULL},
    {"replies delayed", 3000, delay, delay_over},
    {"replies lost", 1500, lose, lose_over},
    {"scripts flushed", 0, flush_scripts, NULL},
    {"connections killed", 0, kill_connections, NULL},
    {"clients paused", 0, pause_clients, NULL},
    {"memory filled", 1500, fill_memory, free_memory},
    {"clock jumps", LONG_MS, jump, jump_back},
};

#define NEMESES (sizeof nemeses / sizeof *nemeses)

static bool is_wanted(const struct chaos *c, size_t i)
{
    return !c->only || strstr(c->only, nemeses[i].name);
}

static bool some_are_wanted(const struct chaos *c)
{
    bool some = false;

    for (size_t i = 0; i < NEMESES; i++)
        some = some || is_wanted(c, i);
    return some;
}

static void begin_fault(struct chaos *c, struct fault *faults)
{
    size_t i;

    do
        i = (size_t)below(c, NEMESES);
    while (!is_wanted(c, i));
    struct fault *f = &faults[i];
    int ms = nemeses[i].ms ? 50 + below(c, nemeses[i].ms) : 0;

    if (f->until || !nemeses[i].begin(c, f))
        return;
    note(c, "fault %s\n", nemeses[i].name);
    f->until = nemeses[i].end ? clock_mono_ms() + ms : 0;
}

/* Returns whether some are left. */
static bool end_faults(struct chaos *c, struct fault *faults, int64_t now)
{
    bool left = false;

    for (size_t i = 0; i < NEMESES; i++) {
        struct fault *f = &faults[i];
        if (f->until && f->until <= now) {
            f->until = 0;
            nemeses[i].end(c, f);
        }
        left = left || f->until;
    }
    return left;
}

/* In bursts with quiet spells between, in which what was held up is worked off. */
static void torment(struct chaos *c, int64_t ms)
{
    struct fault faults[NEMESES] = {{0}};
    int64_t begin = clock_mono_ms(), next = 0;

    for (int64_t now; (now = clock_mono_ms()) < begin + ms;) {
        reap(c, true);
        end_faults(c, faults, now);
        if (now >= next && (now - begin) % (BURST_MS + QUIET_MS) < BURST_MS) {
            next = now + below(c, 2 * REST_MS);
            begin_fault(c, faults);
            if (!c->redis_stands && below(c, 4) == 0)
                change_limits(c);
        }
        nap(5);
    }
    while (end_faults(c, faults, INT64_MAX))
        nap(10);
}

/* --- the end */

static void end_all(const pid_t *pids, int n)
{
    for (int i = 0; i < n; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGTERM);
}

static bool lives(const pid_t *pids, int n)
{
    bool some = false;

    for (int i = 0; i < n; i++)
        some = some || pids[i] > 0;
    return some;
}

static bool is_at_work(struct chaos *c)
{
    return lives(c->clients, CLIENTS) ||
           count(c, "EXISTS " PREFIX "queue " PREFIX "delayed " PREFIX "running") != 0 ||
           some_executor(c, false) > 0;
}

/* What is not over when nothing happens any more is found by the checker. */
static void settle(struct chaos *c)
{
    int64_t last = clock_mono_ms(), before = -1;

    end_all(c->clients, CLIENTS);
    for (; is_at_work(c) && clock_mono_ms() < last + STALL_MS; nap(20)) {
        reap(c, true);
        int64_t ended = count(c, "ZCARD " PREFIX "history");
        last = ended != before ? clock_mono_ms() : last;
        before = ended;
    }
    end_all(c->dequeuers, DEQUEUERS);
    for (last = clock_mono_ms(); lives(c->dequeuers, DEQUEUERS) && clock_mono_ms() < last + STALL_MS; nap(20))
        reap(c, false);
}

/* Whether a key has a reason to be there when nothing is queued or in progress. */
static bool belongs(struct chaos *c, const char *key)
{
    static const char *const stay[] = {"config",  "tag_limits", "pool_limits", "pool_leases", "meta",
                                       "history", "events",     "bell",        "refile",      "doctor"};
    static const char *const of_runs[] = {"run:", "spec:", "log:", "key:", "request:"};

    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        if (strcmp(key, stay[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof of_runs / sizeof *of_runs; i++)
        if (strncmp(key, of_runs[i], strlen(of_runs[i])) == 0)
            return true;
    redisReply *r = ask(c, "PTTL " PREFIX "%s", key); /* the bell of a run that is over vanishes by itself */
    bool vanishes = strncmp(key, "wake:", 5) == 0 && r && r->integer != -1;
    freeReplyObject(r);
    return vanishes;
}

static void note_end(struct chaos *c)
{
    redisReply *keys = ask(c, "KEYS " PREFIX "*");

    if (!keys)
        die("the keys at the end");
    for (size_t i = 0; i < keys->elements; i++) {
        const char *key = keys->element[i]->str + strlen(PREFIX);
        if (!belongs(c, key))
            note(c, "left %s\n", key);
        if (strncmp(key, "run:", 4) != 0)
            continue;
        redisReply *state = ask(c, "HGET " PREFIX "%s state", key);
        note(c, "final %s %s\n", key + 4, state && state->str ? state->str : "-");
        freeReplyObject(state);
    }
    freeReplyObject(keys);
}

int main(int argc, char **argv)
{
    static struct chaos c;

    if (argc != 5 || chdir(argv[3]) < 0) {
        fprintf(stderr, "usage: chaos SECONDS SEED DIR HOST\n");
        return 2;
    }
    c.dir = argv[3];
    c.rivers = getenv("RIVERS");
    c.only = getenv("ONLY");
    c.sync = getenv("SYNC") ? getenv("SYNC") : "always";
    if (!some_are_wanted(&c)) {
        fprintf(stderr, "chaos: ONLY: no fault has a name in '%s'\n", c.only);
        return 2;
    }
    c.host = redis_host_new(c.dir, argv[4]);
    c.seed[0] = (unsigned short)strtol(argv[2], NULL, 10);
    c.history = open("history", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (!c.rivers || !c.host || c.history < 0 || mkdir("live", 0700) < 0)
        die(c.dir);
    prctl(PR_SET_CHILD_SUBREAPER, 1L);
    signal(SIGPIPE, SIG_IGN);
    setenv("TMPDIR", c.dir, 1);
    setenv("RIVERS_NAMESPACE", "chaos", 1);
    char *log = xasprintf("%s/history", c.dir), *live = xasprintf("%s/live", c.dir);
    setenv("WORKER_LOG", log, 1);
    setenv("WORKER_LIVE", live, 1);
    free(log);
    free(live);

    const char *const durable[] = {"--appendonly", "yes", "--appendfsync", c.sync, NULL};
    redis_server_start(&c.server, durable);
    for (int i = 0; i < PROXIES; i++)
        c.proxies[i] = proxy_new(&c.server);
    configure(&c);
    for (int i = 0; i < DEQUEUERS; i++)
        start_dequeuer(&c, i);
    for (int i = 0; i < CLIENTS; i++)
        start_client(&c, i);
    torment(&c, strtol(argv[1], NULL, 10) * 1000);
    settle(&c);
    note_end(&c);
    for (pid_t pid; (pid = some_executor(&c, true)) > 0; reap(&c, false))
        kill(pid, SIGKILL); /* what could not end */
    for (int i = 0; i < PROXIES; i++)
        proxy_free(c.proxies[i]);
    redis_server_stop(&c.server);
    return 0;
}
