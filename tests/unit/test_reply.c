#include "redis/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_null_reads_as_nothing),
        cmocka_unit_test(test_not_the_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
