#include "core/turn.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/client.h"

#define TIMES 20 /* so that one of them is within TURN_MS, however busy the machine is */

/* Somebody looked `ARGV[1]` ms ago; the token is 7. */
#define LOOKED                                                                                               \
    "EVAL local\tt=redis.call('TIME')redis.call('HSET',KEYS[1],'token',7,'swept_at',string.format('%.0f',"   \
    "t[1]*1000+math.floor(t[2]/1000)-ARGV[1])) 1 rivers:{test}:meta "

enum turn_of { NOBODY_YET, OURS, ANOTHERS, NO_ANSWER };

static void on_turn(void *arg, bool ours, const struct err *e)
{
    *(enum turn_of *)arg = e->code != ERR_NONE ? NO_ANSWER : ours ? OURS : ANOTHERS;
}

static enum turn_of turn_asked(struct client *c, int64_t seen, int64_t deadline_ms)
{
    struct store *s = store_new(c->redis, "test");
    enum turn_of answer = NOBODY_YET;

    turn_ask(s, seen, deadline_ms, on_turn, &answer);
    RUN_UNTIL(c, answer != NOBODY_YET);
    store_free(s);
    return answer;
}

/* How often it was another's turn. */
static int count_anothers(struct client *c, const char *looked, int64_t seen)
{
    int count = 0;

    for (int i = 0; i < TIMES; i++) {
        expect(c, looked, "");
        count += turn_asked(c, seen, LONG_MS) == ANOTHERS;
    }
    return count;
}

static void test_who_has_just_looked_is_enough(void **state)
{
    struct client c = client_open(client_server.url);

    (void)state;
    expect(&c, "FLUSHALL", "OK");
    assert_int_equal(turn_asked(&c, 0, LONG_MS), OURS);
    assert_true(count_anothers(&c, LOOKED "0", 7) > 0);
    assert_int_equal(count_anothers(&c, LOOKED "100", 7), 0);
    assert_int_equal(count_anothers(&c, LOOKED "-60000", 7), 0); /* the clock was set back */
    client_close(&c);
}

static void test_what_is_ready_or_lost_is_for_all(void **state)
{
    struct client c = client_open(client_server.url);

    (void)state;
    expect(&c, "FLUSHALL", "OK");
    assert_int_equal(count_anothers(&c, LOOKED "0", 8), 0);
    expect(&c, "ZADD rivers:{test}:ready 0 r1", "1");
    assert_int_equal(count_anothers(&c, LOOKED "0", 7), 0);
    client_close(&c);
}

static void test_no_answer(void **state)
{
    struct client c = client_open("redis://127.0.0.1:1/0");

    (void)state;
    assert_int_equal(turn_asked(&c, 0, 50), NO_ANSWER);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_just_looked_is_enough),
        cmocka_unit_test(test_what_is_ready_or_lost_is_for_all),
        cmocka_unit_test(test_no_answer),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, client_server_start, client_server_stop);
}
