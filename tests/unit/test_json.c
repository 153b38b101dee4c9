#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json_write.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static cJSON *parse(const char *s)
{
    struct err e = {0};
    cJSON *v = json_parse(s, strlen(s), JSON_COMMENTS, &e);

    if (!v)
        fail_msg("%s: %s", s, e.msg);
    return v;
}

static void check_refused(const char *s, size_t len, int flags, const char *why)
{
    struct err e = {0};
    cJSON *v = json_parse(s, len, flags, &e);

    if (v)
        fail_msg("accepted: %s", s);
    assert_string_equal(e.msg, why);
    assert_int_equal(e.code, ERR_INVALID);
}

static void test_accepts(void **state)
{
    static const struct {
        const char *text, *same;
    } rows[] = {
        {" {\"a\" : [1, -2.5e+3, true, false, null, \"\\u00e9\\n\"]}\r\n",
         "{\"a\":[1,-2500,true,false,null,\"é\\n\"]}"},
        {"// head\n[1, /* two */ 2, // three\n]// end", "[1,2]"},
        {"{\"a\": \"// no /* comment */ ,]\",}", "{\"a\":\"// no /* comment */ ,]\"}"},
        {"[1,/**/]", "[1]"},
        {"/***/{}/* * / */", "{}"},
        {"\"\\ud83d\\ude00\"", "\"😀\""},
        {"0", "0"},
        {"\xef\xbb\xbf[1]", "[1]"},
        {"{\"\": {\"a\": 1}, \"b\": {\"a\": 1}}", "{\"\":{\"a\":1},\"b\":{\"a\":1}}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *v = parse(rows[i].text);
        char *printed = json_print(v);
        assert_string_equal(printed, rows[i].same);
        free(printed);
        cJSON_Delete(v);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "line 1, column 1: expected a value, but the document ends"},
        {" \n\n", "line 3, column 1: expected a value, but the document ends"},
        {"{\n  \"é\": x}", "line 2, column 8: expected a value"},
        {"{\"a\" 1}", "line 1, column 6: expected ':'"},
        {"{1: 2}", "line 1, column 2: expected a key in double quotes"},
        {"{\"a\": 1 \"b\": 2}", "line 1, column 9: expected ',' or '}'"},
        {"[1 2]", "line 1, column 4: expected ',' or ']'"},
        {"[1,\n", "line 2, column 1: expected a value, but the document ends"},
        {"[1}", "line 1, column 3: expected ',' or ']'"},
        {"[,]", "line 1, column 2: expected a value"},
        {"[1,,]", "line 1, column 4: expected a value"},
        {"{} {}", "line 1, column 4: unexpected text after the end"},
        {"tru", "line 1, column 1: expected a value"},
        {"truex", "line 1, column 5: unexpected text after the end"},
        {"01", "line 1, column 1: number with a leading zero"},
        {"-", "line 1, column 2: expected a digit, but the document ends"},
        {"[1.]", "line 1, column 4: expected a digit"},
        {"1e+", "line 1, column 4: expected a digit, but the document ends"},
        {"\"a", "line 1, column 3: string without an end, but the document ends"},
        {"\"a\tb\"", "line 1, column 3: control character in a string"},
        {"\"\\x\"", "line 1, column 2: unknown escape in a string"},
        {"\"\\", "line 1, column 2: unknown escape in a string"},
        {"\"\\u12", "line 1, column 2: \\u needs four hexadecimal digits"},
        {"\"\\u0000\"", "line 1, column 2: a string cannot hold NUL"},
        {"\"\\ud83d\"", "line 1, column 8: half of a surrogate pair"},
        {"\"\\ude00\"", "line 1, column 2: half of a surrogate pair"},
        {"\"a\xc3\"", "line 1, column 3: invalid UTF-8"},
        {"\"\xc0\xaf\"", "line 1, column 2: invalid UTF-8"},
        {"\"\xed\xa0\x80\"", "line 1, column 2: invalid UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "line 1, column 2: invalid UTF-8"},
        {"\xef\xbb\xbf\xef\xbb\xbf{}", "line 1, column 1: expected a value"},
        {"{} /* x", "line 1, column 4: comment without an end"},
        {"{\"a\": {\"b\": [{\"c\": 1, \"d\": 2, \"\\u0063\": 3}]}}", "a.b[0]: key 'c' given twice"},
        {"{\"a\": 1, \"a\": 1}", "key 'a' given twice"},
        {"[0000000000000000000000000000000000000000000000000000000000000000001]",
         "line 1, column 2: number with a leading zero"},
        {"[1000000000000000000000000000000000000000000000000000000000000000001]",
         "line 1, column 2: number with too many digits"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].text, strlen(rows[i].text), JSON_COMMENTS, rows[i].why);
    check_refused("[1, \0 2]", 8, JSON_COMMENTS, "line 1, column 5: NUL byte");
}

static void test_strict(void **state)
{
    (void)state;
    check_refused("[1,]", 4, 0, "line 1, column 4: expected a value");
    check_refused("{\"a\":1,}", 8, 0, "line 1, column 8: expected a key in double quotes");
    check_refused("// x\n1", 6, 0, "line 1, column 1: expected a value");
}

static void test_depth(void **state)
{
    char text[131];

    (void)state;
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    check_refused(text, 130, 0, "line 1, column 65: nested too deeply");
    cJSON *v = json_parse(text + 1, 128, 0, NULL);
    assert_non_null(v);
    cJSON_Delete(v);
}

struct target {
    int64_t whole, ms;
    bool flag;
    const char *text;
};

static int read_text(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_string(v, at, into, e);
}

static int read_whole(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, -5, INT64_MAX, into, e);
}

static int read_percent(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, 0, 100, into, e);
}

static int read_any(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_whole(v, at, INT64_MIN, INT64_MAX, into, e);
}

static int read_flag(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_bool(v, at, into, e);
}

static int read_ms(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    return json_duration_ms(v, at, into, e);
}

static const struct json_member members[] = {
    {"text", read_text, offsetof(struct target, text), true},
    {"whole", read_whole, offsetof(struct target, whole), false},
    {"percent", read_percent, offsetof(struct target, whole), false},
    {"any", read_any, offsetof(struct target, whole), false},
    {"flag", read_flag, offsetof(struct target, flag), false},
    {"interval", read_ms, offsetof(struct target, ms), false},
    {"known", NULL, 0, false},
};

static void test_object(void **state)
{
    cJSON *v = parse("{\"interval\": \"2s\", \"known\": [], \"text\": \"x\", \"whole\": -5, \"flag\": true}");
    struct target t = {0};

    (void)state;
    assert_int_equal(json_object(v, NULL, members, COUNT(members), &t, NULL), 0);
    assert_string_equal(t.text, "x");
    assert_int_equal(t.whole, -5);
    assert_int_equal(t.ms, 2000);
    assert_true(t.flag);
    cJSON_Delete(v);
}

static void test_object_faults(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "a[2]: must be an object"},
        {"{}", "a[2].text: is required"},
        {"{\"text\": 1}", "a[2].text: must be a string"},
        {"{\"text\": null}", "a[2].text: must be a string"},
        {"{\"txet\": \"\"}", "a[2]: unknown key 'txet', did you mean 'text'?"},
        {"{\"persent\": 1}", "a[2]: unknown key 'persent', did you mean 'percent'?"},
        {"{\"zzzzzz\": 1}", "a[2]: unknown key 'zzzzzz'"},
        {"{\"\": 1}", "a[2]: unknown key ''"},
        {"{\"text\": \"\", \"whole\": 1.5}", "a[2].whole: must be a whole number ≥ -5"},
        {"{\"text\": \"\", \"whole\": -6}", "a[2].whole: must be a whole number ≥ -5"},
        {"{\"text\": \"\", \"whole\": 1e300}", "a[2].whole: must be a whole number ≥ -5"},
        {"{\"text\": \"\", \"whole\": \"1\"}", "a[2].whole: must be a whole number ≥ -5"},
        {"{\"text\": \"\", \"percent\": 101}", "a[2].percent: must be a whole number from 0 to 100"},
        {"{\"text\": \"\", \"any\": 9007199254740994}", "a[2].any: must be a whole number"},
        {"{\"text\": \"\", \"flag\": 1}", "a[2].flag: must be true or false"},
        {"{\"text\": \"\", \"interval\": 5}",
         "a[2].interval: must be a duration in quotes, such as \"30s\" or \"1h30m\""},
        {"{\"text\": \"\", \"interval\": \"x\"}", "a[2].interval: invalid duration for 'interval': \"x\" — "
                                                  "expected number at 0. Examples: \"30s\", \"5m\", "
                                                  "\"1h30m\", \"250ms\""},
    };
    struct json_path root = {NULL, "a", 0}, at = {&root, NULL, 2};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *v = parse(rows[i].text);
        struct target t = {0};
        struct err e = {0};
        assert_int_equal(json_object(v, &at, members, COUNT(members), &t, &e), -1);
        assert_string_equal(e.msg, rows[i].why);
        assert_int_equal(json_object(v, &at, members, COUNT(members), &t, NULL), -1);
        cJSON_Delete(v);
    }
}

static void test_write(void **state)
{
    struct text t = {0};

    (void)state;
    json_put_open(&t, '{');
    json_put_key(&t, "a:");
    json_put_open(&t, '[');
    json_put_whole(&t, -1);
    json_put_double(&t, 0.1);
    json_put_double(&t, 1.0 / 3);
    json_put_bool(&t, 1);
    json_put_string(&t, "\"\\\n\x01\x7f é[");
    json_put_open(&t, '{');
    json_put_close(&t, '}');
    json_put_close(&t, ']');
    json_put_key(&t, "b");
    json_put_string(&t, "");
    json_put_close(&t, '}');
    assert_string_equal(
        t.s, "{\"a:\":[-1,0.1,0.33333333333333331,true,\"\\\"\\\\\\n\\u0001\x7f é[\",{}],\"b\":\"\"}");
    cJSON_Delete(parse(t.s));
    text_release(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts), cmocka_unit_test(test_refuses), cmocka_unit_test(test_strict),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_object),  cmocka_unit_test(test_object_faults),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
