#include "kube/exec_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define API      "client.authentication.k8s.io/v1"
#define HEAD     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API "\",\"status\":"

static void test_accepted(void **state)
{
    static const struct {
        const char *text, *token, *certificate, *key;
        int64_t expires_at;
    } rows[] = {
        {HEAD "{\"token\":\"abc\"}}", "abc", NULL, NULL, 0},
        {HEAD "{\"token\":\"abc\",\"expirationTimestamp\":\"2026-11-24T05:00:00Z\"},\"spec\":{}}", "abc",
         NULL, NULL, 1795496400000},
        {HEAD "{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\",\"expirationTimestamp\":null}}", NULL,
         "C", "K", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exec_credential c;
        struct err e;
        assert_int_equal(exec_credential_parse(&c, rows[i].text, strlen(rows[i].text), API, &e), 0);
        assert_string_equal(c.token ? c.token : "", rows[i].token ? rows[i].token : "");
        assert_string_equal(c.certificate ? c.certificate : "",
                            rows[i].certificate ? rows[i].certificate : "");
        assert_string_equal(c.key ? c.key : "", rows[i].key ? rows[i].key : "");
        assert_int_equal(c.expires_at, rows[i].expires_at);
        exec_credential_release(&c);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "line 1, column 1: "},
        {"please log in", "line 1, column 1: "},
        {"[]", "kind: must be 'ExecCredential'"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API "beta1\"}", "apiVersion: must be '" API "'"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API "\"}", "status: must be an object"},
        {HEAD "{}}", "status: holds neither a token nor a client certificate"},
        {HEAD "{\"token\":\"\"}}", "status: holds neither a token nor a client certificate"},
        {HEAD "{\"token\":7}}", "status.token: must be a string"},
        {HEAD "{\"token\":\"a\",\"clientKeyData\":\"K\"}}",
         "status: holds one of a client certificate and its key"},
        {HEAD "{\"token\":\"a\",\"expirationTimestamp\":\"tomorrow\"}}",
         "status.expirationTimestamp: is not a time such as \"2026-11-24T05:00:00Z\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exec_credential c;
        struct err e = {0};
        assert_int_equal(exec_credential_parse(&c, rows[i].text, strlen(rows[i].text), API, &e), -1);
        assert_memory_equal(e.msg, rows[i].why, strlen(rows[i].why));
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t at; /* -1: no time */
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-24T05:00:00Z", 1795496400000},
        {"2026-11-24T05:00:00.25Z", 1795496400250},
        {"2026-11-24T05:00:00.123456789Z", 1795496400123},
        {"2026-11-24T07:00:00+02:00", 1795496400000},
        {"2026-11-24T04:30:00-00:30", 1795496400000},
        {"2026-11-24T05:00:00", -1},
        {"2026-11-24", -1},
        {"2026-13-24T05:00:00Z", -1},
        {"2026-11-24T05:00:00Zulu", -1},
        {"2026-11-24T05:00:00+2:00", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t at = -1;
        assert_int_equal(rfc3339_parse(rows[i].text, &at), rows[i].at < 0 ? -1 : 0);
        assert_int_equal(at, rows[i].at);
    }
}

static void test_base64(void **state)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"\xff\xfe?", "//4/"}};
    static const char *const faults[] = {
        "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Z-9v", "Zm9v\x80"};
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text t = {0};
        base64_add(&t, rows[i].bytes, strlen(rows[i].bytes));
        assert_string_equal(text_get(&t), rows[i].text);
        char *bytes = base64_decode(rows[i].text, &len);
        assert_string_equal(bytes, rows[i].bytes);
        assert_int_equal(len, strlen(rows[i].bytes));
        free(bytes);
        text_release(&t);
    }
    char *wrapped = base64_decode("Zm9v\n Ym\r\nFy\n", &len);
    assert_string_equal(wrapped, "foobar");
    free(wrapped);
    for (size_t i = 0; i < COUNT(faults); i++)
        assert_null(base64_decode(faults[i], &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
