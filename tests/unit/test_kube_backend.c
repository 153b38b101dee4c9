#include "core/kube_backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/kube_name.h"
#include "core/quantity.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void quantities_as_kubernetes_reads_them(void **state)
{
    static const struct {
        const char *text;
        double value; /* negative: refused */
    } rows[] = {
        {"1", 1},
        {"0", 0},
        {"+1", 1},
        {"1.5", 1.5},
        {"5.", 5},
        {".5", 0.5},
        {"500m", 0.5},
        {"100u", 1e-4},
        {"7n", 7e-9},
        {"2k", 2000},
        {"3M", 3e6},
        {"3G", 3e9},
        {"1E", 1e18},
        {"1e3", 1000},
        {"1E3", 1000},
        {"1e+3", 1000},
        {"25e-1", 2.5},
        {"1Ki", 1024},
        {"512Mi", 536870912},
        {"0.5Gi", 536870912},
        {"1Ei", 0x1p60},
        {"007", 7},
        {"", -1},
        {".", -1},
        {"-1", -1},
        {"m", -1},
        {"1K", -1},
        {"1mi", -1},
        {"1 Mi", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1Mib", -1},
        {"1e", -1},
        {"1e3Mi", -1},
        {"1e+", -1},
        {"1e100", -1},
        {"0x10", -1},
        {"1.2.3", -1},
        {"++1", -1},
        {"1,5", -1},
        {"inf", -1},
        {"1234567890123456789012345678901", -1},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double value = -1;
        int failed = quantity_parse(&value, rows[i].text, &e);
        double off = value - rows[i].value;
        if (failed != (rows[i].value < 0 ? -1 : 0) || (!failed && (off > 1e-12 || off < -1e-12)))
            fail_msg("'%s': %d, %.12g", rows[i].text, failed, value);
    }
}

static void names(void **state)
{
    static const char long_label[] = "a123456789a123456789a123456789a123456789a123456789a123456789a12";
    static const struct {
        bool (*is_good)(const char *s);
        const char *s;
        bool good;
    } rows[] = {
        {kube_name_is_label, "rivers", true},
        {kube_name_is_label, "0", true},
        {kube_name_is_label, "a-b", true},
        {kube_name_is_label, "", false},
        {kube_name_is_label, "-a", false},
        {kube_name_is_label, "a-", false},
        {kube_name_is_label, "A", false},
        {kube_name_is_label, "a.b", false},
        {kube_name_is_label, "a_b", false},
        {kube_name_is_label, long_label, true},
        {kube_name_is_subdomain, "a.b-c.d", true},
        {kube_name_is_subdomain, "a..b", false},
        {kube_name_is_subdomain, ".a", false},
        {kube_name_is_subdomain, "a.", false},
        {kube_name_is_subdomain, "a.-b", false},
        {kube_name_is_subdomain, "a/b", false},
        {kube_name_is_key, "team", true},
        {kube_name_is_key, "example.com/Team_1", true},
        {kube_name_is_key, "/team", false},
        {kube_name_is_key, "a/", false},
        {kube_name_is_key, "a/b/c", false},
        {kube_name_is_key, "A/b", false},
        {kube_name_is_key, "team ", false},
        {kube_name_is_key, "", false},
        {kube_name_is_value, "", true},
        {kube_name_is_value, "A.b_c-1", true},
        {kube_name_is_value, "-", false},
        {kube_name_is_value, "a b", false},
        {kube_name_is_data_key, "redis.url", true},
        {kube_name_is_data_key, ".env", true},
        {kube_name_is_data_key, "..", false},
        {kube_name_is_data_key, ".", false},
        {kube_name_is_data_key, "a/b", false},
    };
    char longer[66];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].is_good(rows[i].s) != rows[i].good)
            fail_msg("row %zu: '%s'", i, rows[i].s);
    assert_int_equal(strlen(long_label), 63);
    snprintf(longer, sizeof longer, "%sx", long_label);
    assert_false(kube_name_is_label(longer));
    assert_false(kube_name_is_value(longer));
    assert_false(kube_name_is_key(longer));
}

static void defaults(void **state)
{
    struct kube_backend b;
    struct err e;

    (void)state;
    assert_int_equal(kube_backend_parse(&b, "{\"type\": \"kubernetes\"}", &e), 0);
    assert_null(b.image);
    assert_null(b.namespace);
    assert_string_equal(b.service_account, "rivers-executor");
    assert_string_equal(b.run_cpu, "500m");
    assert_string_equal(b.run_memory, "512Mi");
    assert_string_equal(b.worker_cpu, "500m");
    assert_string_equal(b.worker_memory, "512Mi");
    assert_int_equal(b.pod_pending_timeout_ms, 600000);
    assert_int_equal(b.ttl_after_finished_ms, 3600000);
    assert_null(b.step_service_account);
    assert_null(b.redis_secret);
    assert_null(b.tolerations);
    assert_int_equal(b.labels.n + b.annotations.n + b.node_selector.n + b.image_pull_secrets.n, 0);
    kube_backend_release(&b);
    kube_backend_release(&b);
}

static void every_member(void **state)
{
    struct kube_backend b;
    struct err e;

    (void)state;
    assert_int_equal(
        kube_backend_parse(
            &b,
            "{\"type\": \"kubernetes\", \"image\": \"registry.example.com:5000/rivers@sha256:0f\","
            "\"namespace\": \"jobs\", \"service_account\": \"runner\", \"run_cpu\": \"1\", \"run_memory\": "
            "\"1Gi\","
            "\"worker_cpu\": \"2.5\", \"worker_memory\": \"2G\", \"image_pull_secrets\": [\"one\", "
            "\"two.three\"],"
            "\"redis_secret\": {\"name\": \"redis\", \"key\": \"url\"}, \"labels\": {\"team\": \"growth\"},"
            "\"annotations\": {\"example.com/note\": \"any text, at all\"}, \"node_selector\": {\"disk\": "
            "\"\"},"
            "\"tolerations\": [{\"key\": \"batch\", \"operator\": \"Exists\", \"effect\": \"NoSchedule\"}],"
            "\"priority_class\": \"low\", \"pod_pending_timeout\": \"90s\", \"ttl_after_finished\": \"2h\","
            "\"step_service_account\": \"step\", \"run_as_user\": 10001}",
            &e),
        0);
    assert_string_equal(b.image, "registry.example.com:5000/rivers@sha256:0f");
    assert_string_equal(b.namespace, "jobs");
    assert_string_equal(b.service_account, "runner");
    assert_string_equal(b.run_cpu, "1");
    assert_string_equal(b.worker_memory, "2G");
    assert_int_equal(b.image_pull_secrets.n, 2);
    assert_string_equal(b.image_pull_secrets.items[1], "two.three");
    assert_string_equal(b.redis_secret, "redis");
    assert_string_equal(b.redis_secret_key, "url");
    assert_string_equal(b.labels.items[0].key, "team");
    assert_string_equal(b.annotations.items[0].value, "any text, at all");
    assert_string_equal(b.node_selector.items[0].value, "");
    assert_string_equal(b.tolerations,
                        "[{\"key\":\"batch\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}]");
    assert_string_equal(b.priority_class, "low");
    assert_string_equal(b.step_service_account, "step");
    assert_int_equal(b.run_as_user, 10001);
    assert_int_equal(b.pod_pending_timeout_ms, 90000);
    assert_int_equal(b.ttl_after_finished_ms, 7200000);
    kube_backend_release(&b);
}

#define QUANTITY "must be a quantity such as \"500m\", \"1.5\" or \"512Mi\", not "
#define SUBDOMAIN                                                                                            \
    "must be 1 to 253 of a-z 0-9 - ., each part starting and ending with a letter or digit, not "

static void refused(void **state)
{
    static const struct {
        const char *member, *why;
    } rows[] = {
        {"\"imagee\": \"x\"", "run_backend: unknown key 'imagee', did you mean 'image'?"},
        {"\"image\": \"\"", "run_backend.image: must be the name of an image, not \"\""},
        {"\"image\": \"a b\"", "run_backend.image: must be the name of an image, not \"a b\""},
        {"\"image\": 1", "run_backend.image: must be a string"},
        {"\"namespace\": \"a.b\"", "run_backend.namespace: must be 1 to 63 of a-z 0-9 -, starting and ending "
                                   "with a letter or digit, not \"a.b\""},
        {"\"service_account\": \"Runner\"", "run_backend.service_account: " SUBDOMAIN "\"Runner\""},
        {"\"run_cpu\": \"half\"", "run_backend.run_cpu: " QUANTITY "\"half\""},
        {"\"run_cpu\": 1", "run_backend.run_cpu: must be a string"},
        {"\"run_cpu\": \"0\"", "run_backend.run_cpu: must be at least 1m, not \"0\""},
        {"\"run_memory\": \"512m\"", "run_backend.run_memory: must be at least 1Mi, not \"512m\""},
        {"\"worker_cpu\": \"-1\"", "run_backend.worker_cpu: " QUANTITY "\"-1\""},
        {"\"worker_memory\": \"512MB\"", "run_backend.worker_memory: " QUANTITY "\"512MB\""},
        {"\"image_pull_secrets\": \"a\"", "run_backend.image_pull_secrets: must be a list of names"},
        {"\"image_pull_secrets\": [\"a\", \"B\"]", "run_backend.image_pull_secrets[1]: " SUBDOMAIN "\"B\""},
        {"\"redis_secret\": {\"name\": \"a\"}", "run_backend.redis_secret.key: is required"},
        {"\"redis_secret\": {\"name\": \"a\", \"key\": \"a b\"}",
         "run_backend.redis_secret.key: must be 1 to 253 of A-Z a-z 0-9 - _ ., not \"a b\""},
        {"\"labels\": []", "run_backend.labels: must be an object of strings"},
        {"\"labels\": {\"a\": \"b c\"}",
         "run_backend.labels.a: must be empty or 1 to 63 of A-Z a-z 0-9 - _ ., not \"b c\""},
        {"\"labels\": {\"a b\": \"c\"}", "run_backend.labels: 'a b' cannot be a key: [subdomain/]name, the "
                                         "name 1 to 63 of A-Z a-z 0-9 - _ ."},
        {"\"labels\": {\"rivers.dev/run\": \"c\"}", "run_backend.labels: 'rivers.dev/run' is set by rivers"},
        {"\"labels\": {\"app.kubernetes.io/name\": \"c\"}",
         "run_backend.labels: 'app.kubernetes.io/name' is set by rivers"},
        {"\"annotations\": {\"a\": 1}", "run_backend.annotations.a: must be a string"},
        {"\"node_selector\": {\"a\": \"/\"}",
         "run_backend.node_selector.a: must be empty or 1 to 63 of A-Z a-z 0-9 - _ ., not \"/\""},
        {"\"tolerations\": {}", "run_backend.tolerations: must be a list of tolerations"},
        {"\"tolerations\": [{\"operator\": \"Exist\"}]",
         "run_backend.tolerations[0].operator: must be one of Equal Exists"},
        {"\"tolerations\": [{\"effect\": \"\"}]",
         "run_backend.tolerations[0].effect: must be one of NoSchedule PreferNoSchedule NoExecute"},
        {"\"tolerations\": [{\"value\": 1}]", "run_backend.tolerations[0].value: must be a string"},
        {"\"tolerations\": [{\"tolerationSeconds\": \"1\"}]",
         "run_backend.tolerations[0].tolerationSeconds: must be a whole number"},
        {"\"priority_class\": \"\"", "run_backend.priority_class: " SUBDOMAIN "\"\""},
        {"\"run_as_user\": 0", "run_backend.run_as_user: must be a whole number from 1 to 2147483647"},
        {"\"pod_pending_timeout\": 600",
         "run_backend.pod_pending_timeout: must be a duration in quotes, such as \"30s\" or \"1h30m\""},
        {"\"ttl_after_finished\": \"59s\"", "run_backend.ttl_after_finished: must be at least 1m"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kube_backend b;
        struct err e = {0};
        char text[256];
        snprintf(text, sizeof text, "{\"type\": \"kubernetes\", %s}", rows[i].member);
        if (kube_backend_parse(&b, text, &e) == 0)
            fail_msg("accepted: %s", text);
        kube_backend_release(&b);
        assert_string_equal(e.msg, rows[i].why);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_as_kubernetes_reads_them),
        cmocka_unit_test(names),
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_member),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
