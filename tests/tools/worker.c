/* worker: what a run executes when a test wants to know what ran at the same time: it appends
 *
 *     start <ns> <run> <attempt> <word>...
 *     end <ns> <run> <attempt> <word>...
 *
 * to the file $WORKER_LOG and sleeps in between. Each line is one write behind O_APPEND, so the order of the
 * lines is one that all workers agree on; <ns> is the wall clock.
 *
 * A word POOL:SLOTS/LIMIT is checked as well, in a way that outlives no worker, however it ends: it locks SLOTS of the first
 * LIMIT bytes of the file $WORKER_LOG.POOL. When these are not free, the workers that are alive have more than LIMIT slots
 * together: the worker appends `exceeded <ns> <run> <attempt> <word>` and fails.
 *
 * usage: worker MS [WORD...]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct line {
    char bytes[1024];
    size_t n; /* past the end when it was too long */
};

static void line_add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_add(struct line *l, const char *format, ...)
{
    va_list args;

    if (l->n >= sizeof l->bytes)
        return;
    va_start(args, format);
    l->n += (size_t)vsnprintf(l->bytes + l->n, sizeof l->bytes - l->n, format, args);
    va_end(args);
}

static const char *env_or_dash(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "-";
}

static bool tell(int log, const char *what, char **words)
{
    struct timespec now;
    struct line l = {.n = 0};

    clock_gettime(CLOCK_REALTIME, &now);
    line_add(&l, "%s %lld%09ld %s %s", what, (long long)now.tv_sec, now.tv_nsec, env_or_dash("RIVERS_RUN_ID"),
             env_or_dash("RIVERS_ATTEMPT"));
    for (; *words; words++)
        line_add(&l, " %s", *words);
    line_add(&l, "\n");
    return l.n < sizeof l.bytes && write(log, l.bytes, l.n) == (ssize_t)l.n;
}

/* The lock of a byte ends with the process. */
static bool lock(int fd, int command, short type, long byte)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int status;

    while ((status = fcntl(fd, command, &l)) < 0 && errno == EINTR)
        ;
    return status == 0;
}

/* One at a time looks for free bytes: those that are free when it begins stay so. */
static bool lock_slots(int fd, long slots, long limit)
{
    const long gate = 1L << 30;

    if (!lock(fd, F_SETLKW, F_WRLCK, gate))
        return false;
    for (long byte = 0; byte < limit && slots > 0; byte++)
        slots -= lock(fd, F_SETLK, F_WRLCK, byte);
    return lock(fd, F_SETLK, F_UNLCK, gate) && slots == 0;
}

/* The descriptor stays open: closing it would end the locks. */
static bool take(const char *log, const char *word)
{
    char pool[256], path[4096];
    long slots, limit;

    if (sscanf(word, "%255[^:]:%ld/%ld", pool, &slots, &limit) != 3)
        return true;
    snprintf(path, sizeof path, "%s.%s", log, pool);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    return fd >= 0 && lock_slots(fd, slots, limit);
}

static bool take_all(int log, const char *path, char **words)
{
    bool taken = true;

    for (; *words; words++)
        if (!take(path, *words)) {
            tell(log, "exceeded", (char *[]){*words, NULL});
            taken = false;
        }
    return taken;
}

static void sleep_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int main(int argc, char **argv)
{
    const char *path = getenv("WORKER_LOG");

    if (argc < 2 || !path) {
        fprintf(stderr, "usage: WORKER_LOG=FILE worker MS [WORD...]\n");
        return 2;
    }
    int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (log < 0) {
        fprintf(stderr, "worker: %s: %s\n", path, strerror(errno));
        return 1;
    }
    bool fine = take_all(log, path, argv + 2);
    fine = tell(log, "start", argv + 2) && fine;
    sleep_ms(strtol(argv[1], NULL, 10));
    fine = tell(log, "end", argv + 2) && fine;
    return fine ? 0 : 1;
}
