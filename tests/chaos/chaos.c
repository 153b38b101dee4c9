/* chaos: rivers at work while everything around it fails.
 *
 * Dequeuers, their executors and clients work on private servers of Redis; faults drawn by a seed come and go, several at once.
 * What happens is written to the file `history` of the directory, which check_history judges: the workers write when steps
 * start and end, this program what it did and what Redis holds at the end.
 *
 * usage: chaos SECONDS SEED DIR HOST     DIR: empty, short; HOST: preload/redis_host.so; $RIVERS names the binary; the worker is
 * found on $PATH; $TOPOLOGY: one (server, and each process behind a proxy of its own), sentinel (a master and its replica) or
 * cluster (of three nodes); $SYNC: appendfsync, always or everysec; $ONLY lists the faults to draw from, by their names
 */
#include "chaos/chaos.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chaos/canary.h"
#include "chaos/faults.h"
#include "chaos/processes.h"
#include "chaos/servers.h"

#define STALL_MS                                                                                             \
    60000            /* once nothing fails any more, something happens within it until all runs have ended */
#define REST_MS  300 /* mean time between two faults of a burst */
#define BURST_MS 20000
#define QUIET_MS 20000 /* between two bursts */
#define LOOK_MS  100   /* from one look at the servers to the next */

_Noreturn void die(const char *what)
{
    fprintf(stderr, "chaos: %s: %s\n", what, strerror(errno));
    exit(2);
}

int below(struct chaos *c, int n)
{
    return (int)(nrand48(c->seed) % n);
}

void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

bool syncs_late(const struct chaos *c)
{
    return strcmp(c->sync, "always") != 0;
}

/* --- limits */

static const struct {
    const char *hash, *field, *name;
    int first, least, spread;
} limits[] = {{"config", "max_concurrent_runs", "runs", 8, 4, 6},
              {"tag_limits", "env=prod", "env=prod", 2, 1, 3},
              {"tag_limits", "team=*", "team=*", 3, 2, 3},
              {"pool_limits", "gpu", "gpu", 5, 3, 4}};

#define LIMITS_KEYS (sizeof limits / sizeof *limits)

/* Sets a limit and notes which tokens it holds for. It outlives a power cut, as the tokens given before it do. When no replica
 * has it for sure it may be or not, and is not judged until it is set again. */
static void set_limit(struct chaos *c, size_t i, int n)
{
    static const char both[] = "redis.call('HSET', KEYS[1] .. ARGV[1], ARGV[2], ARGV[3]) "
                               "return redis.call('HGET', KEYS[1] .. 'meta', 'token') or '0'";
    freeReplyObject(ask(c, "CONFIG SET appendfsync always"));
    redisReply *r = ask_durably(c, "EVAL %s 1 " PREFIX " %s %s %d", both, limits[i].hash, limits[i].field, n);
    if (r && r->str)
        snprintf(c->last_token, sizeof c->last_token, "%s", r->str);
    if (r || (c->topology->has_replicas && !c->unsure[i]))
        note(c, "limit %s %d %s\n", limits[i].name, r ? n : -1, c->last_token);
    c->unsure[i] = r || !c->topology->has_replicas ? 0 : n;
    freeReplyObject(r);
    freeReplyObject(ask(c, "CONFIG SET appendfsync %s", c->sync));
}

static void change_limits(struct chaos *c)
{
    size_t i = (size_t)below(c, LIMITS_KEYS);

    set_limit(c, i, limits[i].least + below(c, limits[i].spread));
}

/* One at a time. */
static void ensure_limits(struct chaos *c)
{
    size_t i = 0;

    while (i < LIMITS_KEYS && !c->unsure[i])
        i++;
    if (i < LIMITS_KEYS && !any_stands(c))
        set_limit(c, i, c->unsure[i]);
}

static void configure(struct chaos *c)
{
    int lease_ms = c->topology->lease_ms;

    freeReplyObject(
        ask(c, "HSET " PREFIX "config run_lease %dms start_timeout 30s dequeue_interval 50ms", lease_ms));
    freeReplyObject(ask(c, "HSET " PREFIX "pool_leases gpu %d", lease_ms));
    for (size_t i = 0; i < LIMITS_KEYS; i++)
        set_limit(c, i, limits[i].first);
}

/* --- the run */

/* In bursts with quiet spells between, in which what was held up is worked off. */
static void torment(struct chaos *c, int64_t ms)
{
    struct fault faults[FAULTS_MAX] = {{0}};
    int64_t begin = clock_mono_ms(), next = 0, look = 0;

    for (int64_t now; (now = clock_mono_ms()) < begin + ms;) {
        reap(c, true);
        end_faults(c, faults, now);
        if (now >= look) {
            look = now + LOOK_MS;
            watch_master(c);
            ensure_limits(c);
        }
        if (now >= next && (now - begin) % (BURST_MS + QUIET_MS) < BURST_MS) {
            next = now + below(c, 2 * REST_MS);
            begin_fault(c, faults);
            if (!any_stands(c) && below(c, 4) == 0)
                change_limits(c);
        }
        nap(5);
    }
    while (end_faults(c, faults, INT64_MAX))
        nap(10);
}

/* --- the end */

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
        watch_master(c);
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

/* Of the runs where the namespace is, of the keys everywhere. */
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
    for (int i = 0; !c->topology->has_replicas && i < c->topology->nodes; i++) {
        keys = i == active(c) ? NULL : ask_node(c, i, "KEYS *");
        for (size_t k = 0; keys && k < keys->elements; k++)
            note(c, "left %s on node %d\n", keys->element[k]->str, i);
        freeReplyObject(keys);
    }
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
    c.topology = topology_by_name(getenv("TOPOLOGY") ? getenv("TOPOLOGY") : "one");
    if (!c.topology) {
        fprintf(stderr, "chaos: TOPOLOGY: one, sentinel or cluster\n");
        return 2;
    }
    if (!some_are_wanted(&c)) {
        fprintf(stderr, "chaos: ONLY: no fault has a name in '%s'\n", c.only);
        return 2;
    }
    snprintf(c.last_token, sizeof c.last_token, "0");
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

    servers_start(&c);
    configure(&c);
    for (int i = 0; i < DEQUEUERS; i++)
        start_dequeuer(&c, i);
    for (int i = 0; i < CLIENTS; i++)
        start_client(&c, i);
    canary_start(c.history);
    torment(&c, strtol(argv[1], NULL, 10) * 1000);
    settle(&c);
    note_end(&c);
    for (pid_t pid; (pid = some_executor(&c, true)) > 0; reap(&c, false))
        kill(pid, SIGKILL); /* what could not end */
    servers_stop(&c);
    return 0;
}
