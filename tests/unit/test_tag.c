#include "core/tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define KEY_63 "k23456789012345678901234567890123456789012345678901234567890123"
#define RULE   "must be 1 to 63 of A-Z a-z 0-9 _ . / -, starting with a letter or digit"

static void test_parse(void **state)
{
    static const struct {
        const char *text, *key, *value;
    } rows[] = {
        {"team=growth", "team", "growth"},
        {"a=", "a", ""},
        {"a=b=c", "a", "b=c"},
        {"9.x/y_z-1=é *", "9.x/y_z-1", "é *"},
        {"rivers/priority=5", "rivers/priority", "5"},
        {"rivers=5", "rivers", "5"},
        {KEY_63 "=v", KEY_63, "v"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tag t;
        assert_int_equal(tag_parse(&t, rows[i].text, NULL), 0);
        assert_string_equal(t.key, rows[i].key);
        assert_string_equal(t.value, rows[i].value);
        tag_release(&t);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"team", "tag 'team': must be key=value"},
        {"", "tag '': must be key=value"},
        {"=x", "tag key '': " RULE},
        {"a b=x", "tag key 'a b': " RULE},
        {"-a=x", "tag key '-a': " RULE},
        {"é=x", "tag key 'é': " RULE},
        {KEY_63 "4=x", "tag key '" KEY_63 "4': " RULE},
        {"rivers/job=x", "tag key 'rivers/job': keys that start with rivers/ are reserved"},
        {"a=*", "tag 'a': value '*' is reserved for limits on each distinct value"},
        {"a=x\ny", "tag 'a': value must be at most 255 bytes of UTF-8 without control characters"},
        {"a=\x7f", "tag 'a': value must be at most 255 bytes of UTF-8 without control characters"},
        {"a=\xc2\x85", "tag 'a': value must be at most 255 bytes of UTF-8 without control characters"},
        {"a=\xff", "tag 'a': value must be at most 255 bytes of UTF-8 without control characters"},
        {"a=\xe2\x82", "tag 'a': value must be at most 255 bytes of UTF-8 without control characters"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tag t;
        struct err e = {0};
        assert_int_equal(tag_parse(&t, rows[i].text, &e), -1);
        assert_string_equal(e.msg, rows[i].why);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

static void test_value_length(void **state)
{
    char value[TAG_VALUE_BYTES + 2];

    (void)state;
    memset(value, 'v', sizeof value);
    value[TAG_VALUE_BYTES + 1] = '\0';
    assert_int_equal(tag_check("a", value, NULL), -1);
    value[TAG_VALUE_BYTES] = '\0';
    assert_int_equal(tag_check("a", value, NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_value_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
