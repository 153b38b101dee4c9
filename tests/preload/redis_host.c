/* Loaded into redis-server (LD_PRELOAD) by support/redis_host: its wall clock is off by what the shared page says,
 * and its append-only files lose, when it is killed, what it had not synced: the kill is a power cut.
 *
 * Clocks that only go on (CLOCK_MONOTONIC) stay true.
 */
#include "support/redis_host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FDS 1024

/* What was written to a file and not synced. */
struct held {
    bool is_kept; /* by us: an append-only file */
    char *bytes;
    size_t n, size;
};

static const struct redis_host_page *page;
static struct held files[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Redis syncs in a thread of its own */

/* ISO C knows no conversion of a pointer to that of a function. */
#define NEXT(name, function)                                                                                 \
    do {                                                                                                     \
        if (!(function))                                                                                     \
            *(void **)&(function) = dlsym(RTLD_NEXT, name);                                                  \
    } while (0)

__attribute__((constructor)) static void enter(void)
{
    const char *path = getenv(REDIS_HOST_PAGE);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        page = p;
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of glibc are reserved

/* --- the clock */

static int64_t offset_s(void)
{
    return page ? atomic_load(&page->clock_offset_s) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*next)(clockid_t, struct timespec *);

    NEXT("clock_gettime", next);
    int status = next(id, t);
    if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        t->tv_sec += offset_s();
    return status;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    int status = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    *t = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return status;
}

time_t time(time_t *t)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}

/* --- the disk */

static bool ends_in_aof(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".aof") == 0;
}

int open64(const char *path, int flags, ...)
{
    static int (*next)(const char *, int, ...);
    va_list args;

    va_start(args, flags);
    mode_t mode =
        flags & O_CREAT ? va_arg(args, mode_t) : 0; // NOLINT(clang-analyzer-valist.Uninitialized): it is
    va_end(args);
    NEXT("open64", next);
    int fd = next(path, flags, mode);
    if (fd >= 0 && fd < FDS && page && flags & O_APPEND && ends_in_aof(path))
        files[fd] = (struct held){.is_kept = true};
    return fd;
}

static ssize_t to_disk(int fd, const void *bytes, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);

    NEXT("write", next);
    return next(fd, bytes, n);
}

static void hold(struct held *f, const void *bytes, size_t n)
{
    while (f->n + n > f->size) {
        f->size = f->size ? 2 * f->size : 65536;
        f->bytes = realloc(f->bytes, f->size);
        if (!f->bytes)
            abort();
    }
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd < 0 || fd >= FDS || !files[fd].is_kept)
        return to_disk(fd, bytes, n);
    pthread_mutex_lock(&lock);
    ssize_t written = (ssize_t)n;
    if (files[fd].n > 0 || atomic_load(&page->holds_unsynced))
        hold(&files[fd], bytes, n);
    else
        written = to_disk(fd, bytes, n);
    pthread_mutex_unlock(&lock);
    return written;
}

/* What a process wrote outlives it: no sync of the true disk is needed. */
static void sync_held(int fd)
{
    pthread_mutex_lock(&lock);
    struct held *f = &files[fd];
    if (f->n && to_disk(fd, f->bytes, f->n) != (ssize_t)f->n)
        abort();
    f->n = 0;
    pthread_mutex_unlock(&lock);
}

int fdatasync(int fd)
{
    static int (*next)(int);

    NEXT("fdatasync", next);
    if (fd < 0 || fd >= FDS || !files[fd].is_kept)
        return next(fd);
    sync_held(fd);
    return 0;
}

int fsync(int fd)
{
    static int (*next)(int);

    NEXT("fsync", next);
    if (fd < 0 || fd >= FDS || !files[fd].is_kept)
        return next(fd);
    sync_held(fd);
    return 0;
}

int close(int fd)
{
    static int (*next)(int);

    NEXT("close", next);
    if (fd >= 0 && fd < FDS && files[fd].is_kept) {
        sync_held(fd);
        free(files[fd].bytes);
        files[fd] = (struct held){.is_kept = false};
    }
    return next(fd);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
