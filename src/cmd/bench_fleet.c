#include "cmd/bench_fleet.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/submit.h"
#include "daemon/dequeuer.h"
#include "redis/client.h"

extern char **environ;

/* --- processes */

pid_t bench_spawn(struct bench *b, char *const *argv, char *const *envp, int errors)
{
    posix_spawn_file_actions_t files;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (errors >= 0)
        posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    if (posix_spawn(&pid, argv[0], &files, NULL, argv, envp) != 0 && bench_ok(b))
        err_sys(&b->err, "cannot run '%s'", argv[0]);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static pid_t dequeuer_spawn(struct fleet *f, struct bench *b, char *id)
{
    char self[] = "/proc/self/exe", word[] = "dequeuer", by_id[] = "--id", of[] = "--capacity";
    char *capacity = xstrdup(f->options.capacity);
    char *argv[] = {self, word, by_id, id, capacity ? of : NULL, capacity, NULL};
    pid_t pid = bench_spawn(b, argv, f->environment.vars, f->logs[1]);

    free(capacity);
    return pid;
}

/* What the command `dequeuer` does, with memory in use. */
static int dequeuer_be(struct fleet *f, struct bench *b, const char *id)
{
    const struct dequeuer_options o = {
        .id = id, .capacity = -1, .redis_url = b->server.url, .namespace = f->options.namespace};
    int null = open("/dev/null", O_RDWR);
    char *memory = xmalloc(f->options.resident);
    struct err e;

    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    explicit_bzero(memory, f->options.resident); /* so that it is there */
    struct redis *redis = redis_new(event_base_new(), redis_url_get(b->redis), "rivers-dequeuer");
    int status = dequeuer_run(store_new(redis, o.namespace), &o, &e);
    free(memory);
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static pid_t dequeuer_fork(struct fleet *f, struct bench *b, const char *id)
{
    pid_t pid = fork();

    if (pid < 0)
        err_sys(&b->err, "cannot fork");
    if (pid == 0)
        _exit(dequeuer_be(f, b, id));
    return pid;
}

/* --- the fleet */

static void await_blocked(struct bench *b, double clients)
{
    double begun = bench_clock_us();

    while (bench_ok(b) && bench_info(b, "clients", "blocked_clients") < clients) {
        if (bench_clock_us() - begun > BENCH_PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "the dequeuers did not come up");
        bench_nap_us(10000);
    }
}

void fleet_open(struct fleet *f, struct bench *b, const struct fleet_options *o)
{
    static const char run[] = "{\"steps\": [{\"name\": \"a\", \"command\": [\"/bin/true\"]}]}";
    char id[24];

    *f = (struct fleet){.options = *o, .logs = {-1, -1}, .runs = (size_t)bench_size(b, 200, 5)};
    if (!f->options.namespace)
        f->options.namespace = "fleet";
    f->store = bench_store(b, f->options.namespace);
    if (spec_parse(&f->spec, run, strlen(run), &b->err) < 0)
        return;
    if (o->heard && pipe2(f->logs, O_CLOEXEC) < 0)
        err_sys(&b->err, "cannot make a pipe for what dequeuers say");
    bench_set(b, f->store, "config", "max_concurrent_runs", o->concurrency);
    environment_init(&f->environment, environ);
    environment_set(&f->environment, "RIVERS_REDIS_URL", b->server.url);
    environment_set(&f->environment, "RIVERS_NAMESPACE", f->options.namespace);
    f->pids = xcalloc(o->dequeuers + 1, sizeof *f->pids);
    double others = bench_info(b, "clients", "blocked_clients");
    for (size_t i = 0; i < o->dequeuers && bench_ok(b); i++) {
        snprintf(id, sizeof id, "d%zu", i);
        f->pids[i] = o->resident ? dequeuer_fork(f, b, id) : dequeuer_spawn(f, b, id);
    }
    await_blocked(b, others + (double)o->dequeuers);
}

void fleet_close(struct fleet *f)
{
    for (size_t i = 0; i < f->options.dequeuers; i++)
        if (f->pids[i] > 0)
            kill(f->pids[i], SIGTERM);
    for (size_t i = 0; i < f->options.dequeuers; i++)
        if (f->pids[i] > 0)
            waitpid(f->pids[i], NULL, 0);
    for (size_t i = 0; i < 2; i++)
        if (f->logs[i] >= 0)
            close(f->logs[i]);
    free(f->pids);
    environment_release(&f->environment);
    spec_release(&f->spec);
    store_free(f->store);
}

void fleet_await_launch(struct fleet *f, struct bench *b, const char *id)
{
    struct pollfd said = {f->logs[0], POLLIN, 0};
    struct text lines = {0};
    char line[128], bytes[4096];

    snprintf(line, sizeof line, " msg=\"run launched\" run=%s ", id);
    while (bench_ok(b) && !strstr(text_get(&lines), line)) {
        ssize_t n =
            poll(&said, 1, (int)(BENCH_PATIENCE_US / 1000)) > 0 ? read(said.fd, bytes, sizeof bytes) : 0;
        if (n > 0)
            text_add_bytes(&lines, bytes, (size_t)n);
        else if (bench_ok(b))
            err_set(&b->err, ERR_UNAVAILABLE, "run '%s' was not launched", id);
    }
    text_release(&lines);
}

void fleet_await_end(struct fleet *f, struct bench *b, const char *id)
{
    double begun = bench_clock_us();
    char key[256];

    store_key(f->store, key, sizeof key, "run:", id);
    for (bool ended = false; !ended && bench_ok(b);) {
        bench_nap_us(500);
        struct reply *r = bench_ask(b, "HGET", key, "ended_at", NULL);
        ended = r && !reply_is_nil(r);
        reply_free(r);
        if (bench_clock_us() - begun > BENCH_PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "run '%s' did not end", id);
    }
}

struct events fleet_events_end(struct fleet *f, struct bench *b)
{
    struct events ev = {0};
    struct err e;

    if (events_seek(&ev, f->store, 0, &e) < 0 && bench_ok(b))
        b->err = e;
    return ev;
}

double fleet_runs_per_s(struct bench *b, void *arg)
{
    struct fleet *f = arg;
    char key[256];
    double begun = bench_clock_us(), left = 1;

    store_key(f->store, key, sizeof key, "history", "");
    reply_free(bench_ask(b, "DEL", key, NULL));
    for (size_t i = 0; i < f->runs; i++)
        bench_send(b, submit_call(f->store, &f->spec, 1));
    bench_land(b);
    while (left > 0 && bench_ok(b)) {
        struct reply *r = bench_ask(b, "ZCARD", key, NULL);
        left = (double)f->runs - (double)reply_int(r, 0);
        reply_free(r);
        bench_nap_us(1000);
        if (bench_clock_us() - begun > BENCH_PATIENCE_US)
            err_set(&b->err, ERR_UNAVAILABLE, "%.0f of %zu runs did not end", left, f->runs);
    }
    return (double)f->runs / (bench_clock_us() - begun) * 1e6;
}
