#include "kube/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/kube_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define JSON     "Content-Type: application/json\r\n"

struct fixture {
    struct kube_fixture kube;
    _Atomic(const char *) token; /* that the server accepts */
    _Atomic int refused;         /* requests answered with 401 */
};

/* ---- the server ---- */

static const struct {
    const char *path, *status, *headers, *body;
} answers[] = {
    {"/ok", "200 OK", JSON, "{\"kind\":\"Job\",\"metadata\":{\"name\":\"a\"}}"},
    {"/created", "201 Created", JSON, "{\"kind\":\"Job\"}"},
    {"/log", "200 OK", "Content-Type: text/plain\r\n", "one\ntwo\n"},
    {"/broken", "200 OK", JSON, "{\"kind\":"},
    {"/exists", "409 Conflict", JSON,
     "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"jobs.batch \\\"a\\\" already "
     "exists\",\"reason\":"
     "\"AlreadyExists\",\"details\":{\"name\":\"a\"},\"code\":409}"},
    {"/conflict", "409 Conflict", JSON,
     "{\"kind\":\"Status\",\"message\":\"Precondition failed: UID\",\"reason\":\"Conflict\",\"code\":409}"},
    {"/quota", "403 Forbidden", JSON,
     "{\"kind\":\"Status\",\"message\":\"pods \\\"a\\\" is forbidden: exceeded quota: "
     "q\",\"reason\":\"Forbidden\"}"},
    {"/forbidden", "403 Forbidden", JSON,
     "{\"kind\":\"Status\",\"message\":\"no\",\"reason\":\"Forbidden\"}"},
    {"/missing", "404 Not Found", JSON, "{\"kind\":\"Status\",\"message\":\"no a\",\"reason\":\"NotFound\"}"},
    {"/invalid", "422 Unprocessable Entity", JSON,
     "{\"kind\":\"Status\",\"message\":\"bad\",\"reason\":\"Invalid\"}"},
    {"/busy", "429 Too Many Requests", "Content-Type: text/plain\r\nRetry-After: 1\r\n",
     "Too many requests, please try again later.\n"},
    {"/later", "500 Internal Server Error", JSON,
     "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"ServerTimeout\",\"details\":{\"retryAfterSeconds\":"
     "2}}"},
    {"/down", "503 Service Unavailable", "", ""},
    {"/gateway", "502 Bad Gateway", "Content-Type: text/html\r\n", "<html>\r\n<body>nginx</body>\r\n</html>"},
    {"/gone", "410 Gone", JSON, "{\"kind\":\"Status\",\"message\":\"old\",\"reason\":\"Expired\"}"},
    {"/moved", "301 Moved Permanently", "Location: /ok\r\n", ""},
};

static void serve(void *arg, struct exchange *x)
{
    struct fixture *f = arg;
    const char *path = strchr(x->head, '/');
    size_t len = strcspn(path, " ?");
    char *header = xasprintf("Authorization: Bearer %s\r\n", f->token);
    bool accepted = exchange_has(x, header);

    free(header);
    if (!accepted) {
        f->refused++;
        exchange_answer(x, "401 Unauthorized", JSON,
                        "{\"kind\":\"Status\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\"}");
        return;
    }
    for (size_t i = 0; i < COUNT(answers); i++)
        if (strlen(answers[i].path) == len && !strncmp(path, answers[i].path, len))
            exchange_answer(x, answers[i].status, answers[i].headers, answers[i].body);
    if (!strncmp(path, "/echo", len))
        exchange_answer(x, "200 OK", "Content-Type: text/plain\r\n", x->body);
    else if (!strncmp(path, "/reset", len))
        exchange_reset(x);
    else if (!strncmp(path, "/silence", len))
        exchange_wait_over(x);
}

/* ---- the client ---- */

struct answer {
    int count;
    struct text lines, text;
};

static void on_reply(void *arg, const struct kube_reply *r)
{
    static const char *const words[] = {[KUBE_OK] = "OK",
                                        [KUBE_ALREADY_EXISTS] = "ALREADY_EXISTS",
                                        [KUBE_NOT_FOUND] = "NOT_FOUND",
                                        [KUBE_CONFLICT] = "CONFLICT",
                                        [KUBE_EXPIRED] = "EXPIRED",
                                        [KUBE_QUOTA] = "QUOTA",
                                        [KUBE_REFUSED] = "REFUSED",
                                        [KUBE_RETRY] = "RETRY",
                                        [KUBE_UNKNOWN] = "UNKNOWN"};
    struct answer *a = arg;

    a->count++;
    text_clear(&a->text);
    text_addf(&a->text, "%s %d [%s] [%s] %lld%s", words[r->outcome], r->status, r->reason, r->message,
              (long long)r->retry_after_ms, r->object ? " object" : "");
    if (!r->object && r->outcome == KUBE_OK)
        text_addf(&a->text, " %.*s", (int)r->text_len, r->text);
}

static void on_line(void *arg, const char *line, size_t len)
{
    struct answer *a = arg;

    assert_int_equal(strlen(line), len);
    text_addf(&a->lines, "[%s]", line);
}

static void answer_release(struct answer *a)
{
    text_release(&a->lines);
    text_release(&a->text);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->token = "first";
    kube_fixture_init(&f->kube, serve, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    kube_fixture_release(&f->kube);
    free(f);
    return 0;
}

static void expect_request(struct fixture *f, const struct kube_request *request, const char *prefix)
{
    struct answer a = {0};

    kube_send(f->kube.kube, request, on_reply, &a);
    assert_int_equal(a.count, 0);
    RUN_UNTIL(&f->kube, a.count);
    if (strncmp(text_get(&a.text), prefix, strlen(prefix)) != 0)
        assert_string_equal(text_get(&a.text), prefix);
    assert_int_equal(a.count, 1);
    answer_release(&a);
}

static void expect(struct fixture *f, const char *path, const char *prefix)
{
    expect_request(f, &(struct kube_request){.method = "GET", .path = path, .deadline_ms = LONG_MS}, prefix);
}

/* A client of its own with the kubeconfig "config". */
static void use_kubeconfig(struct fixture *f, const char *user)
{
    char *config =
        xasprintf("current-context: a\ncontexts:\n- {name: a, context: {cluster: c, user: u, namespace: n}}\n"
                  "clusters:\n- {name: c, cluster: {server: '%s', certificate-authority: ca.crt}}\n"
                  "users:\n- name: u\n  user: {%s}\n",
                  web_server_url_get(f->kube.server), user);
    char *path = xasprintf("%s/config", f->kube.dir);
    struct err e = {0};

    kube_fixture_write(&f->kube, "config", config);
    kube_free(f->kube.kube);
    f->kube.kube = kube_new(f->kube.reaper, &(struct access_options){.kubeconfig = path}, &e);
    assert_string_equal(f->kube.kube ? "" : e.msg, "");
    free(config);
    free(path);
}

/* ---- answers ---- */

static void test_outcomes(void **state)
{
    static const struct {
        int status;
        const char *reason, *message;
        enum kube_outcome outcome;
    } rows[] = {
        {200, "", "", KUBE_OK},
        {201, "", "", KUBE_OK},
        {202, "", "", KUBE_OK},
        {301, "", "", KUBE_REFUSED},
        {400, "BadRequest", "", KUBE_REFUSED},
        {401, "Unauthorized", "", KUBE_RETRY},
        {403, "Forbidden", "pods is forbidden: User cannot create", KUBE_REFUSED},
        {403, "Forbidden", "is forbidden: exceeded quota: q, requested: pods=1", KUBE_QUOTA},
        {404, "NotFound", "", KUBE_NOT_FOUND},
        {405, "MethodNotAllowed", "", KUBE_REFUSED},
        {409, "AlreadyExists", "", KUBE_ALREADY_EXISTS},
        {409, "Conflict", "", KUBE_CONFLICT},
        {410, "Expired", "", KUBE_EXPIRED},
        {410, "Gone", "", KUBE_EXPIRED},
        {413, "RequestEntityTooLarge", "", KUBE_REFUSED},
        {422, "Invalid", "", KUBE_REFUSED},
        {429, "TooManyRequests", "", KUBE_RETRY},
        {500, "InternalError", "", KUBE_UNKNOWN},
        {502, "", "", KUBE_UNKNOWN},
        {503, "ServiceUnavailable", "", KUBE_RETRY},
        {504, "Timeout", "", KUBE_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(kube_outcome_of(rows[i].status, rows[i].reason, rows[i].message), rows[i].outcome);
}

static void test_answers(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path, *text;
    } rows[] = {
        {"/ok", "OK 200 [] [] -1 object"},
        {"/created", "OK 201 [] [] -1 object"},
        {"/log", "OK 200 [] [] -1 one\ntwo\n"},
        {"/broken", "UNKNOWN 200 [NoAnswer] [the answer is faulty: line 1, column "},
        {"/exists", "ALREADY_EXISTS 409 [AlreadyExists] [jobs.batch \"a\" already exists] -1 object"},
        {"/conflict", "CONFLICT 409 [Conflict] [Precondition failed: UID] -1 object"},
        {"/quota", "QUOTA 403 [Forbidden] [pods \"a\" is forbidden: exceeded quota: q] -1 object"},
        {"/forbidden", "REFUSED 403 [Forbidden] [no] -1 object"},
        {"/missing", "NOT_FOUND 404 [NotFound] [no a] -1 object"},
        {"/invalid", "REFUSED 422 [Invalid] [bad] -1 object"},
        {"/busy", "RETRY 429 [TooManyRequests] [Too many requests, please try again later.] 1000"},
        {"/later", "UNKNOWN 500 [ServerTimeout] [m] 2000 object"},
        {"/down", "RETRY 503 [ServiceUnavailable] [HTTP status 503] -1"},
        {"/gateway", "UNKNOWN 502 [Unknown] [<html>] -1"},
        {"/gone", "EXPIRED 410 [Expired] [old] -1 object"},
        {"/moved", "REFUSED 301 [Unknown] [HTTP status 301] -1"},
        {"/reset", "UNKNOWN 0 [NoAnswer] [https://127.0.0.1:"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        expect(f, rows[i].path, rows[i].text);
    expect_request(f, &(struct kube_request){.method = "POST", .path = "/echo", .body = "{}"},
                   "OK 200 [] [] -1 {}");
    expect_request(f, &(struct kube_request){.method = "GET", .path = "/silence", .deadline_ms = 1000},
                   "UNKNOWN 0 [NoAnswer] [https://127.0.0.1:");
}

static void test_where(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(kube_namespace_get(f->kube.kube), "prod");
    assert_string_equal(kube_server_get(f->kube.kube), web_server_url_get(f->kube.server));
    web_server_free(f->kube.server);
    f->kube.server = NULL;
    expect(f, "/ok", "RETRY 0 [NoAnswer] [https://127.0.0.1:");
}

static void test_streams(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};

    kube_stream(f->kube.kube, &(struct kube_request){.method = "GET", .path = "/log"}, on_line, on_reply, &a);
    RUN_UNTIL(&f->kube, a.count);
    assert_string_equal(text_get(&a.lines), "[one][two]");
    assert_string_equal(text_get(&a.text), "OK 200 [] [] -1 ");
    kube_stream(f->kube.kube, &(struct kube_request){.method = "GET", .path = "/gone"}, on_line, on_reply,
                &a);
    RUN_UNTIL(&f->kube, a.count == 2);
    assert_string_equal(text_get(&a.text), "EXPIRED 410 [Expired] [old] -1 object");
    answer_release(&a);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    const struct kube_request request = {.method = "GET", .path = "/silence"};

    kube_cancel(NULL);
    kube_cancel(kube_send(f->kube.kube, &request, on_reply, &a));
    struct kube_call *under_way = kube_send(f->kube.kube, &request, on_reply, &a);
    kube_stream(f->kube.kube, &request, on_line, on_reply, &a); /* ended by kube_free */
    expect(f, "/ok", "OK ");
    kube_cancel(under_way);
    kube_send(f->kube.kube, &request, on_reply, &a);
    kube_free(f->kube.kube);
    f->kube.kube = NULL;
    assert_int_equal(a.count, 0);
}

/* ---- credentials ---- */

static void test_token_is_read_again(void **state)
{
    struct fixture *f = *state;
    struct answer many[20] = {{0}};

    expect(f, "/ok", "OK ");
    kube_fixture_write(&f->kube, "token", "second");
    expect(f, "/ok", "OK "); /* the server still takes the first */
    f->token = "second";
    for (size_t i = 0; i < COUNT(many); i++)
        kube_send(f->kube.kube, &(struct kube_request){.method = "GET", .path = "/ok"}, on_reply, &many[i]);
    for (size_t i = 0; i < COUNT(many); i++) {
        RUN_UNTIL(&f->kube, many[i].count);
        assert_string_equal(text_get(&many[i].text), "OK 200 [] [] -1 object");
        answer_release(&many[i]);
    }
    int refused = f->refused;
    expect(f, "/ok", "OK ");
    assert_int_equal(f->refused, refused);
    f->token = "third";
    expect(f, "/ok", "RETRY 401 [Unauthorized] [Unauthorized] -1");
    assert_int_equal(f->refused, refused + 2);
    kube_fixture_write(&f->kube, "token", ""); /* nobody is helped by an empty one */
    expect(f, "/ok", "RETRY 401 ");
    kube_fixture_write(&f->kube, "token", "third");
    expect(f, "/ok", "OK ");
}

static void test_token_file(void **state)
{
    struct fixture *f = *state;

    use_kubeconfig(f, "tokenFile: token");
    assert_string_equal(kube_namespace_get(f->kube.kube), "n");
    expect(f, "/ok", "OK ");
    f->token = "second";
    kube_fixture_write(&f->kube, "token", "second\n");
    expect(f, "/ok", "OK ");
}

#define PLUGIN                                                                                               \
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: ['%s'], "                  \
    "provideClusterInfo: true}"

/* Prints its argument as the token, once it has said on stderr that it runs; what it was asked is checked as well. */
static const char plugin[] =
    "#!/bin/sh\n"
    "echo noise >&2\n"
    "case $KUBERNETES_EXEC_INFO in "
    "*'\"cluster\":{\"server\":\"https://127.0.0.1:'*certificate-authority-data*) ;; *) exit 9;; esac\n"
    "echo x >>\"${0%/*}/count\"\n"
    "token=$1$(wc -l <\"${0%/*}/count\")\n"
    "echo "
    "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
    "v1\",\"status\":{\"token\":\"'$token'\"}}'\n";

static void test_plugin(void **state)
{
    struct fixture *f = *state;
    struct answer many[20] = {{0}};
    char *user = xasprintf(PLUGIN, "made");

    kube_fixture_write(&f->kube, "plugin", plugin);
    f->token = "made1";
    use_kubeconfig(f, user);
    for (size_t i = 0; i < COUNT(many); i++)
        kube_send(f->kube.kube, &(struct kube_request){.method = "GET", .path = "/ok"}, on_reply, &many[i]);
    for (size_t i = 0; i < COUNT(many); i++) {
        RUN_UNTIL(&f->kube, many[i].count);
        assert_string_equal(text_get(&many[i].text), "OK 200 [] [] -1 object");
        answer_release(&many[i]);
    }
    f->token = "made2"; /* what it made last is not good any more: it runs once more */
    expect(f, "/ok", "OK ");
    free(user);
}

static void test_faulty_plugins(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *script, *why;
    } rows[] = {
        {"#!/bin/sh\nexit 3\n", "RETRY 0 [NoAnswer] [exec plugin '"},
        {"#!/bin/sh\necho log in first\n", "RETRY 0 [NoAnswer] [what exec plugin '"},
        {"#!/nowhere\n", "RETRY 0 [NoAnswer] [exec plugin (its installHint says nothing): cannot run '"},
        {"#!/bin/sh\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
         "\"status\":{\"token\":\"x\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}}'\n",
         "RETRY 0 [NoAnswer] [exec plugin '"},
    };
    char *user = xasprintf(PLUGIN, "made");

    for (size_t i = 0; i < COUNT(rows); i++) {
        kube_fixture_write(&f->kube, "plugin", rows[i].script);
        use_kubeconfig(f, user);
        expect(f, "/ok", rows[i].why);
        expect(f, "/ok", rows[i].why); /* in the pause after the failure */
    }
    free(user);
}

static void test_no_access(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *file, *text, *why;
    } rows[] = {
        {"token", " \n", "/token: the file holds no token"},
        {"ca.crt", "no PEM", "/ca.crt: the file holds no certificate"},
    };
    struct err e;

    for (size_t i = 0; i < COUNT(rows); i++) {
        kube_fixture_write(&f->kube, "token", "first");
        kube_fixture_write(&f->kube, rows[i].file, rows[i].text);
        assert_null(kube_new(f->kube.reaper, &f->kube.options, &e));
        assert_non_null(strstr(e.msg, rows[i].why));
    }
    assert_null(kube_new(f->kube.reaper, &(struct access_options){.service_account_dir = "/nowhere"}, &e));
    assert_non_null(strstr(e.msg, "cannot read '/nowhere/namespace'"));
    unsetenv("KUBERNETES_SERVICE_HOST");
    setenv("KUBECONFIG", "/nowhere/config", 1);
    assert_null(kube_new(f->kube.reaper, &(struct access_options){0}, &e));
    assert_non_null(strstr(e.msg, "cannot read '/nowhere/config'"));
    unsetenv("KUBECONFIG");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        TEST(test_answers),
        TEST(test_where),
        TEST(test_streams),
        TEST(test_cancel),
        TEST(test_token_is_read_again),
        TEST(test_token_file),
        TEST(test_plugin),
        TEST(test_faulty_plugins),
        TEST(test_no_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
