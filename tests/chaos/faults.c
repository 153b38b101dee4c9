#include "chaos/faults.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "chaos/processes.h"
#include "chaos/servers.h"

#define LONG_MS     6000 /* no shorter than any lease */
#define HOUR_S      3600
#define LOSS_MS     2000 /* so much may not be synced with appendfsync everysec, or not have reached a replica */
#define PROMOTED_MS 20000 /* a replica is promoted within it, if it is at all */
#define SPLIT_MS                                                                                             \
    1000 /* a master that goes on behind the back of its successor accepts nothing any more after it */

struct nemesis {
    const char *name;
    int ms;                                          /* how long it lasts at most; 0: it is over at once */
    bool (*begin)(struct chaos *c, struct fault *f); /* false: not possible now */
    void (*end)(struct chaos *c, struct fault *f);
    const char *only; /* the one topology in which it is; NULL: each */
};

/* --- processes of rivers */

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

/* --- servers */

static void note_loss(struct chaos *c, int64_t since, int64_t to)
{
    note(c, "loss %" PRId64 " %" PRId64 " %" PRId64 "\n", since - LOSS_MS, to, to + c->topology->lease_ms);
}

/* Just killed: what was done in the last seconds in which it worked may be lost, and whoever worked on what is lost has ended
 * one lease from now. */
static void note_unsynced(struct chaos *c)
{
    int64_t now = clock_wall_ms(), since = now;

    if (!syncs_late(c) || !atomic_load(&c->host->holds_unsynced))
        return;
    if (clock_mono_ms() < c->stood_until + LOSS_MS)
        since -= c->stood_until - c->stopped_at;
    note_loss(c, since, now);
}

/* What the last master did since it failed, and just before, the new one may not know. That accepts nothing before it has a
 * replica of its own. */
void watch_master(struct chaos *c)
{
    int master = c->topology->has_replicas ? c->topology->active(c) : c->master;

    if (master < 0 || master == c->master)
        return;
    c->master = master;
    note(c, "fault a replica promoted\n");
    note_loss(c, c->trouble_at, clock_wall_ms() + SPLIT_MS);
}

static bool kill_node(struct chaos *c, struct fault *f)
{
    f->which = active(c);
    struct node *n = &c->nodes[f->which];
    if (n->stands || n->server.pid == 0)
        return false;
    c->trouble_at = clock_wall_ms();
    redis_server_kill(&n->server);
    return true;
}

static bool kill_redis(struct chaos *c, struct fault *f)
{
    if (!kill_node(c, f))
        return false;
    note_unsynced(c);
    nap(below(c, 300));
    atomic_store(&c->host->holds_unsynced, 0);
    node_restart(c, f->which);
    c->short_memory = false; /* CONFIG SET is forgotten */
    return true;
}

/* Until the sentinels have agreed on another master. The old one comes back as its replica. */
static void fail_over_end(struct chaos *c, struct fault *f)
{
    watch_master(c);
    if (c->master == f->which && clock_mono_ms() < f->begun_at + PROMOTED_MS)
        f->until = clock_mono_ms() + 50;
    else
        node_restart(c, f->which);
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

static bool stop_node(struct chaos *c, struct fault *f, int node)
{
    struct node *n = &c->nodes[node];

    f->which = node;
    f->pid = n->server.pid;
    n->stands = !n->stands && f->pid > 0 && kill(f->pid, SIGSTOP) == 0;
    return n->stands;
}

static bool stop_redis(struct chaos *c, struct fault *f)
{
    int node = active(c);

    if (c->nodes[node].stands || !stop_node(c, f, node))
        return false;
    c->stopped_at = clock_mono_ms();
    c->trouble_at = clock_wall_ms();
    return true;
}

static void node_goes_on(struct chaos *c, struct fault *f)
{
    c->nodes[f->which].stands = false;
    go_on(c, f);
}

/* When it was replaced meanwhile, it does not know that yet. */
static void redis_goes_on(struct chaos *c, struct fault *f)
{
    watch_master(c);
    if (c->topology->has_replicas && c->master != f->which)
        note_loss(c, c->trouble_at, clock_wall_ms() + SPLIT_MS);
    c->stood_until = clock_mono_ms();
    node_goes_on(c, f);
}

static bool stop_replica(struct chaos *c, struct fault *f)
{
    int node = 1 - active(c);

    return !c->nodes[node].stands && stop_node(c, f, node);
}

/* The slot of the namespace goes to another node. */
static bool begin_move(struct chaos *c, struct fault *f)
{
    f->which = (active(c) + 1 + below(c, c->topology->nodes - 1)) % c->topology->nodes;
    return !any_stands(c);
}

static void go_on_moving(struct chaos *c, struct fault *f)
{
    if (any_stands(c) || slot_move(c, f->which))
        f->until = clock_mono_ms() + 10;
}

/* --- connections */

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
    f->which = below(c, PROXIES);
    proxy_delay_replies(c->proxies[f->which], 10 + below(c, 600));
    return true;
}

static void delay_over(struct chaos *c, struct fault *f)
{
    proxy_delay_replies(c->proxies[f->which], 0);
}

static bool lose(struct chaos *c, struct fault *f)
{
    f->which = below(c, PROXIES);
    proxy_lose_replies(c->proxies[f->which], 1);
    return true;
}

static void lose_over(struct chaos *c, struct fault *f)
{
    proxy_drop(c->proxies[f->which]);
}

static bool tell_redis(struct chaos *c, const char *command)
{
    if (any_stands(c))
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
    if (any_stands(c) || syncs_late(c) || clock_mono_ms() < c->paused_until)
        return false;
    atomic_store(&c->host->clock_offset_s, below(c, 2) ? HOUR_S : -HOUR_S);
    return true;
}

static void jump_back(struct chaos *c, struct fault *f)
{
    if (any_stands(c) || clock_mono_ms() < c->paused_until)
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

/* Of all: another may be the master by now. What stands still is asked later. */
static void free_memory(struct chaos *c, struct fault *f)
{
    bool freed = !any_stands(c);

    for (int i = 0; c->short_memory && freed && i < c->topology->nodes; i++) {
        redisReply *r = c->nodes[i].server.pid ? ask_node(c, i, "CONFIG SET maxmemory 0") : NULL;
        freed = r != NULL;
        freeReplyObject(r);
    }
    if (c->short_memory && !freed)
        f->until = clock_mono_ms() + 100;
    else
        c->short_memory = false;
}

static const struct nemesis nemeses[] = {
    {"dequeuers killed", 0, kill_dequeuer, NULL, NULL},
    {"dequeuers stopped", LONG_MS, stop_dequeuer, go_on, NULL},
    {"executors killed", 0, kill_executor, NULL, NULL},
    {"executors stopped", LONG_MS, stop_executor, go_on, NULL},
    {"executors and guards stopped", LONG_MS, stop_executors_and_guard, go_on, NULL},
    {"Redis killed", 0, kill_redis, NULL, NULL},
    {"power cuts", 3000, hold_unsynced, cut_power, "one"},
    {"Redis stopped", LONG_MS, stop_redis, redis_goes_on, NULL},
    {"connections dropped", 0, drop, NULL, "one"},
    {"replies cut", 0, cut, NULL, "one"},
    {"replies delayed", 3000, delay, delay_over, "one"},
    {"replies lost", 1500, lose, lose_over, "one"},
    {"scripts flushed", 0, flush_scripts, NULL, NULL},
    {"connections killed", 0, kill_connections, NULL, NULL},
    {"clients paused", 0, pause_clients, NULL, NULL},
    {"memory filled", 1500, fill_memory, free_memory, NULL},
    {"clock jumps", LONG_MS, jump, jump_back, NULL},
    {"masters killed", 1, kill_node, fail_over_end, "sentinel"},
    {"replicas stopped", LONG_MS, stop_replica, node_goes_on, "sentinel"},
    {"slots moved", 1, begin_move, go_on_moving, "cluster"},
};

#define NEMESES (sizeof nemeses / sizeof *nemeses)

_Static_assert(NEMESES <= FAULTS_MAX, "a place for each");

static bool is_wanted(const struct chaos *c, size_t i)
{
    const struct nemesis *n = &nemeses[i];

    return (!n->only || strcmp(n->only, c->topology->name) == 0) && (!c->only || strstr(c->only, n->name));
}

bool some_are_wanted(const struct chaos *c)
{
    bool some = false;

    for (size_t i = 0; i < NEMESES; i++)
        some = some || is_wanted(c, i);
    return some;
}

void begin_fault(struct chaos *c, struct fault faults[FAULTS_MAX])
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
    f->begun_at = clock_mono_ms();
    f->until = nemeses[i].end ? f->begun_at + ms : 0;
}

bool end_faults(struct chaos *c, struct fault faults[FAULTS_MAX], int64_t now)
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
