/* Scripted faults of the fake API server: what the client sees, and whether the thing was done all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/kube_fake.h"
#include "support/kube_json.h"

#define JOBS   "/apis/batch/v1/namespaces/default/jobs"
#define EVENTS "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dj"
#define JOB                                                                                                  \
    "{\"metadata\":{\"name\":\"j\"},\"spec\":{\"backoffLimit\":0,\"template\":{\"spec\":{\"restartPolicy\":" \
    "\"Never\","                                                                                             \
    "\"containers\":[{\"name\":\"c\",\"image\":\"x\",\"command\":[\"true\"]}]}}}}"

static struct kube_server server;

static int setup(void **state)
{
    static const char *const options[] = {"--node", NULL};

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

static void script(const char *what)
{
    char *rule = xasprintf("{'match':{'method':'POST','path':'/apis/batch'},'ms':5,'do':'%s'}", what);

    fake_do(&server, 200, "POST", "/-/faults", rule);
    free(rule);
}

static struct kube_response post(void)
{
    return kube_ask(server.dir, &(struct kube_request){.method = "POST", .path = JOBS, .body = JOB});
}

static const struct {
    const char *what;
    int status; /* 0: no whole answer */
    const char *reason, *header;
    int done;
} cases[] = {
    {"429-text", 429, NULL, "Retry-After: 1", 0},
    {"500", 500, "InternalError", NULL, 0},
    {"503", 503, "ServiceUnavailable", "Retry-After: 1", 0},
    {"504", 504, "Timeout", NULL, 0},
    {"401", 401, "Unauthorized", NULL, 0},
    {"403", 403, "Forbidden", NULL, 0},
    {"quota-403", 403, "Forbidden", NULL, 0},
    {"reset-before", 0, NULL, NULL, 0},
    {"reset-after", 0, NULL, NULL, 1},
    {"cut-body", 0, NULL, NULL, 1},
    {"slow-body", 201, NULL, "Transfer-Encoding: chunked", 1},
    {"delay", 201, NULL, NULL, 1},
};

static void check(size_t i)
{
    struct kube_response r = post();

    if (r.status != cases[i].status)
        fail_msg("%s: status %d", cases[i].what, r.status);
    if (cases[i].reason)
        assert_string_equal(kube_text_at(r.json, "reason"), cases[i].reason);
    if (cases[i].header && !strstr(r.head, cases[i].header))
        fail_msg("%s: %s", cases[i].what, r.head);
    kube_response_release(&r);
    r = kube_ask(server.dir, &(struct kube_request){.method = "GET", .path = JOBS "/j"});
    if (r.status != (cases[i].done ? 200 : 404))
        fail_msg("%s: then %d", cases[i].what, r.status);
    kube_response_release(&r);
}

static void a_fault_comes_once_and_does_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        script(cases[i].what);
        check(i);
        struct kube_response again = post();
        assert_int_equal(again.status, cases[i].done ? 409 : 201);
        kube_response_release(&again);
        fake_do(&server, 200, "DELETE", JOBS "/j?propagationPolicy=Background", NULL);
    }
    fake_do(&server, 400, "POST", "/-/faults", "{'do':'magic'}");
}

static void a_too_many_is_plain_text(void **state)
{
    (void)state;
    script("429-text");
    struct kube_response r = post();
    assert_null(r.json);
    assert_non_null(strstr(r.text, "Too many requests"));
    kube_response_release(&r);
}

static void rules_match_count_and_skip(void **state)
{
    static const int wanted[] = {404, 500, 500, 404};

    (void)state;
    fake_do(&server, 200, "POST", "/-/faults",
            "[{'match':{'method':'DELETE'},'do':'500'},"
            "{'match':{'method':'GET','path':'/apis/batch/v1/namespaces/default/jobs/"
            "x'},'skip':1,'times':2,'do':'500'}]");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        fake_do(&server, wanted[i], "GET", JOBS "/x", NULL);
    fake_do(&server, 500, "DELETE", JOBS "/x", NULL);
    fake_do(&server, 404, "DELETE", JOBS "/x", NULL);
}

static void what_hangs_is_not_answered_and_may_be_done(void **state)
{
    static const char *const what[] = {"hang", "hang-after"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        script(what[i]);
        struct kube_stream *s =
            kube_begin(server.dir, &(struct kube_request){.method = "POST", .path = JOBS, .body = JOB});
        for (int64_t end_at = clock_mono_ms() + 30000; fake_number(&server, "faults.0.times") == 1;)
            assert_true(clock_mono_ms() < end_at);
        fake_do(&server, i ? 200 : 404, "GET", JOBS "/j", NULL);
        assert_null(kube_stream_next(s, 50));
        kube_stream_close(s);
    }
}

static void a_watch_is_told_that_it_is_too_late(void **state)
{
    (void)state;
    fake_do(&server, 200, "POST", "/-/faults", "{'do':'watch-410'}");
    struct kube_stream *s =
        kube_stream_open(server.dir, &(struct kube_request){.method = "GET", .path = JOBS "?watch=1"});
    cJSON *line = kube_stream_next(s, 30000);
    assert_string_equal(kube_text_at(line, "type"), "ERROR");
    assert_string_equal(kube_text_at(line, "object.reason"), "Expired");
    cJSON_Delete(line);
    kube_stream_close(s);
}

static void a_job_starts_a_second_pod_when_told_to(void **state)
{
    (void)state;
    script("second-pod");
    struct kube_response r = post();
    kube_response_release(&r);
    fake_until(&server, "jobs/j", "status.conditions.0.type", "Complete");
    assert_int_equal(fake_pods(&server, "j"), 2);
    fake_is(&server, "jobs/j", "status.succeeded", "2");
}

static cJSON *events_of_j(void)
{
    int64_t end_at = clock_mono_ms() + 30000;
    cJSON *list;

    while (list = fake_ask(&server, 200, "GET", EVENTS, NULL), !kube_first(kube_at(list, "items"))) {
        assert_true(clock_mono_ms() < end_at);
        cJSON_Delete(list);
    }
    return list;
}

static void a_job_without_quota_waits_for_its_pod(void **state)
{
    (void)state;
    script("no-pod");
    struct kube_response r = post();
    kube_response_release(&r);
    cJSON *events = events_of_j();
    const cJSON *event = kube_first(kube_at(events, "items"));
    assert_int_equal(fake_pods(&server, "j"), 0);
    assert_string_equal(kube_text_at(event, "reason"), "FailedCreate");
    assert_non_null(strstr(kube_text_at(event, "message"), "exceeded quota"));
    cJSON_Delete(events);
    fake_do(&server, 200, "POST", "/-/unblock", NULL);
    fake_until(&server, "jobs/j", "status.succeeded", "1");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_fault_comes_once_and_does_what_it_says),
        EACH(a_too_many_is_plain_text),
        EACH(rules_match_count_and_skip),
        EACH(what_hangs_is_not_answered_and_may_be_done),
        EACH(a_watch_is_told_that_it_is_too_late),
        EACH(a_job_starts_a_second_pod_when_told_to),
        EACH(a_job_without_quota_waits_for_its_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
