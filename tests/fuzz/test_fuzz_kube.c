/* What reads the answers of a Kubernetes API server, kubeconfig files and credentials, on mutations of good input: see
 * support/fuzz.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "http/lines.h"
#include "http/retry_after.h"
#include "kube/account.h"
#include "kube/client.h"
#include "kube/exec_credential.h"
#include "kube/pod.h"
#include "kube/watch.h"
#include "support/fuzz.h"

#define NOW_AT   INT64_C(1445412480500)
#define LINE_MAX 400
#define API      "client.authentication.k8s.io/v1"

/* --- lines: cut wherever, they are what was fed, up to one that is too long */

static size_t take(struct lines *l, const char *bytes, size_t at)
{
    size_t len;

    for (const char *line; (line = lines_next(l, &len)); at += len + 1) {
        assert_true(len <= LINE_MAX);
        assert_memory_equal(line, bytes + at, len);
        assert_int_equal(bytes[at + len], '\n');
    }
    return at;
}

static void read_lines(const char *bytes, size_t n)
{
    struct lines l = {.max = LINE_MAX};
    size_t taken = 0, len;
    int status = 0;

    for (size_t at = 0, some; at < n && status == 0; at += some) {
        some = 1 + fuzz_below(n - at);
        status = lines_feed(&l, bytes + at, some);
        if (fuzz_below(2))
            taken = take(&l, bytes, taken);
    }
    taken = take(&l, bytes, taken);
    const char *rest = status ? NULL : lines_rest(&l, &len);
    if (rest)
        assert_memory_equal(rest, bytes + taken, len);
    if (!status)
        assert_int_equal(taken + (rest ? len : 0), n);
    lines_release(&l);
}

/* --- what is one text or one object */

static void read_retry_after(const char *bytes, size_t n)
{
    int64_t ms = retry_after_ms(bytes, NOW_AT);

    (void)n;
    assert_true(ms >= -1 && ms <= INT64_C(86400000));
}

static size_t length(const char *s)
{
    return strlen(s);
}

static void read_pod(const char *bytes, size_t n)
{
    struct err e = {0};
    cJSON *object = json_parse(bytes, n, 0, &e);
    struct pod p;

    pod_read(&p, object);
    assert_true(length(p.name) + length(p.uid) + length(p.job) + length(p.waiting) + length(p.message) <= n);
    assert_true(p.end <= POD_REJECTED && p.phase <= POD_OVER);
    (void)pod_is_live(&p);
    assert_true(length(pod_annotation_get(object, "a")) <= n);
    cJSON_Delete(object);
}

static void read_credential(const char *bytes, size_t n)
{
    struct exec_credential c;
    struct err e = {0};

    if (exec_credential_parse(&c, bytes, n, API, &e) < 0)
        return;
    assert_true((c.token || c.certificate) && !c.certificate == !c.key);
    exec_credential_release(&c);
}

/* The file is in memory. */
static void read_kubeconfig(const char *bytes, size_t n)
{
    int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
    char path[32];
    struct account a;
    struct err e = {0};

    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (account_of_kubeconfig(&a, path, NULL, &e) == 0) {
        assert_non_null(a.server);
        account_release(&a);
    } else {
        assert_string_not_equal(e.msg, "");
    }
    close(fd);
}

/* --- watch: the first line answers its list, the others are its stream. The client is the one below. */

struct kube {
    struct event_base *base;
    struct kube_call *call;
};

struct kube_call {
    struct kube *kube;
    kube_reply_fn *on_reply;
    kube_line_fn *on_line; /* NULL: no stream */
    void *arg;
};

struct event_base *kube_base_get(const struct kube *k)
{
    return k->base;
}

struct kube_call *kube_stream(struct kube *k, const struct kube_request *request, kube_line_fn *on_line,
                              kube_reply_fn *on_end, void *arg)
{
    (void)request;
    assert_null(k->call);
    k->call = xcalloc(1, sizeof *k->call);
    *k->call = (struct kube_call){k, on_end, on_line, arg};
    return k->call;
}

struct kube_call *kube_send(struct kube *k, const struct kube_request *request, kube_reply_fn *on_reply,
                            void *arg)
{
    return kube_stream(k, request, NULL, on_reply, arg);
}

void kube_cancel(struct kube_call *call)
{
    if (call)
        call->kube->call = NULL;
    free(call);
}

static void answer(struct kube *k, const cJSON *object)
{
    struct kube_call call = *k->call;

    kube_cancel(k->call);
    call.on_reply(call.arg, &(struct kube_reply){.reason = "", .message = "", .text = "", .object = object});
}

/* An object is told as added first, as deleted last. */
static void on_object(void *arg, enum watch_change change, const cJSON *object)
{
    int *objects = arg;

    *objects += change == WATCH_ADDED ? 1 : change == WATCH_DELETED ? -1 : 0;
    assert_true(*objects >= (change == WATCH_DELETED ? 0 : 1));
    pod_read(&(struct pod){0}, object);
}

static void read_watch(const char *bytes, size_t n)
{
    struct kube k = {.base = event_base_new()};
    int objects = 0;
    struct watch *w = watch_new(&k, &(struct watch_options){.path = "/pods"},
                                &(struct watch_events){.on_object = on_object, .arg = &objects});
    struct lines l = {.max = n};
    struct err e;
    size_t len;

    assert_int_equal(lines_feed(&l, bytes, n), 0);
    for (const char *line; (line = lines_next(&l, &len));) {
        if (!k.call)
            event_base_loop(k.base, EVLOOP_NONBLOCK);
        if (!k.call) /* it backs off */
            break;
        if (k.call->on_line) {
            k.call->on_line(k.call->arg, line, len);
        } else {
            cJSON *object = json_parse(line, len, 0, &e);
            answer(&k, object);
            cJSON_Delete(object);
        }
    }
    if (k.call)
        answer(&k, NULL);
    assert_true(objects >= 0);
    lines_release(&l);
    watch_free(w);
    event_base_free(k.base);
}

/* --- the inputs */

static void lines(void **state)
{
    static const struct fuzz_target t = {
        read_lines, {"one\n\n{\"type\":\"ADDED\"}\r\nlast", "\n\n\n", "a line, and no more", "1\n22\n333\n"}};

    (void)state;
    fuzz(&t);
}

static void retry_after(void **state)
{
    static const struct fuzz_target t = {
        read_retry_after, {"120", "86401", "Wed, 21 Oct 2015 07:28:10 GMT", "Thu, 31 Dec 2099 23:59:60 GMT"}};

    (void)state;
    fuzz(&t);
}

static void pods(void **state)
{
    static const struct fuzz_target t = {
        read_pod,
        {"{\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"labels\":{\"job-name\":\"j\"},\"annotations\":{\"a\":"
         "\"b\"}},\"status\":{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":"
         "\"False\",\"reason\":\"Unschedulable\",\"message\":\"0/3 nodes\"}]}}",
         "{\"metadata\":{\"name\":\"p\",\"deletionTimestamp\":\"2026-11-24T05:00:00Z\"},\"status\":{"
         "\"phase\":"
         "\"Failed\",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":"
         "\"DeletionByTaintManager\"}],\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":143,"
         "\"reason\":\"Error\",\"message\":\"last words\"}}}]}}",
         "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"running\":{}}}]}}",
         "{\"status\":{\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}}"}};

    (void)state;
    fuzz(&t);
}

static void credentials(void **state)
{
    static const struct fuzz_target t = {
        read_credential,
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API "\",\"status\":{\"token\":\"abc\","
         "\"expirationTimestamp\":\"2026-11-24T05:00:00.25+01:00\"}}",
         "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API
         "\",\"status\":{\"clientCertificateData\":\"C\","
         "\"clientKeyData\":\"K\",\"expirationTimestamp\":null},\"spec\":{}}"}};

    (void)state;
    fuzz(&t);
}

#define CONFIG                                                                                               \
    "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context: {cluster: c, " \
    "user: u, namespace: n}\nclusters:\n- name: c\n  cluster:\n    server: https://[::1]:6443\n"

static void kubeconfigs(void **state)
{
    static const struct fuzz_target t = {
        read_kubeconfig,
        {CONFIG "    certificate-authority-data: Y2E=\nusers:\n- name: u\n  user: {token: \"a b\"}\n",
         CONFIG
         "    insecure-skip-tls-verify: true\nusers:\n- name: u\n  user:\n    exec:\n      apiVersion: " API
         "\n      command: ./login\n      args: [\"--it\"]\n      env:\n      - {name: A, value: b}\n"
         "      interactiveMode: Never\n",
         CONFIG
         "    certificate-authority: ca.pem\nusers:\n- name: u\n  user: &u\n    client-certificate: c.pem\n"
         "    client-key-data: >-\n      a2V5\n- {name: v, user: *u}\n",
         "{\"current-context\": \"a\", \"contexts\": [{\"name\": \"a\", \"context\": {\"cluster\": \"c\"}}], "
         "\"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": \"http://h\"}}]}"}};

    (void)state;
    fuzz(&t);
}

#define OBJECT(name, uid, version)                                                                           \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"" uid                                \
    "\",\"resourceVersion\":\"" version "\"},\"status\":{\"phase\":\"Running\"}}"
#define LIST(version, rest, items)                                                                           \
    "{\"metadata\":{\"resourceVersion\":\"" version "\"" rest "},\"items\":[" items "]}\n"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

static void watches(void **state)
{
    static const struct fuzz_target t = {
        read_watch,
        {LIST("1", "", OBJECT("a", "1", "1")) EVENT("ADDED", OBJECT("b", "2", "2"))
             EVENT("MODIFIED", OBJECT("a", "3", "3")) EVENT("DELETED", OBJECT("a", "3", "4"))
                 EVENT("BOOKMARK", OBJECT("", "", "5")),
         LIST("1", ",\"continue\":\"x\"", OBJECT("a", "1", "1"))
             LIST("2", "", OBJECT("b", "2", "1") "," OBJECT("a", "1", "2"))
                 EVENT("ERROR", "{\"code\":410,\"reason\":\"Expired\"}") LIST("9", "", OBJECT("b", "2", "8")),
         LIST("1", "", "") EVENT("ERROR", "{\"code\":500,\"message\":\"no\"}")}};

    (void)state;
    fuzz(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),       cmocka_unit_test(retry_after), cmocka_unit_test(pods),
        cmocka_unit_test(credentials), cmocka_unit_test(kubeconfigs), cmocka_unit_test(watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
