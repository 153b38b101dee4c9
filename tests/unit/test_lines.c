#include "http/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define BYTES "one\n\n{\"type\":\"ADDED\"}\r\nlast"

/* The lines that can be taken now, each in brackets. */
static void take(struct lines *l, struct text *got)
{
    size_t len;

    for (const char *line; (line = lines_next(l, &len));) {
        assert_int_equal(strlen(line), len);
        text_addf(got, "[%s]", line);
    }
}

static void test_cut_at_every_two_bytes(void **state)
{
    size_t n = strlen(BYTES), len;

    (void)state;
    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n; b++) {
            struct lines l = {.max = 64};
            struct text got = {0};
            assert_int_equal(lines_feed(&l, BYTES, a), 0);
            take(&l, &got);
            assert_int_equal(lines_feed(&l, BYTES + a, b - a), 0);
            if (a % 2)
                take(&l, &got);
            assert_int_equal(lines_feed(&l, BYTES + b, n - b), 0);
            take(&l, &got);
            text_addf(&got, "(%s)", lines_rest(&l, &len));
            assert_int_equal(len, 4);
            assert_string_equal(text_get(&got), "[one][][{\"type\":\"ADDED\"}\r](last)");
            assert_null(lines_rest(&l, &len));
            text_release(&got);
            lines_release(&l);
        }
}

static void test_longest(void **state)
{
    static const char bytes[] = "12345\n123456\nx\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        struct lines l = {.max = 5};
        struct text got = {0};
        /* The sixth byte of the second line is the twelfth of all. */
        assert_int_equal(lines_feed(&l, bytes, cut), cut < 12 ? 0 : -1);
        if (cut < 12)
            assert_int_equal(lines_feed(&l, bytes + cut, sizeof bytes - 1 - cut), -1);
        take(&l, &got);
        assert_string_equal(text_get(&got), "[12345]");
        text_release(&got);
        lines_release(&l);
    }
}

/* A stream of any length takes no more memory than its longest line. */
static void test_memory(void **state)
{
    struct lines l = {.max = 1000};
    size_t len;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(lines_feed(&l, "0123456\n0123", 12), 0);
        assert_non_null(lines_next(&l, &len));
    }
    assert_true(l.bytes.cap < 4096);
    lines_release(&l);
}

static void test_nothing(void **state)
{
    struct lines l = {.max = 1};
    size_t len;

    (void)state;
    assert_null(lines_next(&l, &len));
    assert_null(lines_rest(&l, &len));
    assert_int_equal(lines_feed(&l, "", 0), 0);
    assert_null(lines_next(&l, &len));
    assert_null(lines_rest(&l, &len));
    lines_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_two_bytes),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
