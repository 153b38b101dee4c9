/* sim: one play of queue_sim: what it knows, and how it talks to the server and to the reference. */
#ifndef RIVERS_TESTS_SIM_H
#define RIVERS_TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "support/lua.h"
#include "support/queue_sim.h"
#include "support/reference.h"

enum { KEYS = 3, FIELDS = KEYS * (2 + SIM_VALUES), LOG = 20, ARGS = 96 };

/* The arguments of one script call behind the time. */
struct args {
    size_t n, used;
    size_t at[ARGS];
    char bytes[4096];
};

struct sim {
    struct lua *lua;
    const struct sim_profile *profile;
    uint64_t seed, random;
    size_t step;
    int64_t now, last_token;
    char last_id[24];
    unsigned long long requests;
    char values[KEYS][SIM_VALUES][24];
    char fields[FIELDS][40];
    struct ref_limit limits[FIELDS];
    struct reference ref;
    char sha1[41];             /* of the invariants */
    bool bell_may_be_late;     /* what was set with HSET rings no bell */
    struct text answer;        /* of the last script */
    struct args submit, admit; /* the last request of each, to be sent again */
    struct text submit_answer, admit_answer;
    struct text log[LOG];
    size_t logged;
};

extern const char *const sim_keys[KEYS]; /* of the tags */

/* The generator of the seed: a number below n; whether something that happens once in n times happens. */
uint64_t sim_below(struct sim *s, uint64_t n);
bool sim_one_in(struct sim *s, uint64_t n);

#define PICK(s, table) ((table)[sim_below(s, sizeof(table) / sizeof *(table))])

/* Fails the test, with the seed and the last operations on stderr. */
void sim_broken(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

void args_add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs a script at the time of the moment. Returns s->answer: the words of the reply joined by blanks; of an array within,
 * its first word in []. */
const char *sim_call(struct sim *s, enum script_id script, const struct args *a);

/* The last answer must be this one. */
void sim_expect(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* HSET as an operator does it, or HDEL when text is NULL; of a limit, in the reference as well. */
void sim_set(struct sim *s, const char *hash, const char *field, const char *text);
void sim_set_limit(struct sim *s, struct ref_limit *limit, const char *text);

/* Looks at all invariants and compares every run with the reference: to be called once after each operation. */
void sim_load_invariants(struct sim *s);
void sim_check(struct sim *s);

/* The operations (sim_ops.c): a random one with its check, and those that also empty the queue in the end. */
void sim_play_one(struct sim *s);
bool sim_admit(struct sim *s, int dequeuer, size_t batch); /* whether it left something to be done at once */
void sim_finish(struct sim *s, struct ref_run *run, int64_t token, int executor, enum ref_state state);
void sim_delete(struct sim *s, struct ref_run *run);
const char *sim_limit_text(struct sim *s); /* what an operator may set as a limit */

#endif
