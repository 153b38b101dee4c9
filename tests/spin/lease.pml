/* lease: how rivers admits, launches, leases, fences and finishes runs, for spin. Two runs want one place; dequeuers and
 * executors crash, stand still and lose replies, FAULTS times and at any step. tests/cli/test_model.sh runs it.
 *
 *   here                      there                     one atomic step, as every script is
 *   submit()                  lua/run/submit.lua        with lib/requests.lua: asked twice, answered the same
 *   sweep(), admit()          lua/run/admit.lua         with lib/queue/upkeep.lua and lib/queue/runs.lua: run_lost, run_requeue
 *   attend()                  lua/run/attend.lua
 *   start(), renew()          lua/run/start.lua, lua/run/renew.lua
 *   finish(), lost()          lua/run/finish.lua, lua/run/lost.lua
 *   Dequeuer, Executor        src/daemon/dequeuer.c, src/exec/executor.c
 *   own[], asked[]            src/exec/lease.c: the lease as its holder counts it, from when it asked, less a margin. What
 *                             src/backend/renewals.c asks for it is an answer that may come late
 *   Clock                     time passes, unless a holder that runs is due to end its steps: that is what the margin is for
 *   history_seen()            lua/lib/history.lua: tokens only grow
 *   History                   -DROLLBACK: Redis comes back with older data (no append-only file, fail-over to a lagging replica)
 *
 * Claimed by assertions: a limit is never exceeded by what works on hosts that run, no run is executed twice at once, a run
 * has one accepted outcome, a submission makes one run, tokens only grow; and when nothing more can happen, every accepted
 * run is final and nothing is held. With -DROLLBACK limits are claimed once the loss is noticed and who works on what is lost
 * had its time to hear of it; what was in progress has a lease to come: little was lost of its old one, or the gap was seen.
 *
 * What is essential can be switched off, and spin has to find out: -DNO_TOKEN (scripts do not compare tokens), -DNO_EXPIRY
 * (leases do not end), -DNO_MEMORY (answers are not kept for calls that are sent again), -DNO_FENCE (a holder does not watch
 * its own clock), -DLATE_START (it does not look whether the lease is over already when it learns that it has it), -DUNNOTICED
 * with -DROLLBACK (tokens that were not given yet say nothing).
 */
#define RUNS      2
#define LIMIT     1
#define EXECUTORS 2
#ifndef DEQUEUERS
#define DEQUEUERS 1 /* every decision is one step, whoever asks; a second one makes the search twenty times larger */
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#define LEASE    2 /* ticks, as the server counts */
#define OWN      1 /* as the holder counts */
#define LAUNCH   1 /* from admission until the launch is confirmed */
#define ATTEMPTS 2 /* on_lost requeue, max_attempts */
#define TOKENS   3 /* what happens behind so many admissions is not looked at */

#define NONE       0
#define QUEUED     1
#define NOTSTARTED 2
#define STARTED    3
#define FINAL      4

#ifdef NO_TOKEN
#define IS_CURRENT(r, t) true
#else
#define IS_CURRENT(r, t) (token[r] == (t))
#endif
#ifdef NO_EXPIRY
#define IS_OVER(r) (ttl[r] == 0 && state[r] == NOTSTARTED)
#else
#define IS_OVER(r) (ttl[r] == 0 && (state[r] == NOTSTARTED || state[r] == STARTED))
#endif
#define IN_PROGRESS(r) (state[r] == NOTSTARTED || state[r] == STARTED)
#define USED           (IN_PROGRESS(0) + IN_PROGRESS(1))

/* Redis */
byte state[RUNS], token[RUNS], ttl[RUNS], losses[RUNS], by[RUNS];
bit launched[RUNS];
byte last_token, paused; /* paused: nothing is admitted for so long */

/* what the executors do in the world */
bit working[EXECUTORS], stopped[EXECUTORS];
byte works_on[EXECUTORS];
byte own[EXECUTORS], asked[EXECUTORS];

/* what is claimed */
byte made[RUNS], outcomes[RUNS], highest_token;
byte faults;
byte seen; /* by dequeuers, of which one lives: the highest token that they were given */

chan launches = [EXECUTORS] of { byte, byte }; /* run, token: a backend has room for whatever it is given */

#define FAULT(possible) (possible) && faults < FAULTS -> faults++

#define AT_WORK(e)       (working[e] && !stopped[e])
#define AT_WORK_ON(e, r) (AT_WORK(e) && works_on[e] == (r))

#if defined(ROLLBACK) && !defined(UNNOTICED)
#define IS_NOTICED (seen <= last_token && paused == 0) /* the loss, and who works on what is lost had its time to hear of it */
#else
#define IS_NOTICED true
#endif

inline check_world()
{
    if
    :: IS_NOTICED ->
        assert(AT_WORK(0) + AT_WORK(1) <= LIMIT);
        assert(AT_WORK_ON(0, 0) + AT_WORK_ON(1, 0) <= 1);
        assert(AT_WORK_ON(0, 1) + AT_WORK_ON(1, 1) <= 1)
    :: else
    fi
}

/* --- the scripts */

inline submit(r)
{
#ifndef NO_MEMORY
    if
    :: made[r] == 0 ->
#endif
        made[r]++;
        assert(made[r] == 1);
        state[r] = QUEUED
#ifndef NO_MEMORY
    :: else
    fi
#endif
}

inline run_end(r)
{
    state[r] = FINAL;
    token[r] = 0;
    ttl[r] = 0;
    by[r] = 0;
    losses[r] = 0;
    launched[r] = 0;
    outcomes[r]++;
    assert(outcomes[r] == 1)
}

inline requeue(r)
{
    state[r] = QUEUED;
    token[r] = 0;
    ttl[r] = 0;
    by[r] = 0;
    launched[r] = 0
}

inline run_lost(r)
{
    losses[r]++;
    if
    :: losses[r] < ATTEMPTS -> requeue(r)
    :: else -> run_end(r)
    fi
}

/* Whoever has seen a token that was not given yet knows more: nobody is let in, and nothing ends, for one lease. */
inline history_seen(t)
{
#ifndef UNNOTICED
    if
    :: (t) > last_token ->
        last_token = (t);
        paused = LEASE;
        ttl[0] = (IN_PROGRESS(0) -> LEASE : 0);
        ttl[1] = (IN_PROGRESS(1) -> LEASE : 0)
    :: else
    fi
#else
    skip
#endif
}

inline sweep_one(r)
{
    if
    :: IS_OVER(r) && state[r] == NOTSTARTED && !launched[r] -> requeue(r)
    :: IS_OVER(r) && !(state[r] == NOTSTARTED && !launched[r]) -> run_lost(r)
    :: else
    fi
}

/* Sets which and with for who asks; with 0: nothing was admitted. */
inline admit(which, with)
{
    history_seen(seen);
    sweep_one(0);
    sweep_one(1);
    with = 0;
    if
    :: paused > 0
    :: paused == 0 && USED < LIMIT && state[0] == QUEUED -> which = 0; with = 1
    :: paused == 0 && USED < LIMIT && state[0] != QUEUED && state[1] == QUEUED -> which = 1; with = 1
    :: else
    fi;
    if
    :: with != 0 ->
        last_token++;
        with = last_token;
        assert(with > highest_token);
        highest_token = with;
        seen = with;
        state[which] = NOTSTARTED;
        token[which] = with;
        ttl[which] = LAUNCH;
        launched[which] = 0
    :: else
    fi
}

inline attend(r, t)
{
    if
    :: IS_CURRENT(r, t) && state[r] == NOTSTARTED && !launched[r] -> launched[r] = 1; ttl[r] = LEASE
    :: else
    fi
}

inline start(r, t, e, ok)
{
    ok = IS_CURRENT(r, t) && (state[r] == NOTSTARTED || (state[r] == STARTED && by[r] == e));
    if
    :: ok && state[r] == NOTSTARTED -> state[r] = STARTED; by[r] = e; ttl[r] = LEASE
    :: else
    fi
}

inline renew(r, t, e, ok)
{
    ok = IS_CURRENT(r, t) && state[r] == STARTED && by[r] == e;
    if
    :: ok -> ttl[r] = LEASE
    :: else -> history_seen(t)
    fi
}

inline finish(r, t, e)
{
    if
    :: IS_CURRENT(r, t) && (state[r] == NOTSTARTED || (state[r] == STARTED && by[r] == e)) -> run_end(r)
    :: else
    fi
}

inline lost(r, t)
{
    if
    :: IS_CURRENT(r, t) && IN_PROGRESS(r) -> run_lost(r)
    :: else
    fi
}

/* --- who calls them */

active proctype Client()
{
    byte r = 0;

    do
    :: r < RUNS ->
        atomic { submit(r) };
        if
        :: atomic { FAULT(true) } /* the reply is lost: it asks again */
        :: r++
        fi
    :: else -> break
    od
}

#define CAN_ADMIT (paused == 0 && USED < LIMIT && (state[0] == QUEUED || state[1] == QUEUED))
#ifdef UNNOTICED
#define IS_LOST false
#else
#define IS_LOST (seen > last_token)
#endif
#define TO_ADMIT  (last_token < TOKENS && (IS_OVER(0) || IS_OVER(1) || CAN_ADMIT || IS_LOST))

active [DEQUEUERS] proctype Dequeuer()
{
    byte r, t;

end:
    do
    :: atomic { TO_ADMIT -> admit(r, t) };
        do
        :: atomic { FAULT(t != 0) }; /* the reply is lost: it asks again, and is told what still stands */
#ifdef NO_MEMORY
            t = 0
#else
            atomic { t = (state[r] == NOTSTARTED && token[r] == t -> t : 0) }
#endif
        :: break
        od;
        if
        :: t == 0
        :: t != 0 -> launches!r, t;
            if
            :: atomic { attend(r, t) }
            :: atomic { FAULT(true) } /* crashed between the two, and was started again */
            fi
        :: atomic { FAULT(t != 0) } /* crashed before the launch */
        fi;
        atomic { r = 0; t = 0 }
    od
}

#define E (_pid - 1 - DEQUEUERS) /* the number of an executor: the others come before it */

inline stop_work()
{
    working[E] = 0;
    own[E] = 0;
    asked[E] = 0
}

active [EXECUTORS] proctype Executor()
{
    byte r, t;
    bit ok;

idle:
    atomic { stop_work(); r = 0; t = 0; ok = 0 };
end:
    atomic { launches?r, t -> asked[E] = OWN };
    do
    :: atomic { start(r, t, E, ok) };
        if
        :: atomic { FAULT(true) } /* the reply is lost: the same executor asks again */
        :: break
        fi
    od;
    atomic {
        own[E] = asked[E];
        asked[E] = 0;
        if
#ifdef LATE_START
        :: ok ->
#else
        :: ok && own[E] > 0 ->
#endif
            works_on[E] = r;
            working[E] = 1;
            check_world()
        :: else -> goto idle
        fi
    };
    do
    :: atomic { own[E] < OWN && asked[E] == 0 -> asked[E] = OWN };
        atomic { renew(r, t, E, ok) };
        if
        :: atomic { FAULT(true); asked[E] = 0 } /* the reply is lost: the next try follows */
        :: atomic {
                own[E] = (ok -> asked[E] : own[E]);
                asked[E] = 0;
                if
                :: ok
                :: else -> goto idle
                fi
            }
        fi
#ifndef NO_FENCE
    :: atomic { own[E] == 0 -> goto idle }
#endif
    :: atomic { FAULT(true); stop_work() }; /* killed, and its steps with it; a dequeuer that lives sees it */
        if
        :: atomic { lost(r, t) }; goto idle
        :: goto idle
        fi
    :: atomic { FAULT(true); stopped[E] = 1 };
        atomic {
            stopped[E] = 0;
#ifndef NO_FENCE
            if
            :: own[E] == 0 -> stop_work(); goto idle
            :: else
            fi;
#endif
            check_world()
        }
    :: atomic { stop_work(); break } /* all steps are done */
    od;
    do
    :: atomic { finish(r, t, E) };
        if
        :: atomic { FAULT(true) }
        :: goto idle
        fi
    od
}

#ifdef NO_FENCE
#define IS_DUE(e) false
#else
#define IS_DUE(e) (AT_WORK(e) && own[e] == 0)
#endif
#define COUNTS_DOWN (ttl[0] + ttl[1] + own[0] + own[1] + asked[0] + asked[1] + paused > 0)
#define DOWN(n)     n = (n > 0 -> n - 1 : 0)

active proctype Clock()
{
end:
    do
    :: atomic {
            COUNTS_DOWN && !IS_DUE(0) && !IS_DUE(1);
            DOWN(ttl[0]);
            DOWN(ttl[1]);
            DOWN(own[0]);
            DOWN(own[1]);
            DOWN(asked[0]);
            DOWN(asked[1]);
            DOWN(paused);
            check_world()
        }
    od
}

#ifdef ROLLBACK
/* Once, the server comes back as it was when it last reached the disk. */
active proctype History()
{
    byte old_made[RUNS], old_outcomes[RUNS], old_state[RUNS], old_token[RUNS], old_losses[RUNS], old_by[RUNS], old_last_token;
    bit old_launched[RUNS];
    byte r;

    atomic {
        for (r : 0 .. RUNS - 1) {
            old_made[r] = made[r];
            old_outcomes[r] = outcomes[r];
            old_state[r] = state[r];
            old_token[r] = token[r];
            old_losses[r] = losses[r];
            old_by[r] = by[r];
            old_launched[r] = launched[r]
        }
        old_last_token = last_token
    };
    atomic {
        for (r : 0 .. RUNS - 1) {
            made[r] = old_made[r];
            outcomes[r] = old_outcomes[r];
            state[r] = old_state[r];
            token[r] = old_token[r];
            ttl[r] = (IN_PROGRESS(r) -> LEASE : 0);
            losses[r] = old_losses[r];
            by[r] = old_by[r];
            launched[r] = old_launched[r]
        }
        last_token = old_last_token
    }
}
#endif

#ifdef ROLLBACK
#define IS_SETTLED(r) (made[r] == 0 || (state[r] == FINAL && outcomes[r] == 1)) /* a submission may be lost as well */
#else
#define IS_SETTLED(r) (made[r] == 1 && state[r] == FINAL && outcomes[r] == 1)
#endif

/* When nothing else can happen. */
active proctype End()
{
    timeout;
    if
    :: last_token == TOKENS
    :: else ->
        assert(IS_SETTLED(0) && IS_SETTLED(1));
        assert(!working[0] && !working[1])
    fi
}
