/*
 * seats: memory that a guard shares with its executors and with the dequeuer that ordered them: a seat for each executor.
 *
 *            what is to be renewed, and when the executor was alive
 *          ┌───────────────────────────────────────────────────────> dequeuer, see backend/renewals.h
 *   executor <────────────────────────────────────────────────────── when it asked for what was renewed
 *          └───────────────────────────────────────────────────────> guard, which kills it before its lease ends
 *            when that was asked for by which it holds its lease
 *
 * A seat is that of one executor until the guard has cleared it. Whoever takes it then asks for its lease later than anything was
 * asked for that was read there before: so nobody takes what was renewed for another for its own. All times are of clock_mono_ms.
 */
#ifndef RIVERS_EXEC_SEATS_H
#define RIVERS_EXEC_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/execution.h"

#define SEATS_MOST 65536 /* executors of one guard */

struct seats;
struct seat;

/* Whoever is at the other end of the socket gets the same memory by seats_receive, which waits for it; socket -1: nobody does.
 * NULL and e when there is none. */
struct seats *seats_new(int socket, struct err *e);
struct seats *seats_receive(int socket, struct err *e);
void seats_free(struct seats *s); /* for this process */

struct seat *seats_at(struct seats *s, size_t i);
size_t seats_count(const struct seats *s); /* from 0 to the last that was ever taken */

/* --- the guard */

struct seat *seats_take(struct seats *s, size_t i); /* NULL: there are not so many */
void seat_clear(struct seat *s);                    /* its executor is dead, or about to be */
int64_t seat_until(const struct seat *s);           /* when it is to be killed; 0: it holds nothing */

/* --- an executor, which fills its seat first */

void seat_fill(struct seat *s, const struct execution *x, int64_t lease_ms);
void seat_hold(struct seat *s, int64_t asked_at);
/* Instead of both, where nobody renews for it; the lease is the same each time. */
void seat_hold_for(struct seat *s, int64_t asked_at, int64_t lease_ms);
void seat_give_up(struct seat *s); /* nothing is renewed any more; the guard goes on to watch */
void seat_leave(struct seat *s);   /* nothing is held any more */
/* Shows that the executor lives. Returns when the dequeuer asked for what it renewed last; 0: it renewed nothing. */
int64_t seat_look(struct seat *s);

/* --- the dequeuer */

struct seat_lease {
    int64_t token, lease_ms;
    int64_t seen_at;    /* the last sign of life */
    int64_t renewed_at; /* 0: never */
    char run[64], executor[192];
};

/* Returns false when there is nothing to be renewed. */
bool seat_read(const struct seat *s, struct seat_lease *l);
/* asked_at: taken before the seat was read. */
void seat_renewed(struct seat *s, int64_t token, int64_t asked_at);

#endif
