#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/seats.h"

#define LEASE_MS 30000

static const struct execution run = {"r1", 7, "host:1"};

/* The same memory as two processes have it. */
struct both {
    struct seats *dequeuer, *guard;
};

static int open_both(void **state)
{
    struct both *b = calloc(1, sizeof *b);
    struct err e;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    b->dequeuer = seats_new(ends[0], &e);
    b->guard = seats_receive(ends[1], &e);
    close(ends[0]);
    close(ends[1]);
    *state = b;
    return b->dequeuer && b->guard ? 0 : -1;
}

static int close_both(void **state)
{
    struct both *b = *state;

    seats_free(b->dequeuer);
    seats_free(b->guard);
    free(b);
    return 0;
}

static bool is_to_be_renewed(const struct seat *s)
{
    struct seat_lease l;

    return seat_read(s, &l);
}

static void what_one_says_the_other_reads(void **state)
{
    const struct both *b = *state;
    int64_t now = clock_mono_ms();
    struct seat_lease l;

    assert_int_equal(seats_count(b->dequeuer), 0);
    struct seat *mine = seats_take(b->guard, 2), *theirs = seats_at(b->dequeuer, 2);
    assert_int_equal(seats_count(b->dequeuer), 3);
    assert_false(is_to_be_renewed(theirs));

    seat_fill(mine, &run, LEASE_MS);
    assert_true(seat_read(theirs, &l));
    assert_string_equal(l.run, "r1");
    assert_int_equal(l.token, 7);
    assert_string_equal(l.executor, "host:1");
    assert_int_equal(l.lease_ms, LEASE_MS);
    assert_true(l.seen_at >= now);
    assert_int_equal(l.renewed_at, 0);

    assert_int_equal(seat_look(mine), 0);
    seat_renewed(theirs, 7, 5000);
    assert_int_equal(seat_look(mine), 5000);
    assert_true(seat_read(theirs, &l));
    assert_int_equal(l.renewed_at, 5000);
    assert_false(is_to_be_renewed(seats_at(b->dequeuer, 1)));
}

static void guard_kills_before_the_lease_ends(void **state)
{
    const struct both *b = *state;
    struct seat *s = seats_take(b->guard, 0);

    assert_int_equal(seat_until(s), 0);
    seat_fill(s, &run, LEASE_MS);
    assert_int_equal(seat_until(s), 0); /* it holds nothing yet */
    seat_hold(s, 1000);
    assert_int_equal(seat_until(s), 1000 + LEASE_MS - LEASE_MS / 40);
    seat_hold(s, 4000);
    assert_int_equal(seat_until(s), 4000 + LEASE_MS - LEASE_MS / 40);
    seat_leave(s);
    assert_int_equal(seat_until(s), 0);
}

/* The guard goes on to watch one that gives its run up. */
static void what_is_over_is_not_renewed(void **state)
{
    const struct both *b = *state;
    static void (*const ends[])(struct seat *) = {seat_give_up, seat_leave, seat_clear};

    for (size_t i = 0; i < 3; i++) {
        struct seat *s = seats_take(b->guard, i);
        seat_fill(s, &run, LEASE_MS);
        seat_hold(s, 1000);
        assert_true(is_to_be_renewed(seats_at(b->dequeuer, i)));
        ends[i](s);
        assert_false(is_to_be_renewed(seats_at(b->dequeuer, i)));
        assert_int_equal(seat_until(s) != 0, ends[i] == seat_give_up);
    }
}

static void answer_is_for_whom_it_was_asked(void **state)
{
    const struct both *b = *state;
    struct seat *s = seats_take(b->guard, 0), *theirs = seats_at(b->dequeuer, 0);

    seat_fill(s, &run, LEASE_MS);
    seat_renewed(theirs, 6, 5000);
    assert_int_equal(seat_look(s), 0);
    seat_renewed(theirs, 7, 5000);
    seat_clear(s);
    seat_renewed(theirs, 7, 6000);
    seat_fill(s, &(struct execution){"r2", 8, "host:2"}, LEASE_MS);
    assert_int_equal(seat_look(s), 0);
}

/* Takes the same seat again and again, with words as long as its token makes them. */
static _Noreturn void take_on_and_on(struct seat *s)
{
    char name[64];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int64_t token = 1;; token++) {
        memset(name, 'a' + (int)(token % 26), sizeof name);
        name[1 + token % 60] = '\0';
        seat_fill(s, &(struct execution){name, token, name}, token);
        seat_clear(s);
    }
}

static void seat_is_read_whole_or_not_at_all(void **state)
{
    const struct both *b = *state;
    struct seat_lease l;
    pid_t pid = fork();

    if (pid == 0)
        take_on_and_on(seats_take(b->guard, 0));
    assert_true(pid > 0);
    for (int whole = 0; whole < 100000;) {
        if (!seat_read(seats_at(b->dequeuer, 0), &l))
            continue;
        assert_int_equal(l.lease_ms, l.token);
        assert_int_equal(strlen(l.run), 1 + l.token % 60);
        assert_int_equal(l.run[0], 'a' + l.token % 26);
        assert_string_equal(l.executor, l.run);
        whole++;
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void there_are_so_many(void **state)
{
    const struct both *b = *state;

    assert_non_null(seats_take(b->guard, SEATS_MOST - 1));
    assert_null(seats_take(b->guard, SEATS_MOST));
    assert_int_equal(seats_count(b->dequeuer), SEATS_MOST);
    seat_fill(seats_at(b->guard, SEATS_MOST - 1), &run, LEASE_MS);
    assert_true(is_to_be_renewed(seats_at(b->dequeuer, SEATS_MOST - 1)));
}

static void memory_that_does_not_come(void **state)
{
    struct err e;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(send(ends[0], "", 1, 0), 1);
    assert_null(seats_receive(ends[1], &e));
    assert_string_equal(e.msg, "cannot share memory with the dequeuer: Protocol error");
    close(ends[0]);
    assert_null(seats_receive(ends[1], &e));
    close(ends[1]);
    assert_null(seats_receive(STDIN_FILENO, &e));
    assert_string_equal(e.msg, "cannot share memory with the dequeuer: Socket operation on non-socket");
    assert_null(seats_new(ends[0], &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_one_says_the_other_reads, open_both, close_both),
        cmocka_unit_test_setup_teardown(guard_kills_before_the_lease_ends, open_both, close_both),
        cmocka_unit_test_setup_teardown(what_is_over_is_not_renewed, open_both, close_both),
        cmocka_unit_test_setup_teardown(answer_is_for_whom_it_was_asked, open_both, close_both),
        cmocka_unit_test_setup_teardown(seat_is_read_whole_or_not_at_all, open_both, close_both),
        cmocka_unit_test_setup_teardown(there_are_so_many, open_both, close_both),
        cmocka_unit_test(memory_that_does_not_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
