/* What the fake API server answers to clients: creating, listing, watching, deleting, and who may do it. Exchanges with a
 * real one are replayed in test_fake_replay.c; here is what they do not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/kube_fake.h"
#include "support/kube_json.h"

#define JOBS "/apis/batch/v1/namespaces/default/jobs"
#define PODS "/api/v1/namespaces/default/pods"
#define SOON 30000 /* ms: the deadline for what a watch is to bring */
#define NAMED(name, spec)                                                                                    \
    "{'metadata':{'name':'" name                                                                             \
    "'},'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c',"                      \
    "'image':'x'" spec "}]}}}}"

static struct kube_server server;

static int setup(void **state)
{
    static const char *const options[] = {"--namespace", "other", "--bookmark-ms", "50", NULL};

    (void)state;
    kube_server_start(&server, options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kube_server_stop(&server);
    return 0;
}

/* ---- create ---- */

static const struct {
    const char *body;
    int status;
    const char *reason, *message; /* which it holds */
} refused[] = {
    {NAMED("a", ",'imagee':'y'"), 422, "Invalid", "spec.template.spec.containers[0].imagee"},
    {NAMED("a", ",'env':[{'name':'1A','value':''}]"), 422, "Invalid",
     "spec.template.spec.containers[0].env[0].name"},
    {NAMED("a", ",'resources':{'requests':{'cpu':'2'},'limits':{'cpu':'1500m'}}"), 422, "Invalid",
     "must be less than or equal to cpu limit"},
    {NAMED("a", ",'resources':{'requests':{'cpu':'many'}}"), 422, "Invalid", "quantities must match"},
    {NAMED("a.", ""), 422, "Invalid", "metadata.name"},
    {"{'metadata':{},'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'"
     "x'}]}}}}",
     422, "Invalid", "name or generateName is required"},
    {"{'metadata':{'name':'a'},'spec':{'template':{'spec':{'containers':[{'name':'c','image':'x'}]}}}}", 422,
     "Invalid", "Unsupported value: \"Always\""},
    {"{'metadata':{'name':'a'},'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c'}"
     "]}}}}",
     422, "Invalid", "spec.template.spec.containers[0].image: Required value"},
    {"{'metadata':{'name':'a','labels':{'k':'no "
     "blanks'}},'spec':{'template':{'spec':{'restartPolicy':'Never',"
     "'containers':[{'name':'c','image':'x'}]}}}}",
     422, "Invalid", "metadata.labels"},
    {"{'metadata':{'name':'a'},'spec':{'parallelism':'1'}}", 400, "BadRequest",
     "spec.parallelism: must be integer"},
    {"not json", 400, "BadRequest", "json"},
};

static void what_is_wrong_with_a_job_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        cJSON *answer = fake_ask(&server, refused[i].status, "POST", JOBS, refused[i].body);
        assert_string_equal(kube_text_at(answer, "reason"), refused[i].reason);
        if (!strstr(kube_text_at(answer, "message"), refused[i].message))
            fail_msg("%s: %s", refused[i].body, kube_text_at(answer, "message"));
        cJSON_Delete(answer);
    }
    assert_int_equal(fake_number(&server, "counters.create jobs"), sizeof refused / sizeof *refused);
}

/* ---- list ---- */

static void create_three(void)
{
    fake_do(&server, 201, "POST", JOBS, NAMED("a", ""));
    fake_do(&server, 201, "POST", JOBS, NAMED("b", ""));
    fake_do(&server, 201, "POST", "/apis/batch/v1/namespaces/other/jobs", NAMED("c", ""));
}

static void list_is(const char *path, const char *want)
{
    cJSON *list = fake_ask(&server, 200, "GET", path, NULL);
    struct text names = {0};

    for (const cJSON *i = kube_first(kube_at(list, "items")); i; i = i->next)
        text_addf(&names, "%s ", kube_text_at(i, "metadata.name"));

    if (strcmp(text_get(&names), want) != 0)
        fail_msg("%s: `%s`, wanted `%s`", path, text_get(&names), want);
    text_release(&names);
    cJSON_Delete(list);
}

static void a_list_is_cut_by_namespace_and_selector(void **state)
{
    (void)state;
    create_three();
    fake_do(&server, 200, "PATCH", JOBS "/b", "{'metadata':{'labels':{'team':'x','tier':'1'}}}");
    list_is(JOBS, "a b ");
    list_is("/apis/batch/v1/jobs", "a b c ");
    list_is(JOBS "?labelSelector=team%3Dx", "b ");
    list_is(JOBS "?labelSelector=team", "b ");
    list_is(JOBS "?labelSelector=!team", "a ");
    list_is(JOBS "?labelSelector=team!%3Dx", "a ");
    list_is(JOBS "?labelSelector=team%20in%20(y,x),tier%3D%3D1", "b ");
    list_is(JOBS "?labelSelector=team%20notin%20(x)", "a ");
    list_is(JOBS "?labelSelector=team%3Dx,tier%3D2", "");
    list_is(JOBS "?fieldSelector=metadata.name%3Da", "a ");
}

static void a_long_list_comes_in_pages(void **state)
{
    (void)state;
    create_three();
    cJSON *page = fake_ask(&server, 200, "GET", "/apis/batch/v1/jobs?limit=2", NULL);
    assert_int_equal(cJSON_GetArraySize(kube_at(page, "items")), 2);
    assert_int_equal(kube_whole_at(page, "metadata.remainingItemCount", 0), 1);
    char *path =
        xasprintf("/apis/batch/v1/jobs?limit=2&continue=%s", kube_text_at(page, "metadata.continue"));
    list_is(path, "c ");
    fake_do(&server, 201, "POST", JOBS, NAMED("d", ""));
    fake_do(&server, 200, "POST", "/-/expire-watches", NULL);
    cJSON *late = fake_ask(&server, 410, "GET", path, NULL);
    assert_string_equal(kube_text_at(late, "reason"), "Expired");
    cJSON_Delete(late);
    cJSON_Delete(page);
    free(path);
}

/* ---- watch ---- */

static struct kube_stream *watch(const char *path)
{
    struct kube_stream *s =
        kube_stream_open(server.dir, &(struct kube_request){.method = "GET", .path = path});

    assert_non_null(s);
    return s;
}

/* The next line: "ADDED a"; an error is "ERROR 410". */
static void next_is(struct kube_stream *s, const char *want)
{
    cJSON *line = kube_stream_next(s, SOON);
    const char *name = kube_text_at(line, "object.metadata.name");
    char have[128];

    if (name)
        snprintf(have, sizeof have, "%s %s", kube_text_at(line, "type"), name);
    else
        snprintf(have, sizeof have, "%s %d", line ? kube_text_at(line, "type") : "END",
                 (int)kube_whole_at(line, "object.code", 0));
    assert_string_equal(have, want);
    cJSON_Delete(line);
}

static void next_bookmark(struct kube_stream *s)
{
    cJSON *line = kube_stream_next(s, SOON);

    assert_string_equal(kube_text_at(line, "type"), "BOOKMARK");
    assert_string_equal(kube_text_at(line, "object.kind"), "Job");
    assert_non_null(kube_text_at(line, "object.metadata.resourceVersion"));
    cJSON_Delete(line);
}

static void a_watch_goes_on_from_a_version(void **state)
{
    (void)state;
    cJSON *list = fake_ask(&server, 200, "GET", JOBS, NULL);
    char *path =
        xasprintf(JOBS "?watch=1&resourceVersion=%s", kube_text_at(list, "metadata.resourceVersion"));
    create_three();
    struct kube_stream *s = watch(path);
    next_is(s, "ADDED a");
    next_is(s, "MODIFIED a"); /* it has a pod */
    next_is(s, "ADDED b");
    next_is(s, "MODIFIED b");
    fake_do(&server, 200, "DELETE", JOBS "/a?propagationPolicy=Background", NULL);
    next_is(s, "DELETED a");
    kube_stream_close(s);
    cJSON_Delete(list);
    free(path);
}

static void a_watch_from_nothing_begins_with_what_is_there(void **state)
{
    (void)state;
    create_three();
    fake_until(&server, "jobs/b", "status.active", "1");
    struct kube_stream *s = watch(JOBS "?watch=true&fieldSelector=metadata.name%3Db");
    next_is(s, "ADDED b");
    fake_do(&server, 200, "PATCH", JOBS "/a", "{'metadata':{'labels':{'x':'1'}}}");
    fake_do(&server, 200, "PATCH", JOBS "/b", "{'metadata':{'labels':{'x':'1'}}}");
    next_is(s, "MODIFIED b");
    kube_stream_close(s);
}

static void a_watch_sends_bookmarks_and_ends_in_time(void **state)
{
    (void)state;
    struct kube_stream *s = watch(JOBS "?watch=1&allowWatchBookmarks=true&timeoutSeconds=1");
    next_bookmark(s);
    next_bookmark(s);
    kube_stream_close(s);
    s = watch(JOBS "?watch=1&timeoutSeconds=1");
    next_is(s, "END 0");
    kube_stream_close(s);
    assert_int_equal(fake_number(&server, "counters.watch jobs"), 2);
}

static void a_watch_from_a_forgotten_version_is_told_so(void **state)
{
    (void)state;
    create_three();
    struct kube_stream *open = watch(PODS "?watch=1&resourceVersion=100000");
    fake_do(&server, 200, "POST", "/-/expire-watches", NULL);
    next_is(open, "ERROR 410");
    next_is(open, "END 0");
    kube_stream_close(open);
    struct kube_stream *late = watch(JOBS "?watch=1&resourceVersion=101");
    next_is(late, "ERROR 410");
    next_is(late, "END 0");
    kube_stream_close(late);
}

static void watches_can_be_cut(void **state)
{
    (void)state;
    struct kube_stream *s = watch(JOBS "?watch=1");
    assert_int_equal(fake_number(&server, "watches"), 1);
    fake_do(&server, 200, "POST", "/-/cut-watches", NULL);
    next_is(s, "END 0");
    kube_stream_close(s);
    assert_int_equal(fake_number(&server, "watches"), 0);
}

/* ---- delete ---- */

static void a_job_without_a_policy_leaves_its_pod(void **state)
{
    (void)state;
    create_three();
    fake_pod_until(&server, "a", "status.phase", "Pending");
    fake_do(&server, 200, "DELETE", JOBS "/a", NULL);
    fake_until_gone(&server, "jobs/a");
    fake_pod_is(&server, "a", "metadata.ownerReferences", "");
}

static void background_takes_the_pod_along(void **state)
{
    (void)state;
    create_three();
    fake_pod_until(&server, "a", "status.phase", "Pending");
    char *pod = fake_pod(&server, "a");
    fake_do(&server, 200, "DELETE", JOBS "/a", "{'propagationPolicy':'Background'}");
    fake_until_gone(&server, pod);
    free(pod);
}

static void foreground_keeps_the_job_until_its_pod_is_gone(void **state)
{
    (void)state;
    create_three();
    fake_pod_until(&server, "a", "status.phase", "Pending");
    char *pod = fake_pod(&server, "a"), *path = fake_path(&server, pod);
    fake_do(&server, 200, "PATCH", path, "{'spec':{'nodeName':'n'}}"); /* so it goes with a grace */
    cJSON *job = fake_ask(&server, 200, "DELETE", JOBS "/a?propagationPolicy=Foreground", NULL);
    assert_non_null(kube_text_at(job, "metadata.deletionTimestamp"));
    assert_string_equal(kube_text_at(job, "kind"), "Job");
    fake_is(&server, pod, "metadata.deletionGracePeriodSeconds", "30");
    fake_is(&server, "jobs/a", "metadata.finalizers.0", "foregroundDeletion");
    fake_do(&server, 200, "DELETE", path, "{'gracePeriodSeconds':0}");
    fake_until_gone(&server, "jobs/a");
    cJSON_Delete(job);
    free(path);
    free(pod);
}

/* ---- the Job controller, without a node ---- */

static void a_deleted_pod_is_replaced_whatever_the_backoff_limit(void **state)
{
    (void)state;
    fake_job(&server, "r", "'command':['x']");
    fake_pod_until(&server, "r", "status.phase", "Pending");
    char *first = fake_pod(&server, "r"), *path = fake_path(&server, first);
    fake_do(&server, 200, "DELETE", path, NULL);
    fake_pod_until(&server, "r", "status.phase", "Pending");
    char *second = fake_pod(&server, "r");
    assert_string_not_equal(first, second);
    fake_is(&server, "jobs/r", "status.failed", "");
    free(second);
    free(path);
    free(first);
}

static void a_finished_job_goes_when_its_time_to_live_is_over(void **state)
{
    (void)state;
    fake_do(&server, 201, "POST", JOBS,
            "{'metadata':{'name':'t'},'spec':{'ttlSecondsAfterFinished':0,'activeDeadlineSeconds':0,'"
            "template':{'spec':"
            "{'restartPolicy':'Never','containers':[{'name':'c','image':'x'}]}}}}");
    fake_until_gone(&server, "jobs/t");
    assert_int_equal(fake_pods(&server, "t"), 0);
}

/* ---- who may ---- */

static int status_of(const struct kube_request *q)
{
    struct kube_response r = kube_ask(server.dir, q);
    int status = r.status;

    kube_response_release(&r);
    return status;
}

static void a_client_certificate_is_as_good_as_a_token(void **state)
{
    (void)state;
    assert_int_equal(status_of(&(struct kube_request){.method = "GET", .path = JOBS, .certificate = true}),
                     200);
    assert_int_equal(status_of(&(struct kube_request){.method = "GET", .path = JOBS, .token = KUBE_NO_TOKEN}),
                     403);
    assert_int_equal(status_of(&(struct kube_request){.method = "GET", .path = JOBS, .token = "old"}), 401);
}

static void a_rotated_token_replaces_the_old_one(void **state)
{
    (void)state;
    cJSON *first = fake_ask(&server, 200, "POST", "/-/rotate-token", NULL);
    fake_do(&server, 200, "GET", JOBS, NULL); /* reads the file */
    cJSON *second = fake_ask(&server, 200, "POST", "/-/rotate-token", NULL);
    assert_int_equal(status_of(&(struct kube_request){
                         .method = "GET", .path = JOBS, .token = kube_text_at(first, "token")}),
                     401);
    assert_int_equal(status_of(&(struct kube_request){
                         .method = "GET", .path = JOBS, .token = kube_text_at(second, "token")}),
                     200);
    cJSON_Delete(first);
    cJSON_Delete(second);
}

static void a_rotated_ca_is_in_the_file(void **state)
{
    (void)state;
    fake_do(&server, 200, "POST", "/-/rotate-cert", NULL);
    fake_do(&server, 200, "GET", JOBS, NULL);
    fake_do(&server, 200, "POST", "/-/rotate-cert", "{'ca':true}");
    fake_do(&server, 200, "GET", JOBS, NULL);
    assert_int_equal(status_of(&(struct kube_request){.method = "GET", .path = JOBS, .certificate = true}),
                     200);
}

static bool allowed(const char *verb, const char *resource, const char *sub)
{
    char *body = xasprintf("{'spec':{'resourceAttributes':{'verb':'%s','resource':'%s','subresource':'%s'}}}",
                           verb, resource, sub);
    cJSON *answer =
        fake_ask(&server, 201, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body);
    bool yes = kube_true_at(answer, "status.allowed");

    cJSON_Delete(answer);
    free(body);
    return yes;
}

static void what_is_denied_is_denied_in_reviews_too(void **state)
{
    (void)state;
    assert_true(allowed("get", "pods", "log"));
    fake_do(&server, 200, "POST", "/-/deny", "{'verb':'get','resource':'pods/log'}");
    fake_do(&server, 200, "POST", "/-/deny", "{'verb':'list','resource':'jobs'}");
    assert_false(allowed("get", "pods", "log"));
    assert_true(allowed("get", "pods", ""));
    cJSON *answer = fake_ask(&server, 403, "GET", JOBS, NULL);
    assert_string_equal(
        kube_text_at(answer, "message"),
        "jobs.batch is forbidden: User \"system:serviceaccount:default:rivers\" cannot list resource "
        "\"jobs\" in API group \"batch\" in the namespace \"default\"");
    cJSON_Delete(answer);
    fake_do(&server, 200, "POST", "/-/deny", "{'verb':'list','resource':'jobs','deny':false}");
    fake_do(&server, 200, "GET", JOBS, NULL);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_is_wrong_with_a_job_is_named),
        EACH(a_list_is_cut_by_namespace_and_selector),
        EACH(a_long_list_comes_in_pages),
        EACH(a_watch_goes_on_from_a_version),
        EACH(a_watch_from_nothing_begins_with_what_is_there),
        EACH(a_watch_sends_bookmarks_and_ends_in_time),
        EACH(a_watch_from_a_forgotten_version_is_told_so),
        EACH(watches_can_be_cut),
        EACH(a_job_without_a_policy_leaves_its_pod),
        EACH(background_takes_the_pod_along),
        EACH(foreground_keeps_the_job_until_its_pod_is_gone),
        EACH(a_deleted_pod_is_replaced_whatever_the_backoff_limit),
        EACH(a_finished_job_goes_when_its_time_to_live_is_over),
        EACH(a_client_certificate_is_as_good_as_a_token),
        EACH(a_rotated_token_replaces_the_old_one),
        EACH(a_rotated_ca_is_in_the_file),
        EACH(what_is_denied_is_denied_in_reviews_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
