#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "duration_vectors.h"

static void check_vector(const struct vector *v)
{
    struct duration d = {0};
    struct err e = {0};
    int failed = duration_parse(&d, v->text, &e);

    if ((failed != 0) != (v->fault != NULL))
        fail_msg("'%s': %s", v->text, failed ? e.msg : "accepted");
    if (v->fault) {
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.msg, v->fault);
    } else if (d.s != v->s || d.ns != v->ns) {
        fail_msg("'%s': %ju s %u ns", v->text, (uintmax_t)d.s, d.ns);
    }
}

static void test_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        check_vector(&vectors[i]);
}

/* Not in the executed list, but follows from humantime's source. */
static void test_corners(void **state)
{
    static const struct vector corners[] = {
        {"5s x", "expected number at 3", 0, 0},
        {"5s  x", "expected number at 3", 0, 0},
        {"  x", "expected number at 0", 0, 0},
        {"5\u00a0s", NULL, 5, 0},
        {"\u30005s", NULL, 5, 0},
        {"5s.5", "invalid character at 2", 0, 0},
        {"1. s", "invalid character at 3", 0, 0},
        {"1.0ns", TOO_LARGE, 0, 0},
        {"18446744073709551615s 999999999ns 1ns", TOO_LARGE, 0, 0},
        {"\xff", "expected number at 0", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++)
        check_vector(&corners[i]);
}

static void test_milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"1ns", 1},
        {"1ms", 1},
        {"1500us", 2},
        {"1.5s", 1500},
        {"7d", 604800000},
        {"999999ns 1ns", 1},
        {"999999999999.9s", 999999999999900},
        {"1000000000000s 1s", 1000000000000000},
        {"18446744073709551615s", 1000000000000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        assert_int_equal(duration_parse_ms(&ms, "timeout", rows[i].text, NULL), 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void test_named_fault(void **state)
{
    struct err e = {0};
    int64_t ms = 7;

    (void)state;
    assert_int_equal(duration_parse_ms(&ms, "dequeue_interval", "5", &e), -1);
    assert_string_equal(
        e.msg, "invalid duration for 'dequeue_interval': \"5\" — time unit needed, for example 5sec or "
               "5ms. Examples: \"30s\", \"5m\", \"1h30m\", \"250ms\"");
    assert_int_equal(ms, 7);
}

static void test_print(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {250, "250ms"},
        {1000, "1s"},
        {90000, "1m 30s"},
        {600000, "10m"},
        {5400000, "1h 30m"},
        {604800000, "7d"},
        {90061001, "1d 1h 1m 1s 1ms"},
        {1000000000000000, "11574074d 1h 46m 40s"},
    };
    char buf[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t again = -1;
        assert_string_equal(duration_print_ms(rows[i].ms, buf, sizeof buf), rows[i].text);
        assert_int_equal(duration_parse_ms(&again, "x", buf, NULL), 0);
        assert_int_equal(again, rows[i].ms);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),      cmocka_unit_test(test_corners),
        cmocka_unit_test(test_milliseconds), cmocka_unit_test(test_named_fault),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
