#include "base/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Where groups of version 2 are mounted, owned; NULL: nowhere. */
static char *mount_point(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char *dir = NULL, line[4096];
    struct mntent m;

    while (mounts && !dir && getmntent_r(mounts, &m, line, sizeof line))
        if (strcmp(m.mnt_type, "cgroup2") == 0)
            dir = xstrdup(m.mnt_dir);
    if (mounts)
        endmntent(mounts);
    return dir;
}

char *cgroup_own(void)
{
    char *mounted = mount_point(), *own = NULL, *line = NULL;
    FILE *groups = mounted ? fopen("/proc/self/cgroup", "re") : NULL;
    size_t size = 0;

    while (groups && !own && getline(&line, &size, groups) > 0)
        if (strncmp(line, "0::", 3) == 0) /* those of version 1 have other numbers */
            own = xasprintf("%s%.*s", mounted, (int)strcspn(line + 3, "\n"), line + 3);
    if (groups)
        fclose(groups);
    free(line);
    free(mounted);
    return own;
}

bool cgroup_make(const char *own, const char *name)
{
    char *path = own ? xasprintf("%s/%s", own, name) : NULL;
    bool made = path && mkdir(path, 0755) == 0;

    free(path);
    return made;
}

/* Returns whether it was written. */
static bool control(const char *own, const char *name, const char *file, const char *value)
{
    char *path = xasprintf("%s/%s/%s", own, name, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, value, strlen(value)) > 0;

    if (fd >= 0)
        close(fd);
    free(path);
    return written;
}

/* The C library goes on taking the child for its parent where it remembers the number of its thread; that matters to locks between
 * processes alone. */
pid_t cgroup_fork(const char *own, const char *name)
{
    char *path = own && name ? xasprintf("%s/%s", own, name) : NULL;
    int group = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (__u64)(unsigned)group};
    pid_t pid = group < 0 ? -1 : (pid_t)syscall(SYS_clone3, &args, sizeof args);

    free(path);
    if (group >= 0)
        close(group);
    return pid < 0 ? fork() : pid;
}

/* Returns whether it is gone. */
static bool remove_empty(const char *own, const char *name)
{
    char *path = xasprintf("%s/%s", own, name);
    bool gone = rmdir(path) == 0 || errno != EBUSY;

    free(path);
    return gone;
}

bool cgroup_end(const char *own, const char *name)
{
    return !own || remove_empty(own, name) ||
           (control(own, name, "cgroup.kill", "1") && remove_empty(own, name));
}

static void each(const char *own, const char *prefix, bool (*what)(const char *own, const char *name))
{
    DIR *dir = own ? opendir(own) : NULL;

    if (!dir)
        return;
    for (const struct dirent *d; (d = readdir(dir));)
        if (strncmp(d->d_name, prefix, strlen(prefix)) == 0)
            (void)what(own, d->d_name);
    closedir(dir);
}

void cgroup_sweep(const char *own, const char *prefix)
{
    each(own, prefix, remove_empty);
}

void cgroup_end_all(const char *own, const char *prefix)
{
    each(own, prefix, cgroup_end);
}
