#include "base/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/number.h"

/* The parent of a process by /proc/<pid>/stat: "12 (any (name) at all) S 1 ..."; -1 when it is gone. */
static pid_t parent_of(pid_t pid)
{
    char path[32], stat[256];
    int parent = -1;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    stat[n > 0 ? n : 0] = '\0';
    const char *name_end = strrchr(stat, ')');
    if (!name_end || sscanf(name_end, ") %*c %d", &parent) != 1)
        return -1;
    return parent;
}

/* /proc/self/task/<tid>/children, a shorter way, is missing in some kernels. */
int strays_kill(bool (*is_spared)(void *arg, pid_t pid), void *arg, struct err *e)
{
    pid_t self = getpid();
    int64_t pid;
    int n = 0;

    DIR *proc = opendir("/proc");
    if (!proc)
        return err_sys(e, "cannot list processes in '/proc'");
    for (const struct dirent *d; (d = readdir(proc));) {
        if (number_parse(d->d_name, 1, INT32_MAX, &pid) < 0 || parent_of((pid_t)pid) != self ||
            is_spared(arg, (pid_t)pid))
            continue;
        kill((pid_t)pid, SIGKILL);
        waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOHANG);
        n++;
    }
    closedir(proc);
    return n;
}
