#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exec/tail.h"

static char pattern_at(uint64_t position)
{
    return (char)('a' + position % 23);
}

/* Adds the next n bytes of an endless pattern, in which each position has its letter. */
static void add_pattern(struct tail *t, uint64_t *written, size_t n)
{
    char *bytes = xmalloc(n);

    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern_at(*written + i);
    tail_add(t, bytes, n);
    free(bytes);
    *written += n;
}

static void assert_pattern(const struct tail_chunk *c)
{
    for (size_t i = 0; i < c->len; i++)
        assert_int_equal(c->bytes[i], pattern_at(c->end - c->len + i));
}

static void assert_chunk(struct tail_chunk c, const char *bytes, uint64_t first)
{
    assert_int_equal(c.len, strlen(bytes));
    assert_memory_equal(c.bytes, bytes, c.len);
    assert_int_equal(c.end - c.len, first);
}

static void test_empty(void **state)
{
    struct tail t = {0};

    (void)state;
    assert_chunk(tail_peek(&t, 10), "", 0);
    tail_add(&t, NULL, 0);
    assert_chunk(tail_peek(&t, 10), "", 0);
    tail_consume(&t, tail_peek(&t, 10).end);
    assert_int_equal(t.len, 0);
    tail_release(&t);
}

static void test_chunks_come_out_in_order(void **state)
{
    struct tail t = {0};

    (void)state;
    tail_add(&t, "hello ", 6);
    tail_add(&t, "world", 5);
    assert_int_equal(t.len, 11);
    assert_chunk(tail_peek(&t, 4), "hell", 0);
    assert_chunk(tail_peek(&t, 4), "hell", 0);
    tail_consume(&t, tail_peek(&t, 4).end);
    assert_chunk(tail_peek(&t, 0), "", 4);
    assert_chunk(tail_peek(&t, 100), "o world", 4);
    tail_consume(&t, tail_peek(&t, 100).end);
    assert_chunk(tail_peek(&t, 100), "", 11);
    tail_release(&t);
}

static void test_release_makes_new(void **state)
{
    struct tail t = {0};

    (void)state;
    tail_add(&t, "x", 1);
    tail_release(&t);
    assert_chunk(tail_peek(&t, 1), "", 0);
    tail_add(&t, "y", 1);
    assert_chunk(tail_peek(&t, 1), "y", 0);
    assert_int_equal(tail_peek(&t, 1).end, 1);
    tail_release(&t);
}

/* `before` bytes wait, then `n` more come in one call. */
static void assert_overflow(size_t before, size_t n, uint64_t dropped)
{
    struct tail t = {0};
    uint64_t written = 0;

    add_pattern(&t, &written, before);
    add_pattern(&t, &written, n);
    struct tail_chunk c = tail_peek(&t, SIZE_MAX);
    assert_int_equal(c.end, before + n);
    assert_int_equal(c.len, before + n - dropped);
    assert_pattern(&c);
    tail_consume(&t, c.end);
    assert_chunk(tail_peek(&t, 1), "", before + n);
    tail_release(&t);
}

static void test_oldest_are_dropped(void **state)
{
    (void)state;
    assert_overflow(0, TAIL_MAX_BYTES, 0);
    assert_overflow(0, TAIL_MAX_BYTES + 1, 1);
    assert_overflow(1, TAIL_MAX_BYTES - 1, 0);
    assert_overflow(1, TAIL_MAX_BYTES, 1);
    assert_overflow(TAIL_MAX_BYTES, 1, 1);
    assert_overflow(TAIL_MAX_BYTES, TAIL_MAX_BYTES, TAIL_MAX_BYTES);
    assert_overflow(7, 3 * TAIL_MAX_BYTES, 7 + 2 * TAIL_MAX_BYTES);
}

static void test_positions_tell_what_was_dropped(void **state)
{
    struct tail t = {0};
    uint64_t written = 0;

    (void)state;
    add_pattern(&t, &written, TAIL_MAX_BYTES + 5);
    struct tail_chunk c = tail_peek(&t, 10);
    assert_int_equal(c.end, 5 + 10);
    tail_consume(&t, c.end);
    assert_int_equal(tail_peek(&t, 10).end, 15 + 10);
    add_pattern(&t, &written, 13);
    assert_int_equal(tail_peek(&t, 10).end, 15 + 3 + 10);
    tail_release(&t);
}

static void test_consumed_after_it_was_dropped(void **state)
{
    struct tail t = {0};
    uint64_t written = 0;

    (void)state;
    add_pattern(&t, &written, TAIL_MAX_BYTES);
    struct tail_chunk sent = tail_peek(&t, 100);
    add_pattern(&t, &written, 40);
    tail_consume(&t, sent.end);
    struct tail_chunk c = tail_peek(&t, 100);
    assert_int_equal(c.end, 200);
    assert_pattern(&c);

    add_pattern(&t, &written, 300);
    tail_consume(&t, c.end);
    c = tail_peek(&t, 100);
    assert_int_equal(c.end, 440);
    assert_pattern(&c);
    tail_release(&t);
}

static void test_flood_is_bounded(void **state)
{
    struct tail t = {0};
    uint64_t written = 0, taken = 0, dropped = 0, behind = 0;

    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        add_pattern(&t, &written, 1 + i * 7919 % 9000);
        assert_true(t.len <= TAIL_MAX_BYTES);
        assert_true(t.cap <= 2 * TAIL_MAX_BYTES);
        if (i % 40)
            continue;
        struct tail_chunk c = tail_peek(&t, TAIL_CHUNK_BYTES);
        assert_pattern(&c);
        dropped += c.end - c.len - behind;
        taken += c.len;
        behind = c.end;
        tail_consume(&t, c.end);
    }
    dropped += tail_peek(&t, 0).end - behind;
    assert_int_equal(taken + dropped + t.len, written);
    tail_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_chunks_come_out_in_order),
        cmocka_unit_test(test_release_makes_new),
        cmocka_unit_test(test_oldest_are_dropped),
        cmocka_unit_test(test_positions_tell_what_was_dropped),
        cmocka_unit_test(test_consumed_after_it_was_dropped),
        cmocka_unit_test(test_flood_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
