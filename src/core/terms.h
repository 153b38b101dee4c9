/*
 * terms: how the holder of a lease divides its length, by its own clock, counted from when it asked for the lease or for
 * the last renewal that was answered. The server counts from when it was asked, so its lease ends no sooner than ours.
 *
 *   0        1/10 ........................... 9/10     19/20      1
 *   asked    asked again, and every 1/10      fence    SIGKILL    the server gives on what was held
 *                                             SIGTERM   39/40: by the guard
 *
 * An outage of up to 7/10 disturbs nothing: 1/10 to the renewal that it swallowed, 7/10, 1/20 for an answer that never comes
 * (or for one try to connect and one wait between two tries), and 1/20 for the renewal that is answered: 9/10.
 */
#ifndef RIVERS_CORE_TERMS_H
#define RIVERS_CORE_TERMS_H

#include <stdint.h>

#define TERMS_ANSWER_MIN_MS 200 /* shorter leases (less than 4 s) bear shorter outages */

static inline int64_t terms_renew_ms(int64_t lease_ms)
{
    return lease_ms / 10;
}

/* Between two renewals by whoever renews for many holders: what was answered is there before they would ask themselves. */
static inline int64_t terms_ahead_ms(int64_t lease_ms)
{
    return lease_ms / 15;
}

/* It renews for those only who have shown within this time that they live, as they do every 1/10: the lease of one that stands
 * still, or is gone, ends so much later at most. */
static inline int64_t terms_alive_ms(int64_t lease_ms)
{
    return lease_ms / 5;
}

/* Longest wait for the answer to a renewal: the connection is taken for dead then, when nothing else came either. */
static inline int64_t terms_answer_ms(int64_t lease_ms)
{
    return lease_ms / 20 > TERMS_ANSWER_MIN_MS ? lease_ms / 20 : TERMS_ANSWER_MIN_MS;
}

/* Longest try to connect, and longest wait between two. */
static inline int64_t terms_retry_ms(int64_t lease_ms)
{
    return lease_ms / 40;
}

/* From the fence to the end of the lease. */
static inline int64_t terms_margin_ms(int64_t lease_ms)
{
    return lease_ms / 10;
}

/* The part of the margin that is between SIGTERM and SIGKILL; the other part is for what is killed to be gone. */
static inline int64_t terms_grace_ms(int64_t lease_ms)
{
    return lease_ms / 20;
}

/* From SIGKILL to when the guard does the same, because the executor seems not to. */
static inline int64_t terms_guard_ms(int64_t lease_ms)
{
    return lease_ms / 40;
}

#endif
