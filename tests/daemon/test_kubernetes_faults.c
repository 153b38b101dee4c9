/* Whole runs on a cluster whose server answers badly, late or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/kube_fake.h"
#include "support/kube_fleet.h"

#define JOBS "/apis/batch/v1/namespaces/default/jobs"

/* The requests are answered 500 before or after they were carried out, or not at all. */
static void unknown_outcomes_launch_once(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fake_do(&kube_fleet_server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'reset-after'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'500'}]");
    fleet_start(f, "dequeuer");
    for (int i = 0; i < 3; i++)
        kube_fleet_submit(f, "echo ran >>record");
    for (size_t i = 0; i < f->nids; i++)
        assert_string_equal(fleet_outcome(f, f->ids[i]), "Success");
    assert_int_equal(fleet_lines(f, "record"), 3);
    assert_int_equal(fake_number(&kube_fleet_server, "faults"), 0);
}

/* What the server puts off or has no quota for is asked again. */
static void requests_that_are_put_off_come_through(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fake_do(&kube_fleet_server, 200, "POST", "/-/faults",
            "[{'match':{'method':'POST','path':'" JOBS "'},'do':'429-text'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'quota-403'},"
            "{'match':{'method':'POST','path':'" JOBS "'},'do':'503'}]");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");

    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
    assert_int_equal(fake_number(&kube_fleet_server, "faults"), 0);
}

/* Nobody has an answer to the request whose Job is there: it starts the run, or a later launch does. */
static void dequeuer_killed_before_the_answer(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "rivers:1", "");
    fake_do(&kube_fleet_server, 200, "POST", "/-/faults",
            "{'match':{'method':'POST','path':'/jobs'},'do':'hang-after'}");
    pid_t dequeuer = fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    WAIT_UNTIL(f, fake_jobs(&kube_fleet_server) == 1);
    kill(dequeuer, SIGKILL);
    assert_int_equal(fleet_wait_exit(dequeuer), 128 + SIGKILL);
    fleet_start(f, "dequeuer");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
    WAIT_UNTIL(f, fake_unfinished(&kube_fleet_server) == 0);
}

/* Of the pod of a run: the Job's next one runs it. */
static void lost_node_before_the_start(void **state)
{
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/nodelost:1", "");
    fleet_start(f, "dequeuer");
    const char *run = kube_fleet_submit(f, "echo ran >>record");
    assert_string_equal(fleet_outcome(f, run), "Success");
    assert_int_equal(fleet_lines(f, "record"), 1);
}

/* A kubeconfig that names files, which others write anew. */
static void use_files(struct fleet *f)
{
    const char *dir = kube_fleet_server.dir;
    char *config = xasprintf(
        "{\"current-context\": \"c\", \"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": \"%s\","
        "\"certificate-authority\": \"%s/ca.crt\"}}], \"users\": [{\"name\": \"u\", \"user\":"
        "{\"tokenFile\": \"%s/token\"}}], \"contexts\": [{\"name\": \"c\", \"context\":"
        "{\"cluster\": \"c\", \"user\": \"u\"}}]}",
        kube_fleet_server.url, dir, dir);
    char *path = xasprintf("%s/kubeconfig", f->server.dir);

    fleet_write(f, "kubeconfig", config);
    setenv("KUBECONFIG", path, 1);
    free(path);
    free(config);
}

/* What a pod waits for is known from a watch, which is begun anew after each change. */
static void credentials_that_change_are_followed(void **state)
{
    static const char *const changes[][2] = {
        {"/-/rotate-token", NULL}, {"/-/rotate-cert", NULL}, {"/-/rotate-cert", "{'ca':true}"}};
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/unschedulable:1", "");
    use_files(f);
    fleet_start(f, "dequeuer");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fake_do(&kube_fleet_server, 200, "POST", changes[i][0], changes[i][1]);
        fake_do(&kube_fleet_server, 200, "POST", "/-/cut-watches", NULL);
        const char *run = kube_fleet_submit(f, "true");
        WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
        free(fleet_call(f, NULL, "runs cancel %s", run));
        assert_string_equal(fleet_outcome(f, run), "Canceled");
    }
}

/* The list after an expired watch tells what happened in between. */
static void what_happens_between_two_watches_is_seen(void **state)
{
    static const char *const ways[] = {"/-/cut-watches", "/-/expire-watches"};
    struct fleet *f = *state;

    kube_fleet_use(f, "fault/unschedulable:1", "");
    fleet_start(f, "dequeuer");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *run = kube_fleet_submit(f, "true");
        WAIT_UNTIL(f, strstr(lua_cmd(&f->lua, "HGET @run:%s waiting_for", run), "Unschedulable"));
        char *job = xasprintf("jobs/%s-1", run), *path = fake_path(&kube_fleet_server, job);
        fake_do(&kube_fleet_server, 200, "POST", ways[i], NULL);
        fake_do(&kube_fleet_server, 200, "DELETE", path, "{'propagationPolicy':'Background'}");
        assert_string_equal(fleet_outcome(f, run), "Failure launch failed: its Job was deleted");
        free(path);
        free(job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KUBE_TEST(unknown_outcomes_launch_once),         KUBE_TEST(requests_that_are_put_off_come_through),
        KUBE_TEST(dequeuer_killed_before_the_answer),    KUBE_TEST(lost_node_before_the_start),
        KUBE_TEST(credentials_that_change_are_followed), KUBE_TEST(what_happens_between_two_watches_is_seen),
    };

    kube_fleet_path();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
