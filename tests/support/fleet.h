/*
 * fleet: the processes of rivers at work on a private redis-server, for one test. They run in the server's
 * directory, so do their steps: a step may say `echo begin >>record`. Whatever is left when the test ends,
 * passed or failed, is adopted by the test binary and killed.
 */
#ifndef RIVERS_TESTS_FLEET_H
#define RIVERS_TESTS_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/lua.h"
#include "support/redis_server.h"

struct fleet {
    struct redis_server server; /* with an append-only file */
    struct lua lua;             /* asks, in the namespace in which the fleet works */
    char **ids;                 /* of the runs that were submitted */
    size_t nids;
};

/* The fixtures of a test; *state is a struct fleet. dequeue_interval is 20ms. */
int fleet_open(void **state);
int fleet_close(void **state);
#define FLEET_TEST(test) cmocka_unit_test_setup_teardown(test, fleet_open, fleet_close)

/* Waits until the condition holds; fails the test, with the logs of the fleet, when that takes too long. */
#define WAIT_UNTIL(f, condition)                                                                             \
    for (int64_t deadline_ = fleet_deadline(); !(condition);)                                                \
    fleet_pause(f, deadline_, #condition, __FILE__, __LINE__)
int64_t fleet_deadline(void);
void fleet_pause(struct fleet *f, int64_t deadline, const char *condition, const char *file, int line);

/* --- processes */

/* Starts `rivers WORDS`, with its log in the file `log`. */
pid_t fleet_start(struct fleet *f, const char *words);
/* Waits for its end. Returns its exit status, or 128 and the signal. */
int fleet_wait_exit(pid_t pid);
/* Runs `rivers WORDS` to its end; what it printed is owned by the caller, status may be NULL. */
char *fleet_call(struct fleet *f, int *status, const char *format, ...) __attribute__((format(printf, 3, 4)));

bool fleet_is_alive(pid_t pid);
size_t fleet_children(pid_t pid);
pid_t fleet_child(pid_t pid); /* one of them; 0: there is none */
/* The guard that a dequeuer on this host has started; 0: none yet. */
pid_t fleet_guard(pid_t dequeuer);
size_t fleet_descriptors(pid_t pid);
pid_t fleet_executor(struct fleet *f, const char *run); /* 0: none has appeared yet */

/* --- runs; ids belong to the fleet */

/* `rivers submit OPTIONS -- sh -c SCRIPT` */
const char *fleet_submit(struct fleet *f, const char *options, const char *script);
/* `rivers submit WORDS`. Returns the first id. */
const char *fleet_submit_job(struct fleet *f, const char *words);
/* `rivers submit -f -` of one JSON object a line, in which ` stands for ". Returns the first id. */
const char *fleet_submit_json(struct fleet *f, const char *lines);
/* The path of tests/tools/worker, as it was built beside the test; owned by the caller. */
char *fleet_worker(void);
/* The end of a script. */
#define UNTIL_KILLED "echo $$ >>pids; while :; do sleep 0.02; done"
/* Waits for the end of a run: its final state and, behind a blank, the reason. */
const char *fleet_outcome(struct fleet *f, const char *run);
/* The events of a run so far, like "RunQueued RunDequeued RunStart StepStart:main". */
const char *fleet_story(struct fleet *f, const char *run);
size_t fleet_count(const char *text, const char *word);
/* No run is in progress, and none counts against a limit. */
void fleet_assert_idle(struct fleet *f);
/* Admits the best run for a dequeuer that does not exist; its token. */
int64_t fleet_admit_for_nobody(struct fleet *f, const char *launch_lease_ms);

/* --- Redis; format as in lua_cmd */

bool fleet_is(struct fleet *f, const char *want, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t fleet_number(struct fleet *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- files in the directory of the fleet */

const char *fleet_file(struct fleet *f,
                       const char *name); /* its content, "" without one; until the next call */
size_t fleet_lines(struct fleet *f, const char *name);
void fleet_write(struct fleet *f, const char *name, const char *content);
/* How many of the processes whose numbers are the lines of a file are alive. */
size_t fleet_alive_in(struct fleet *f, const char *name);

#endif
