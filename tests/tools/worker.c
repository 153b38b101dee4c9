/* worker: what a run executes when a test wants to know what ran at the same time: it appends
 *
 *     start <ns> <run> <step> <attempt> <step attempt> <token> <token of its slots> <word>...
 *     end <ns> <the same>
 *
 * to the file $WORKER_LOG and sleeps in between. Each line is one write behind O_APPEND, so the order of the
 * lines is one that all workers agree on; <ns> is the wall clock.
 *
 * With a directory $WORKER_LIVE the deaths of workers that were killed are known as well: each holds a lock on
 * a file of its own there, and before one starts `gone <ns> <the same>` is written for those whose locks are
 * free.
 *
 * A word POOL:SLOTS/LIMIT is checked as well, at the moment itself: the worker locks SLOTS of the first LIMIT bytes of the file
 * $WORKER_LOG.POOL. When these are not free, the workers that are alive have more than LIMIT slots together: it appends
 * `exceeded <ns> <the same>` and fails.
 *
 * usage: worker MS [WORD...]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct line {
    char bytes[1024];
    size_t n; /* past the end when it was too long */
};

static const char *env_or_dash(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "-";
}

static void describe_word(struct line *l, const char *word)
{
    if (l->n < sizeof l->bytes)
        l->n += (size_t)snprintf(l->bytes + l->n, sizeof l->bytes - l->n, "%s%s", l->n ? " " : "", word);
}

/* What the lines of this worker have in common. */
static bool describe(struct line *l, char **words)
{
    static const char *const names[] = {"RIVERS_RUN_ID",       "RIVERS_STEP",  "RIVERS_ATTEMPT",
                                        "RIVERS_STEP_ATTEMPT", "RIVERS_TOKEN", "RIVERS_POOL_TOKEN"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        describe_word(l, env_or_dash(names[i]));
    for (; *words; words++)
        describe_word(l, *words);
    return l->n < sizeof l->bytes;
}

static bool tell(int log, const char *what, const char *who)
{
    struct timespec now;
    char line[1024 + 64]; /* a description and what stands before it */

    clock_gettime(CLOCK_REALTIME, &now);
    int n = snprintf(line, sizeof line, "%s %lld%09ld %s\n", what, (long long)now.tv_sec, now.tv_nsec, who);
    return n < (int)sizeof line && write(log, line, (size_t)n) == n;
}

/* --- who lives */

static bool live_enter(int dir, const char *who)
{
    char name[32];

    snprintf(name, sizeof name, "%d", (int)getpid());
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* held until the process ends */
    return fd >= 0 && flock(fd, LOCK_EX) == 0 && write(fd, who, strlen(who)) == (ssize_t)strlen(who);
}

static void live_leave(int dir)
{
    char name[32];

    snprintf(name, sizeof name, "%d", (int)getpid());
    unlinkat(dir, name, 0);
}

/* One whose name is gone has left by itself. */
static void bury_one(int dir, int log, const char *name)
{
    struct line who = {.n = 0};
    struct stat file;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &file) == 0 && file.st_nlink > 0 &&
        read(fd, who.bytes, sizeof who.bytes - 1) > 0 && tell(log, "gone", who.bytes))
        unlinkat(dir, name, 0);
    close(fd);
}

static void bury(int dir, int log)
{
    DIR *names = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    if (!names)
        return;
    for (const struct dirent *d; (d = readdir(names));)
        if (*d->d_name != '.')
            bury_one(dir, log, d->d_name);
    closedir(names);
}

/* One at a time: who comes next finds the line of each that is gone, and nobody without his lock. First the dead: one of them may
 * have had our number. */
static bool live_begin(int dir, int log, const char *who)
{
    if (flock(dir, LOCK_EX) < 0)
        return false;
    bury(dir, log);
    return live_enter(dir, who) && flock(dir, LOCK_UN) == 0;
}

/* --- what those who live hold together */

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

static bool take_all(const char *log, char **words)
{
    bool taken = true;

    for (; *words; words++)
        taken = take(log, *words) && taken;
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
    const char *path = getenv("WORKER_LOG"), *live = getenv("WORKER_LIVE");
    struct line who = {.n = 0};

    if (argc < 2 || !path || !describe(&who, argv + 2)) {
        fprintf(stderr, "usage: WORKER_LOG=FILE worker MS [WORD...]\n");
        return 2;
    }
    int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int dir = live ? open(live, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (log < 0 || (live && (dir < 0 || !live_begin(dir, log, who.bytes)))) {
        fprintf(stderr, "worker: %s: %s\n", log < 0 ? path : live, strerror(errno));
        return 1;
    }
    bool fits = take_all(path, argv + 2);
    bool told = (fits || tell(log, "exceeded", who.bytes)) && tell(log, "start", who.bytes);
    sleep_ms(strtol(argv[1], NULL, 10));
    told = tell(log, "end", who.bytes) && told;
    if (live)
        live_leave(dir);
    return fits && told ? 0 : 1;
}
