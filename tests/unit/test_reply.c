#include "redis/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "base/text.h"
#include "redis/reader.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* What a reader makes of these bytes, which arrive one by one. */
static struct reply *read_reply(const char *bytes)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct reply *r = NULL;
    struct err e;

    for (const char *byte = bytes; *byte; byte++) {
        assert_null(r);
        evbuffer_add(in, byte, 1);
        reader_feed(rd, in);
        assert_int_equal(evbuffer_get_length(in), 0);
        assert_int_equal(reader_next(rd, &r, &e), 0);
    }
    evbuffer_free(in);
    reader_free(rd);
    assert_non_null(r);
    return r;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *bytes, *text, *str, *word, *error;
        size_t len, count;
        int64_t number;
        bool nil, array;
    } rows[] = {
        {"+OK\r\n", "OK", "OK", "OK", NULL, 2, 0, -7, false, false},
        {"$3\r\nabc\r\n", "abc", "abc", "abc", NULL, 3, 0, -7, false, false},
        {"$0\r\n\r\n", "", "", "", NULL, 0, 0, -7, false, false},
        {"$2\r\n42\r\n", "42", "42", "42", NULL, 2, 0, 42, false, false},
        {"$20\r\n-9223372036854775808\r\n", "-9223372036854775808", "-9223372036854775808",
         "-9223372036854775808", NULL, 20, 0, INT64_MIN, false, false},
        {":-1\r\n", "-1", "", "", NULL, 0, 0, -1, false, false},
        {"$-1\r\n", "(nil)", "", "", NULL, 0, 0, -7, true, false},
        {"-ERR no\r\n", "ERR no", "", "", "ERR no", 0, 0, -7, false, false},
        {"*0\r\n", "", "", "", NULL, 0, 0, -7, false, true},
        {"*2\r\n$2\r\nOK\r\n:5\r\n", "OK 5", "", "OK", NULL, 0, 2, -7, false, true},
        {"*3\r\n:1\r\n*2\r\n$-1\r\n*1\r\n+x\r\n$0\r\n\r\n", "1 [(nil) [x]] ", "", "", NULL, 0, 3, -7, false,
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply *r = read_reply(rows[i].bytes);
        char *text = reply_text(r);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(reply_str(r), rows[i].str);
        assert_string_equal(reply_word(r), rows[i].word);
        assert_true(reply_is(r, rows[i].word));
        assert_int_equal(reply_len(r), rows[i].len);
        assert_int_equal(reply_count(r), rows[i].count);
        assert_int_equal(reply_int(r, -7), rows[i].number);
        assert_int_equal(reply_is_nil(r), rows[i].nil);
        assert_int_equal(reply_is_array(r), rows[i].array);
        assert_string_equal(reply_error(r) ? reply_error(r) : "", rows[i].error ? rows[i].error : "");
        free(text);
        reply_free(r);
    }
}

static void test_elements(void **state)
{
    struct reply *r = read_reply("*5\r\n+OK\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");

    (void)state;
    assert_string_equal(reply_str(reply_at(r, 3)), "b");
    assert_null(reply_at(r, 5));
    assert_int_equal(reply_int(reply_field(r, 1, "b"), 0), 2);
    assert_null(reply_field(r, 1, "1"));
    assert_null(reply_field(r, 0, "2"));
    reply_free(r);
}

static void test_null_reads_as_nothing(void **state)
{
    char *text = reply_text(NULL);

    (void)state;
    assert_string_equal(text, "(nil)");
    assert_string_equal(reply_str(NULL), "");
    assert_string_equal(reply_word(NULL), "");
    assert_int_equal(reply_len(NULL), 0);
    assert_int_equal(reply_count(NULL), 0);
    assert_int_equal(reply_int(NULL, 9), 9);
    assert_null(reply_at(NULL, 0));
    assert_null(reply_field(NULL, 0, "x"));
    assert_null(reply_error(NULL));
    assert_false(reply_is_nil(NULL));
    assert_false(reply_is_array(NULL));
    reply_free(NULL);
    free(text);
}

static void test_not_the_protocol(void **state)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct reply *r;
    struct err e = {0};

    (void)state;
    evbuffer_add_printf(in, "+OK\r\nHTTP/1.1 400 Bad Request\r\n");
    reader_feed(rd, in);
    assert_int_equal(reader_next(rd, &r, &e), 0);
    assert_true(reply_is(r, "OK"));
    reply_free(r);
    assert_int_equal(reader_next(rd, &r, &e), -1);
    assert_null(r);
    assert_non_null(strstr(e.msg, "Protocol error"));
    evbuffer_free(in);
    reader_free(rd);
}

static void test_announced_sizes_are_bounded(void **state)
{
    static const char *const rows[] = {"*2147483647\r\n", "*8000000\r\n*8000000\r\n*8000000\r\n", "$-7\r\n",
                                       "*-7\r\n", "$99999999999999999999\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reader *rd = reader_new();
        struct evbuffer *in = evbuffer_new();
        struct reply *r;
        struct err e = {0};
        evbuffer_add_printf(in, "%s", rows[i]);
        reader_feed(rd, in);
        assert_int_equal(reader_next(rd, &r, &e), -1);
        evbuffer_free(in);
        reader_free(rd);
    }
}

/* --- any bytes, cut anywhere */

#define ROUNDS 20000

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static void add_reply(struct text *t, unsigned depth)
{
    static const char *const leaves[] = {"+OK\r\n",    "-ERR no\r\n", ":-12\r\n", "$3\r\na\rb\r\n",
                                         "$0\r\n\r\n", "$-1\r\n",     "*-1\r\n",  "*0\r\n"};
    uint32_t n = below(4);

    if (!depth || below(3)) {
        text_add(t, leaves[below(COUNT(leaves))]);
        return;
    }
    text_addf(t, "*%u\r\n", n);
    for (uint32_t i = 0; i < n; i++)
        add_reply(t, depth - 1);
}

static void mutate(struct text *t)
{
    static const char bytes[] = "*$+-:\r\n0129\xff";

    for (uint32_t i = below(4); i > 0; i--)
        t->s[below((uint32_t)t->len)] = bytes[below(sizeof bytes)];
}

/* What a reader makes of the bytes in pieces of at most `piece`: the texts, a line each, and how it ended. */
static char *read_all(const struct text *bytes, uint32_t piece)
{
    struct reader *rd = reader_new();
    struct evbuffer *in = evbuffer_new();
    struct text seen = {0};
    struct reply *r = NULL;
    struct err e;
    int status = 0;

    for (size_t at = 0, n; at < bytes->len && status == 0; at += n) {
        n = 1 + below(piece);
        n = n < bytes->len - at ? n : bytes->len - at;
        evbuffer_add(in, bytes->s + at, n);
        reader_feed(rd, in);
        while ((status = reader_next(rd, &r, &e)) == 0 && r) {
            char *text = reply_text(r);
            text_addf(&seen, "%s %zu %s\n", text, reply_count(r), reply_word(r));
            reply_free(r);
            free(text);
        }
    }
    text_addf(&seen, "%d", status);
    evbuffer_free(in);
    reader_free(rd);
    return seen.s;
}

static void test_any_bytes_cut_anywhere(void **state)
{
    const char *named = getenv("SEED");

    (void)state;
    seed = named ? (uint32_t)strtoul(named, NULL, 10) : arc4random();
    for (int i = 0; i < ROUNDS; i++) {
        struct text bytes = {0};
        uint32_t round_seed = seed;
        for (uint32_t n = 1 + below(3); n > 0; n--)
            add_reply(&bytes, 5);
        mutate(&bytes);
        char *whole = read_all(&bytes, 1u << 20), *cut = read_all(&bytes, 3);
        if (strcmp(whole, cut) != 0)
            print_error("SEED=%u\n", round_seed);
        assert_string_equal(whole, cut);
        free(whole);
        free(cut);
        text_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_null_reads_as_nothing),
        cmocka_unit_test(test_not_the_protocol),
        cmocka_unit_test(test_announced_sizes_are_bounded),
        cmocka_unit_test(test_any_bytes_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
