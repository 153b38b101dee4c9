#include "kube/watch.h"

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

/* Objects with a name, a uid and a version. */
#define OBJECT(name, uid, version)                                                                           \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"prod\",\"uid\":\"" uid                             \
    "\",\"resourceVersion\":\"" version "\",\"labels\":{\"l\":\"" name "\"}}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define LIST(version, next, items)                                                                           \
    "{\"kind\":\"JobList\",\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next           \
    "\"},\"items\":[" items "]}"
#define STATUS(code, reason)                                                                                 \
    "{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason "\",\"message\":\"m\"}"

enum manner {
    LISTED,  /* body is the whole answer */
    ENDED,   /* body is a stream that ends properly */
    CUT,     /* the connection ends behind it */
    HELD,    /* it goes on */
    REFUSED, /* body is the answer with status 410 */
    BROKEN,  /* the connection ends before an answer */
};

/* One exchange: what the request must have, and the answer. */
struct step {
    const char *expected;
    enum manner manner;
    const char *body;
};

struct fixture {
    struct kube_fixture kube;
    const struct step *steps;
    _Atomic size_t n;
    _Atomic size_t at;     /* the step of the next request */
    _Atomic bool one_byte; /* streams come byte by byte */
    char wrong[512];       /* the first request that was not the expected one */
    struct watch *watch;
    struct text seen; /* "+a1 ~a2 -a synced" */
};

/* ---- the server ---- */

static void stream(struct fixture *f, struct exchange *x, const char *body)
{
    exchange_print(x,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t n = strlen(body), piece; n; body += piece, n -= piece) {
        piece = f->one_byte ? 1 : n;
        exchange_print(x, "%zx\r\n%.*s\r\n", piece, (int)piece, body);
    }
}

static void answer(struct fixture *f, struct exchange *x, const struct step *s)
{
    switch (s->manner) {
    case LISTED:
        exchange_answer(x, "200 OK", "Content-Type: application/json\r\n", s->body);
        break;
    case REFUSED:
        exchange_answer(x, "410 Gone", "Content-Type: application/json\r\n", s->body);
        break;
    case BROKEN:
        exchange_close(x);
        break;
    case ENDED:
    case CUT:
    case HELD:
        stream(f, x, s->body);
        if (s->manner == ENDED)
            exchange_print(x, "0\r\n\r\n");
        if (s->manner == HELD)
            exchange_wait_over(x);
        exchange_close(x);
    }
}

static void serve(void *arg, struct exchange *x)
{
    struct fixture *f = arg;
    size_t at = f->at++;

    if (at >= f->n) {
        exchange_wait_over(x);
        return;
    }
    if (!exchange_has(x, f->steps[at].expected) && !*f->wrong)
        snprintf(f->wrong, sizeof f->wrong, "%zu: %.400s", at, x->head);
    answer(f, x, &f->steps[at]);
}

/* ---- the client ---- */

static const char *member(const cJSON *object, const char *key)
{
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(metadata, key));

    return s ? s : "";
}

static void on_object(void *arg, enum watch_change change, const cJSON *object)
{
    struct fixture *f = arg;

    text_addf(&f->seen, "%c%s/%s@%s ", "+~-"[change], member(object, "name"), member(object, "uid"),
              member(object, "resourceVersion"));
}

static void on_synced(void *arg)
{
    struct fixture *f = arg;

    text_add(&f->seen, "synced ");
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    kube_fixture_init(&f->kube, serve, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    watch_free(f->watch);
    kube_fixture_release(&f->kube);
    text_release(&f->seen);
    free(f);
    return 0;
}

static void start_with(struct fixture *f, const struct step *steps, size_t n, int64_t resync_ms,
                       int64_t quiet_ms)
{
    watch_free(f->watch);
    text_clear(&f->seen);
    f->steps = steps;
    f->n = n;
    f->at = 0;
    f->watch = watch_new(f->kube.kube,
                         &(struct watch_options){.path = "/apis/batch/v1/namespaces/prod/jobs",
                                                 .label_selector = "rivers.dev/installation=a b",
                                                 .resync_ms = resync_ms,
                                                 .quiet_ms = quiet_ms,
                                                 .page_size = 2},
                         &(struct watch_events){.on_object = on_object, .on_synced = on_synced, .arg = f});
    assert_string_equal(text_get(&f->seen), "");
}

static void start(struct fixture *f, const struct step *steps, size_t n, int64_t resync_ms)
{
    start_with(f, steps, n, resync_ms, 0);
}

/* Plays the steps, the last of which is held, and compares all that was seen. */
static void expect(struct fixture *f, const struct step *steps, size_t n, const char *seen)
{
    start(f, steps, n, 0);
    RUN_UNTIL(&f->kube, f->at >= n && f->seen.len >= strlen(seen));
    assert_string_equal(text_get(&f->seen), seen);
    assert_string_equal(f->wrong, "");
}

#define GET_LIST                                                                                             \
    "GET /apis/batch/v1/namespaces/prod/jobs?limit=2&labelSelector=rivers.dev%2Finstallation%3Da%20b "       \
    "HTTP/1.1"
#define GET_PAGE "&continue=page%2F2 HTTP/1.1"
#define FROM(v)                                                                                              \
    "jobs?watch=1&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=" v "&labelSelector="
#define A1 OBJECT("a", "ua", "1")
#define B2 OBJECT("b", "ub", "2")

static void test_pages_then_events(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "page/2", A1 "," B2)},
        {GET_PAGE, LISTED, LIST("5", "", OBJECT("c", "uc", "3"))},
        {FROM("5"), HELD,
         EVENT("ADDED", OBJECT("d", "ud", "6")) EVENT("MODIFIED", OBJECT("a", "ua", "7"))
             EVENT("DELETED", OBJECT("b", "ub", "8"))},
    };
    static const char seen[] = "+a/ua@1 +b/ub@2 +c/uc@3 synced +d/ud@6 ~a/ua@7 -b/ub@8 ";

    expect(f, steps, COUNT(steps), seen);
    f->one_byte = true;
    expect(f, steps, COUNT(steps), seen);
    assert_string_equal(watch_why_get(f->watch), "");
}

/* A bookmark moves the version on; so do events; whatever ends the watch. */
static void test_resumes(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "", A1)},
        {FROM("5"), ENDED, EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"9\"}}")},
        {FROM("9"), CUT, EVENT("MODIFIED", OBJECT("a", "ua", "12")) "{\"type\":\"DELET"},
        {FROM("12"), BROKEN, ""},
        {FROM("12"), ENDED, ""},
        {FROM("12"), HELD, EVENT("DELETED", OBJECT("a", "ua", "13"))},
    };

    expect(f, steps, COUNT(steps), "+a/ua@1 synced ~a/ua@12 -a/ua@13 ");
}

/* What a new list lacks is gone, and what has another uid is another object. */
static void test_relist(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "", A1 "," B2)},
        {FROM("5"), ENDED, EVENT("ERROR", STATUS("410", "Expired"))},
        {GET_LIST, LISTED, LIST("20", "", OBJECT("b", "ub2", "18"))},
        {FROM("20"), REFUSED, STATUS("410", "Expired")},
        {GET_LIST, LISTED, LIST("30", "", OBJECT("b", "ub2", "18"))},
        {FROM("30"), HELD, ""},
    };

    expect(f, steps, COUNT(steps), "+a/ua@1 +b/ub@2 synced -b/ub@ +b/ub2@18 -a/ua@ synced ~b/ub2@18 synced ");
}

/* The token of the second page expired: the list begins anew, and only a whole one says what is gone. */
static void test_list_expires(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "page/2", A1 "," B2)},
        {GET_PAGE, REFUSED, STATUS("410", "Expired")},
        {GET_LIST, LISTED, LIST("7", "", B2)},
        {FROM("7"), HELD, ""},
    };

    expect(f, steps, COUNT(steps), "+a/ua@1 +b/ub@2 ~b/ub@2 -a/ua@ synced ");
}

static void test_nonsense(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, BROKEN, ""},
        {GET_LIST, LISTED, "{\"kind\":\"JobList\"}"},
        {GET_LIST, LISTED, LIST("5", "", A1)},
        {FROM("5"), HELD, "this is no event\n"},
        {GET_LIST, LISTED, LIST("6", "", A1)},
        {FROM("6"), HELD, EVENT("SURPRISE", A1)},
        {GET_LIST, LISTED, LIST("7", "", "")},
        {FROM("7"), HELD, EVENT("ERROR", STATUS("500", "InternalError"))},
        {GET_LIST, LISTED, LIST("8", "", "")},
        {FROM("8"), HELD, ""},
    };

    expect(f, steps, COUNT(steps), "+a/ua@1 synced ~a/ua@1 synced -a/ua@ synced synced ");
}

/* An object that was never reported does not go away. */
static void test_unknown_deleted(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "", "")},
        {FROM("5"), HELD, EVENT("DELETED", A1) EVENT("ADDED", B2)},
    };

    expect(f, steps, COUNT(steps), "synced +b/ub@2 ");
}

/* It is due as soon as a list has ended: nothing is watched in between. */
static void test_resync(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "", A1)},
        {GET_LIST, LISTED, LIST("9", "", A1 "," B2)},
        {GET_LIST, LISTED, LIST("9", "", B2)},
    };
    static const char seen[] = "+a/ua@1 synced ~a/ua@1 +b/ub@2 synced ~b/ub@2 -a/ua@ synced ";

    start(f, steps, COUNT(steps), -1);
    RUN_UNTIL(&f->kube, f->seen.len >= strlen(seen));
    assert_string_equal(text_get(&f->seen), seen);
    assert_string_equal(f->wrong, "");
}

/* A watch that says nothing may be dead: another one goes on from where it was. */
static void test_quiet(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {
        {GET_LIST, LISTED, LIST("5", "", A1)},
        {FROM("5"), HELD, EVENT("ADDED", B2)},
        {FROM("2"), HELD, EVENT("DELETED", B2)},
    };
    static const char seen[] = "+a/ua@1 synced +b/ub@2 -b/ub@2 ";

    start_with(f, steps, COUNT(steps), 0, 500);
    RUN_UNTIL(&f->kube, f->seen.len >= strlen(seen));
    assert_string_equal(text_get(&f->seen), seen);
    assert_string_equal(f->wrong, "");
}

static void test_why(void **state)
{
    struct fixture *f = *state;
    static const struct step steps[] = {{GET_LIST, REFUSED, STATUS("410", "Expired")}};

    start(f, steps, COUNT(steps), 0);
    RUN_UNTIL(&f->kube, *watch_why_get(f->watch));
    assert_string_equal(watch_why_get(f->watch), "Expired: m");
}

/* Cut and changed bytes in lists and events: no crash, and it goes on afterwards. */
static void test_mutated(void **state)
{
    struct fixture *f = *state;
    static const char list[] = LIST("5", "", A1 "," B2);
    static const char events[] =
        EVENT("ADDED", OBJECT("d", "ud", "6")) EVENT("DELETED", OBJECT("b", "ub", "8"))
            EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"9\"}}")
                EVENT("ERROR", STATUS("410", "Expired"));
    unsigned seed = 7;

    for (int i = 0; i < 200; i++) {
        char *bodies[] = {xstrdup(list), xstrdup(events)};
        char *body = bodies[i % 2];
        size_t len = strlen(body);
        for (int changes = 1 + rand_r(&seed) % 3; changes; changes--)
            body[(size_t)rand_r(&seed) % len] = (char)(1 + rand_r(&seed) % 255);
        if (rand_r(&seed) % 4 == 0)
            body[(size_t)rand_r(&seed) % len] = '\0';
        const struct step steps[] = {{"jobs?limit", LISTED, bodies[0]}, {"", ENDED, bodies[1]}};
        start(f, steps, COUNT(steps), 0);
        RUN_UNTIL(&f->kube, f->at >= 2 || *watch_why_get(f->watch));
        kube_fixture_turn(&f->kube, INT64_MAX);
        watch_free(f->watch);
        f->watch = NULL;
        f->n = 0; /* a request that is on its way still gets no answer any more */
        RUN_UNTIL(&f->kube, web_server_is_idle(f->kube.server));
        free(bodies[0]);
        free(bodies[1]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pages_then_events),
        TEST(test_resumes),
        TEST(test_relist),
        TEST(test_list_expires),
        TEST(test_nonsense),
        TEST(test_unknown_deleted),
        TEST(test_resync),
        TEST(test_quiet),
        TEST(test_why),
        TEST(test_mutated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
