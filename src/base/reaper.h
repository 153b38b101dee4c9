/*
 * reaper: waits for every child of this process: the death of a watched child goes to its watcher, an orphan
 * that came to us (we adopt the orphans of our descendants) is reaped without a word.
 *
 * While a reaper lives nothing else in the process may wait for a child.
 */
#ifndef RIVERS_BASE_REAPER_H
#define RIVERS_BASE_REAPER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct event_base;
struct reaper;

/* One watched child, in the watcher's storage from reaper_watch to reaper_collect or reaper_forget. */
struct reaper_watch {
    pid_t pid;
    /* The child is dead and not yet reaped, so the number of its process group cannot belong to anyone else.
     * The watcher calls reaper_collect before this returns. */
    void (*on_dead)(void *arg);
    void *arg;
    struct reaper_watch *next; /* the reaper's */
};

/* adopt_orphans: descendants whose parent died become our children instead of init's
 * (PR_SET_CHILD_SUBREAPER). NULL and e on failure. */
struct reaper *reaper_new(struct event_base *base, bool adopt_orphans, struct err *e);
void reaper_free(struct reaper *r); /* when no child is watched any more; not from a callback */

struct event_base *reaper_base_get(const struct reaper *r);

void reaper_watch(struct reaper *r, struct reaper_watch *w);

/* Waits until the child is dead, reaps it and ends the watch. si_code and si_status tell how it ended. */
siginfo_t reaper_collect(struct reaper *r, struct reaper_watch *w);

/* Ends the watch: the child is a stray from now on, reaped when it dies. */
void reaper_forget(struct reaper *r, struct reaper_watch *w);

/* Kills and reaps the children that nobody watches, and what they leave behind, until there is none. With
 * adopted orphans these are all descendants outside the watched children's own trees, also those that made a
 * session of their own. Blocks for at most 2 s; -1 when some could not be ended by then. */
__attribute__((warn_unused_result)) int reaper_kill_strays(struct reaper *r, struct err *e);

#endif
