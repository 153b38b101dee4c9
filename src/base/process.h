/*
 * process: one child process with a process group of its own, started on the event loop; its owner is told
 * exactly once how it ended.
 *
 *   RUNNING --process_end--> ENDING --grace is over--> KILLED --------------> on_exit
 *      |                     SIGTERM to the group      SIGKILL to the group,
 *      |                                               until it is empty and
 *      +-- the process exits: what it left in its ---> the output read to its
 *          group ends with it                          end, or 1 s passed
 *
 * While ENDING the exit of the process alone does not end the grace: a shell dies of SIGTERM at once, what it
 * runs may have to clean up.
 */
#ifndef RIVERS_BASE_PROCESS_H
#define RIVERS_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct process;
struct reaper;

enum process_apart {
    PROCESS_GROUP,   /* its own group in our session */
    PROCESS_SESSION, /* its own session: a terminal that goes away does not reach it */
};

struct process_exit {
    bool signaled;
    int code; /* exit code, or the signal when signaled */
};

typedef void process_output_fn(void *arg, const char *bytes, size_t n);
typedef void process_exit_fn(void *arg, const struct process_exit *exit);

struct process_options {
    char *const *argv; /* argv[0] without '/' is looked up in the PATH of envp */
    char *const *envp; /* NULL: ours */
    const char *cwd;   /* NULL: ours; a relative argv[0] starts there */
    enum process_apart apart;
    int input;            /* a descriptor of ours that becomes its stdin; 0: /dev/null does */
    bool foreground;      /* with our stdin; a terminal that we own is the group's until process_free */
    bool die_with_parent; /* SIGKILL to the process (not its group) when we die */
    process_output_fn *on_output; /* stdout and stderr in the order written; NULL: it writes to ours */
    bool errors_apart;            /* on_output gets stdout alone, stderr is ours */
    process_exit_fn *on_exit;     /* the last callback; process_free is allowed in both */
    void *arg;                    /* of both */
};

/* Starts a process with /dev/null as stdin (unless options say otherwise), no signal blocked or ignored, and
 * nothing of ours open but stdout and stderr (all our descriptors are O_CLOEXEC, and 0 to 2 are taken). With
 * the terminal it ignores SIGTSTP: nobody could set it going again. Nothing of the options is kept but the
 * callbacks and arg. Returns NULL when it could not be started, with e as `cannot run 'foo': No such file or
 * directory` or `cannot enter directory '/x': ...`. The reaper must live longer than the process. */
struct process *process_start(struct reaper *reaper, const struct process_options *options, struct err *e);

/* The file that argv[0] would be, by our PATH; owned by the caller. NULL and e as when it cannot be started. */
char *process_find(const char *name, struct err *e);

/* Before on_exit: kills the group and waits for the process; on_exit will not be called. */
void process_free(struct process *p);

/* Like process_free, but the process goes on without us (whose output, if read, has no reader now). */
void process_leave(struct process *p);

pid_t process_pid_get(const struct process *p); /* also the id of its group */

/* To the whole group; nothing once the process exited. */
void process_signal(struct process *p, int sig);

/* SIGTERM to the group, and SIGKILL once grace_ms are over; called again, the new grace counts from now. */
void process_end(struct process *p, int64_t grace_ms);

#endif
