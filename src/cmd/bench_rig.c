#include "cmd/bench.h"

#include <dirent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "redis/client.h"

#define CALL_MS 120000 /* the longest wait is for a rewrite of the append-only file */
#define WORDS   8
#define REST_US 20000

static volatile sig_atomic_t stopped; /* by this signal */

static void on_signal(int sig)
{
    stopped = sig;
}

bool bench_ok(const struct bench *b)
{
    return b->err.code == ERR_NONE && !stopped;
}

int bench_fault(const struct bench *b, struct err *e)
{
    *e = b->err;
    if (e->code == ERR_NONE)
        err_set(e, ERR_REFUSED, "stopped by signal %d", (int)stopped);
    return b->row ? err_prefix(e, "%s", b->row) : -1;
}

double bench_size(const struct bench *b, double whole, double quick)
{
    return b->quick ? quick : whole;
}

/* --- the server */

static int connect_it(struct bench *b, struct err *e)
{
    struct redis_url url;

    if (redis_url_parse(&url, b->server.url, e) < 0)
        return -1;
    b->base = event_base_new();
    b->redis = redis_new(b->base, &url, "rivers-bench");
    redis_url_release(&url);
    return 0;
}

int bench_open(struct bench *b, struct err *e)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction stop = {.sa_handler = on_signal};
    const char *tmp = getenv("TMPDIR");

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &stop, NULL);
    b->dir = xasprintf("%s/rivers-bench.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(b->dir)) {
        err_sys(e, "cannot make directory '%s'", b->dir);
        free(b->dir);
        return -1;
    }
    if (embedded_start(&b->server, b->dir, e) < 0) {
        rmdir(b->dir);
        free(b->dir);
        return -1;
    }
    if (connect_it(b, e) < 0) {
        bench_close(b);
        return -1;
    }
    reply_free(bench_ask(b, "CONFIG", "SET", "appendonly", "no", NULL));
    return 0;
}

/* Files and one level of directories: what a Redis server leaves. */
static void directory_remove(const char *dir, bool deeper)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;

    while (d && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *path = xasprintf("%s/%s", dir, entry->d_name);
        if (unlink(path) < 0 && deeper)
            directory_remove(path, false);
        free(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

void bench_close(struct bench *b)
{
    redis_free(b->redis);
    if (b->base)
        event_base_free(b->base);
    embedded_stop(&b->server);
    directory_remove(b->dir, true);
    free(b->dir);
    for (size_t i = 0; i < b->nfigures; i++)
        free(b->figures[i].what);
    free(b->figures);
}

struct store *bench_store(struct bench *b, const char *namespace)
{
    return store_new(b->redis, namespace);
}

struct reply *bench_ask(struct bench *b, ...)
{
    const char *words[WORDS], *word;
    int n = 0;
    va_list ap;

    va_start(ap, b);
    while ((word = va_arg(ap, const char *)) && n < WORDS)
        words[n++] = word;
    va_end(ap);
    return bench_ok(b) ? redis_send_wait(b->redis, CALL_MS, n, words, NULL, &b->err) : NULL;
}

void bench_clear(struct bench *b)
{
    reply_free(bench_ask(b, "FLUSHALL", "SYNC", NULL));
}

void bench_set(struct bench *b, struct store *s, const char *hash, const char *field, const char *value)
{
    char key[256];

    reply_free(bench_ask(b, "HSET", store_key(s, key, sizeof key, hash, ""), field, value, NULL));
}

static double field_of(const char *info, const char *field)
{
    size_t n = strlen(field);

    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, field, n) == 0 && line[n] == ':')
            return strtod(line + n + 1, NULL);
    }
    return 0;
}

double bench_info(struct bench *b, const char *section, const char *field)
{
    struct reply *r = bench_ask(b, "INFO", section, NULL);
    double value = field_of(reply_str(r), field);

    reply_free(r);
    return value;
}

double bench_cpu_us(struct bench *b)
{
    struct reply *r = bench_ask(b, "INFO", "cpu", NULL);
    const char *info = reply_str(r);
    double seconds = field_of(info, "used_cpu_user_main_thread") + field_of(info, "used_cpu_sys_main_thread");

    reply_free(r);
    return seconds * 1e6;
}

double bench_p99_us(struct bench *b)
{
    struct reply *r = bench_ask(b, "INFO", "latencystats", NULL);
    const char *line = strstr(reply_str(r), "latency_percentiles_usec_evalsha:"),
               *p99 = line ? strstr(line, "p99=") : NULL;
    double us = p99 ? strtod(p99 + strlen("p99="), NULL) : 0;

    reply_free(r);
    return us;
}

/* --- calls in flight */

static void on_landed(void *arg, const struct reply *reply, const struct err *e)
{
    struct bench *b = arg;

    (void)reply;
    b->pending--;
    if (e->code != ERR_NONE && bench_ok(b))
        b->err = *e;
}

void bench_send(struct bench *b, struct call *c)
{
    b->pending++;
    call_send(c, CALL_MS, on_landed, b);
}

void bench_start(struct bench *b, struct store *s, const struct execution *x, int64_t lease_ms)
{
    bench_send(b, start_call(s, x, lease_ms));
    b->pending += 2;
    order_read(s, x->run, CALL_MS, on_landed, on_landed, b);
}

void bench_land(struct bench *b)
{
    while (b->pending > 0)
        event_base_loop(b->base, EVLOOP_ONCE);
}

struct reply *bench_call(struct bench *b, struct call *c)
{
    return call_wait(c, CALL_MS, &b->err);
}

/* --- measuring */

double bench_clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

void bench_nap_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

void bench_rest(void)
{
    bench_nap_us(REST_US);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void bench_trials(struct bench *b, struct bench_trial *trials, size_t n, size_t rounds)
{
    double *seen = xcalloc(n * rounds, sizeof *seen);

    for (size_t i = 0; i < rounds && bench_ok(b); i++)
        for (size_t t = 0; t < n && bench_ok(b); t++)
            seen[t * rounds + i] = trials[t].once(b, trials[t].arg);
    for (size_t t = 0; t < n; t++) {
        qsort(seen + t * rounds, rounds, sizeof *seen, by_size);
        trials[t].median = seen[t * rounds + rounds / 2];
        trials[t].p99 = seen[t * rounds + (rounds * 99) / 100];
    }
    free(seen);
}

void bench_report(struct bench *b, enum bench_bar sense, double bar, const char *unit, double measured,
                  double against, const char *fmt, ...)
{
    char words[128];
    va_list ap;

    if (!bench_ok(b))
        return;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    b->figures = xrealloc(b->figures, (b->nfigures + 1) * sizeof *b->figures);
    b->figures[b->nfigures++] = (struct bench_figure){.row = b->row,
                                                      .what = xstrdup(words),
                                                      .unit = unit,
                                                      .measured = measured,
                                                      .against = against,
                                                      .sense = sense,
                                                      .bar = bar};
}

double bench_ratio(const struct bench_figure *f)
{
    return f->against > 0 ? f->measured / f->against : f->measured;
}

bool bench_is_met(const struct bench_figure *f)
{
    return f->sense == BAR_NONE ||
           (f->sense == BAR_AT_LEAST ? bench_ratio(f) >= f->bar : bench_ratio(f) <= f->bar);
}
