/* cgroup: control groups (version 2, Linux 5.14 or later) below that of this process, where it may make some. What is in one is
 * killed all at once, however fast it forks. */
#ifndef RIVERS_BASE_CGROUP_H
#define RIVERS_BASE_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* The directory of this process' own group, owned by the caller; NULL: there is none. */
char *cgroup_own(void);

/* Makes a group. False when this process may not. own may be NULL here and below. */
bool cgroup_make(const char *own, const char *name);

/* fork() with the child in this group from the first, or where its parent is when that cannot be; name may be NULL. (To move it there
 * later would wait for a grace period of the kernel, 10 ms.) */
pid_t cgroup_fork(const char *own, const char *name);

/* Kills whatever is in the group, and removes it. False while something in it is still dying: to be called again. */
bool cgroup_end(const char *own, const char *name);

/* The same for all groups whose names begin with `prefix`, once; or only for those that nobody is in. */
void cgroup_end_all(const char *own, const char *prefix);
void cgroup_sweep(const char *own, const char *prefix);

#endif
