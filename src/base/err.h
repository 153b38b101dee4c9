/* err: what went wrong, filled in by the function that failed and owned by its caller. */
#ifndef RIVERS_BASE_ERR_H
#define RIVERS_BASE_ERR_H

enum err_code {
    ERR_NONE,
    ERR_USAGE,       /* the command line is wrong: exit 2 */
    ERR_INVALID,     /* a document or value is wrong; the message names the place */
    ERR_NOT_FOUND,   /* the thing asked for does not exist */
    ERR_REFUSED,     /* the state does not allow it */
    ERR_STALE,       /* the fencing token is not the current one */
    ERR_UNAVAILABLE, /* the server was not reached: nothing was sent */
    ERR_UNKNOWN,     /* sent, but no reply came: it may have been applied */
    ERR_SERVER,      /* the server answered with an error */
    ERR_SYSTEM,      /* a system call failed */
};

struct err {
    enum err_code code;
    char msg[1024]; /* lower case, quotes its subject, never holds a secret */
};

/* Fills e (may be NULL) and returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set, with ": <strerror(errno)>" appended; code is ERR_SYSTEM. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<text>: " before the message that e already holds, and returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit status a command ends with for this code: 0, 1 or 2. */
int err_exit_status(enum err_code code);

#endif
