/*
 * rivers.h: submits runs, follows them, and holds slots of pools, from inside a program. C99 and C++; link with -lrivers, or as
 * `pkg-config --cflags --libs rivers` says.
 *
 *     const char *run = "{\"key\": \"nightly-23\", \"steps\": [{\"name\": \"main\", \"command\": \"make nightly\"}]}";
 *     enum rivers_run_state state;
 *     struct rivers_error e;
 *     char id[RIVERS_ID_SIZE];
 *     struct rivers *h;
 *
 *     if (rivers_open(&h, NULL, &e) == 0 && rivers_submit(h, run, id, &e) == 0 && rivers_wait(h, id, 60000, &state, &e) == 0)
 *         printf("%s %s\n", id, rivers_state_word(state));
 *     else
 *         fprintf(stderr, "%s\n", e.message);
 *     rivers_close(h);
 *
 * CALLS block. Each waits for the server for at most the timeout_ms of its handle, through lost connections, which are made
 * anew; only the name of a host is looked up for as long as the system takes. rivers_wait and rivers_claim wait for something
 * else as well, for as long as they are told. Signals do not interrupt a call.
 *
 * RESULTS. A call that can fail returns RIVERS_OK (0) or a code, and then fills *error, which may be NULL. What it was to fill
 * otherwise is left as it was, unless said. Pointers must not be NULL unless said. Strings are UTF-8 and end with a NUL.
 *
 * THREADS. A handle and a struct rivers_slots are used by one thread at a time; different handles do not know of each other. After
 * fork() only one of the two processes goes on with a handle: the other one must not touch it, not even to close it.
 *
 * THE PROGRAM is left as it is: nothing is printed, no signal handler, locale or other state of the process changes (SIGPIPE is
 * blocked for the calling thread during a call), no thread or process is started, and nothing happens between calls. Descriptors
 * are closed on exec. Where memory is short, the process ends by abort() after a line on stderr.
 *
 * TIMES are in milliseconds; 64 bits wide.
 */
#ifndef RIVERS_RIVERS_H
#define RIVERS_RIVERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#define RIVERS_ID_SIZE      32        /* bytes of a run id, with its NUL */
#define RIVERS_CLAIM_SIZE   96        /* of the name of a claim */
#define RIVERS_MESSAGE_SIZE 1024      /* of a message */
#define RIVERS_FOREVER      INT64_MAX /* a wait without an end */

enum rivers_code {
    RIVERS_OK = 0,
    RIVERS_INVALID = 1,     /* what was given is wrong, the message names the place; nothing was sent */
    RIVERS_NOT_FOUND = 2,   /* no such run or pool */
    RIVERS_REFUSED = 3,     /* the state or the limits do not allow it; the same again is refused again */
    RIVERS_FULL = 4,        /* the queue has as many runs as it may have: try later */
    RIVERS_TIMEOUT = 5,     /* what was waited for has not come in time */
    RIVERS_LOST = 6,        /* the slots are held no longer: stop at once what uses them */
    RIVERS_UNAVAILABLE = 7, /* no connection to the server: nothing was done */
    RIVERS_UNKNOWN = 8,     /* sent, but no answer came: it may have been done or not */
    RIVERS_SERVER = 9,      /* the server answered with an error, for example a permission that is lacking */
    RIVERS_SYSTEM = 10      /* the system refused something, for example a file or one more descriptor */
};

struct rivers_error {
    int code;                          /* enum rivers_code */
    char message[RIVERS_MESSAGE_SIZE]; /* for a person: one line, lower case, without a password */
};

/* --- the connection ---------------------------------------------------------------------------------------------------- */

struct rivers; /* a handle: one connection to one namespace */

/* Where NULL or 0 stands: what the environment says, as to the command. */
struct rivers_options {
    const char
        *url; /* of the server (docs/redis.md); RIVERS_REDIS_URL, or what `rivers dev` made here or above */
    const char *password_file; /* its first line, unless the URL says more; RIVERS_REDIS_PASSWORD_FILE */
    const char *ns;            /* the namespace; RIVERS_NAMESPACE, or "default" */
    int64_t timeout_ms;        /* longest wait for the server in each call; 10000 */
};

/* Connects. *h is for rivers_close, and NULL after a failure. options, which may be NULL, are not kept. RIVERS_INVALID: the URL
 * or the namespace; RIVERS_NOT_FOUND: no server is named anywhere; RIVERS_UNAVAILABLE: it cannot be reached, or refuses us (after
 * one second where that is known); RIVERS_SYSTEM: the password file. */
int rivers_open(struct rivers **h, const struct rivers_options *options, struct rivers_error *error);

/* NULL is allowed. Runs go on; slots that are held end with their leases, unless they were released before. */
void rivers_close(struct rivers *h);

/* --- runs -------------------------------------------------------------------------------------------------------------- */

enum rivers_run_state {
    RIVERS_QUEUED = 0,
    RIVERS_NOT_STARTED = 1, /* admitted, on its way to an executor */
    RIVERS_STARTED = 2,
    RIVERS_SUCCESS = 3, /* this and those behind it are final */
    RIVERS_FAILURE = 4,
    RIVERS_CANCELED = 5
};

/* "Queued", "NotStarted", ...; "" for what is none. Static. */
const char *rivers_state_word(enum rivers_run_state state);

/* Submits one run, given as the JSON of `rivers submit -f` (docs/configuration.md); its id is put into id. A run with a "key" is
 * submitted once: the same key again, also after RIVERS_UNKNOWN, gives the id of the same run. RIVERS_INVALID: the message begins
 * with the place, "line 3, column 7" or "steps[0].command"; RIVERS_REFUSED: a step asks more slots than its pool has;
 * RIVERS_FULL. */
int rivers_submit(struct rivers *h, const char *run_json, char id[RIVERS_ID_SIZE],
                  struct rivers_error *error);

/* Puts the state of a run into *state. RIVERS_NOT_FOUND: no such run, or it ended so long ago that it is no longer kept. */
int rivers_state(struct rivers *h, const char *id, enum rivers_run_state *state, struct rivers_error *error);

/* Puts into *json all about a run, as `rivers runs show --json` prints it: an object on one line, for rivers_free.
 * RIVERS_NOT_FOUND. */
int rivers_show(struct rivers *h, const char *id, char **json, struct rivers_error *error);
void rivers_free(char *json); /* NULL is allowed */

/* Waits until a run has ended, for at most wait_ms (0 or less: not at all), or RIVERS_FOREVER. *state is its final state, and after
 * RIVERS_TIMEOUT the one in which it is. An end is seen at most half a second late. RIVERS_NOT_FOUND. */
int rivers_wait(struct rivers *h, const char *id, int64_t wait_ms, enum rivers_run_state *state,
                struct rivers_error *error);

/* Cancels a run: one that has not started ends at once, a started one gets SIGTERM, after grace_ms SIGKILL, and is Canceled once
 * its processes are gone. Done already is RIVERS_OK. RIVERS_REFUSED: it has ended otherwise; RIVERS_NOT_FOUND. */
int rivers_cancel(struct rivers *h, const char *id, int64_t grace_ms, struct rivers_error *error);

/* --- slots of pools ----------------------------------------------------------------------------------------------------- */

struct rivers_pool {
    const char *name;
    int64_t slots; /* 1 or more; a pool named twice is summed */
};

/* A claim on slots: one that waits for them, or one that holds them under a lease. Zeroed by the caller before the first
 * rivers_claim; from then on it is only read, and lives until rivers_release. Any handle of the namespace will do for it.
 *
 * Who holds slots under a lease of length L (lease_ms), counted by rivers_clock_ms,
 *     at renew_at               calls rivers_renew, again and again: every L/10, also when one failed
 *     at stop_at                stops what uses the slots, when no renewal has been answered: 9L/10 after the last that was
 *     at stop_at + lease_ms/10  has stopped: from now on the server may give them to others
 * so that an outage of the server of up to 7L/10 disturbs nothing (less where L is below 4 s). Who is told RIVERS_LOST before
 * stop_at stops at once. Other calls may take as long as the timeout_ms of their handle: it is to be below L/10, or a thread with
 * a handle of its own renews.
 * A system that is written to under the slots can refuse a token lower than one that it has seen: a holder that came too late. */
struct rivers_slots {
    char claim[RIVERS_CLAIM_SIZE]; /* its name, as `rivers pools info` shows it; "": nothing is claimed */
    int64_t token;             /* the fencing token, greater than that of each earlier grant; 0: it waits */
    int64_t lease_ms;          /* 0: the pools are unlimited, nothing ends and nothing is to be renewed */
    int64_t renew_at, stop_at; /* by rivers_clock_ms */
};

/* The clock of renew_at and stop_at: CLOCK_BOOTTIME in ms. */
int64_t rivers_clock_ms(void);

/* Claims slots of n pools (1 to 64), all of them or none, and waits for them for at most wait_ms (0 or less: not at all), or
 * RIVERS_FOREVER. Who has the higher priority comes first, then who came first. label, 1 to 63 of A-Z a-z 0-9 _ . -, begins the
 * name of the claim; NULL: host and process.
 * RIVERS_OK: they are held. RIVERS_TIMEOUT: the message says what is full, and the claim keeps its place in the line for another
 * 30 s: rivers_claim with the same arguments goes on, rivers_release gives up. RIVERS_UNAVAILABLE, RIVERS_UNKNOWN and
 * RIVERS_SERVER: likewise. RIVERS_NOT_FOUND: a pool is not configured; RIVERS_REFUSED: it has not as many slots; RIVERS_INVALID:
 * also when slots holds some already. After these three nothing new is claimed. */
int rivers_claim(struct rivers *h, const char *label, const struct rivers_pool *pools, size_t n,
                 int32_t priority, int64_t wait_ms, struct rivers_slots *slots, struct rivers_error *error);

/* Renews the lease, and moves renew_at and stop_at. Waits no longer than until stop_at. RIVERS_LOST: it has ended, or nobody has
 * said by stop_at that it has not. RIVERS_UNAVAILABLE, RIVERS_UNKNOWN, RIVERS_SERVER: held until stop_at, to be renewed again at the
 * new renew_at. */
int rivers_renew(struct rivers *h, struct rivers_slots *slots, struct rivers_error *error);

/* Gives the slots back, or leaves the line, and zeroes *slots; nothing to do is RIVERS_OK. RIVERS_LOST: another grant of the same
 * name holds them now. After any other failure *slots stays and this may be called again; without that, what is held ends with its
 * lease, and the place in the line after 30 s. */
int rivers_release(struct rivers *h, struct rivers_slots *slots, struct rivers_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
