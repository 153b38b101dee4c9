/* Exchanges with an API server, replayed against the fake one: what it answers must be what the other answered, but for
 * times, versions and random names. $RIVERS_KUBE_EXCHANGES names a file with recorded ones; without it the exchanges
 * beside this test are taken. Each is {"request": {"method", "path", "body", "headers": {"tok", "ct"}}, "response":
 * {"status", "body"}}. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "support/kube_fake.h"
#include "support/kube_json.h"

#define OWN          "tests/kube/exchanges.json"
#define DEADLINE_MS  60000 /* for what controllers do by themselves */
#define RENAMED_MAX  64
#define LONG_MESSAGE 400 /* lists the inside of the server's structures: the beginning is compared */
#define HEAD         48
#define UID_CHARS    36

static struct kube_server server;

/* What the recorded server called something, and what this one calls it. */
static struct renamed {
    char *theirs, *ours;
} renamed[RENAMED_MAX];
static int nrenamed;

static void rename_one(const char *theirs, const char *ours)
{
    if (!theirs || !ours || strcmp(theirs, ours) == 0 || nrenamed == RENAMED_MAX)
        return;
    renamed[nrenamed++] = (struct renamed){xstrdup(theirs), xstrdup(ours)};
}

static void rename_object(const cJSON *theirs, const cJSON *ours)
{
    rename_one(kube_text_at(theirs, "metadata.uid"), kube_text_at(ours, "metadata.uid"));
    rename_one(kube_text_at(theirs, "metadata.name"), kube_text_at(ours, "metadata.name"));
}

static void rename_all(const cJSON *theirs, const cJSON *ours)
{
    const cJSON *a = kube_first(kube_at(theirs, "items")), *b = kube_first(kube_at(ours, "items"));

    rename_object(theirs, ours);
    for (; a && b; a = a->next, b = b->next)
        rename_object(a, b);
}

/* Their text in our names; owned by the caller. */
static char *translate(const char *s)
{
    struct text t = {0};

    text_add(&t, "");
    while (*s) {
        int i = 0;
        while (i < nrenamed && strncmp(s, renamed[i].theirs, strlen(renamed[i].theirs)) != 0)
            i++;
        text_add_bytes(&t, i < nrenamed ? renamed[i].ours : s, i < nrenamed ? strlen(renamed[i].ours) : 1);
        s += i < nrenamed ? strlen(renamed[i].theirs) : 1;
    }
    return t.s;
}

static bool is_uid(const char *s)
{
    return strspn(s, "0123456789abcdef-") >= UID_CHARS && s[8] == '-' && s[13] == '-' && s[18] == '-' &&
           s[23] == '-';
}

static bool is_time(const char *s)
{
    return strlen(s) == 20 && s[4] == '-' && s[10] == 'T' && s[19] == 'Z';
}

/* `job-x7k2p`, `event.18eac09450084bc9`: how much of it is given. */
static size_t without_random(const char *s)
{
    size_t n = strlen(s);
    const char *dash = strrchr(s, '-'), *dot = strrchr(s, '.');

    if (dash && strlen(dash) == 6 && strspn(dash + 1, "bcdfghjklmnpqrstvwxz2456789") == 5)
        return (size_t)(dash - s);
    if (dot && strlen(dot) == 17 && strspn(dot + 1, "0123456789abcdef") == 16)
        return (size_t)(dot - s);
    return n;
}

/* What differs from one server to the next is masked. Owned by the caller. */
static char *mask(const char *s)
{
    struct text t = {0};

    text_add(&t, "");
    if (is_time(s))
        s = "<time>";
    for (size_t n = without_random(s), i = 0; i < n;) {
        bool uid = n - i >= UID_CHARS && is_uid(s + i);
        text_add_bytes(&t, uid ? "<uid>" : s + i, uid ? 5 : 1);
        i += uid ? UID_CHARS : 1;
    }
    return t.s;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as an object */
static void mask_all(cJSON *v)
{
    static const char *const own[] = {"managedFields", "resourceVersion",    "gitCommit",         "buildDate",
                                      "goVersion",     "storageVersionHash", "remainingItemCount"};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (cJSON_IsObject(v))
            cJSON_DeleteItemFromObjectCaseSensitive(v, own[i]);
    if (cJSON_IsString(v)) {
        char *masked = mask(v->valuestring);
        cJSON_SetValuestring(v, masked);
        free(masked);
    }
    for (cJSON *part = kube_first(v); part; part = part->next)
        mask_all(part);
}

/* A message that shows the inside of the server: only its beginning is compared, and the fields of its causes. */
static bool shows_inside(const char *message)
{
    return message && (strlen(message) > LONG_MESSAGE || strstr(message, "cannot be handled as a"));
}

static cJSON *fields_of(const cJSON *causes)
{
    cJSON *fields = cJSON_CreateObject();

    for (const cJSON *c = kube_first(causes); c; c = c->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(fields, kube_text_at(c, "field"));
        cJSON_AddItemToObject(fields, kube_text_at(c, "field"), cJSON_CreateTrue());
    }
    return fields;
}

static void keep_head(cJSON *status)
{
    cJSON *causes = kube_at(status, "details.causes");
    char *head = xasprintf("%.*s", HEAD, kube_text_at(status, "message"));

    kube_put_text(status, "message", head);
    if (causes)
        kube_put(status, "details.causes", fields_of(causes));
    free(head);
}

/* Both masked; owned by the caller. */
struct answers {
    cJSON *theirs, *ours;
};

static struct answers answers_of(const cJSON *theirs, const cJSON *ours)
{
    struct answers a = {cJSON_Duplicate(theirs, 1), ours ? cJSON_Duplicate(ours, 1) : cJSON_CreateNull()};

    if (shows_inside(kube_text_at(theirs, "message")) && kube_text_at(ours, "message")) {
        keep_head(a.theirs);
        keep_head(a.ours);
    }
    mask_all(a.theirs);
    mask_all(a.ours);
    return a;
}

static bool same(const struct kube_response *ours, const cJSON *response)
{
    struct answers a = answers_of(kube_at(response, "body"), ours->json);
    bool yes = ours->status == kube_whole_at(response, "status", 0) && cJSON_Compare(a.theirs, a.ours, 1);

    cJSON_Delete(a.theirs);
    cJSON_Delete(a.ours);
    return yes;
}

static void show(int number, const cJSON *request, const struct kube_response *ours, const cJSON *response)
{
    struct answers a = answers_of(kube_at(response, "body"), ours->json);
    char *theirs_text = cJSON_PrintUnformatted(a.theirs), *ours_text = cJSON_PrintUnformatted(a.ours);

    print_error("exchange %d: %s %s\nwanted %d %s\nis     %d %s\n", number, kube_text_at(request, "method"),
                kube_text_at(request, "path"), (int)kube_whole_at(response, "status", 0), theirs_text,
                ours->status, ours_text);
    free(theirs_text);
    free(ours_text);
    cJSON_Delete(a.theirs);
    cJSON_Delete(a.ours);
}

static struct kube_response send(const cJSON *request)
{
    const cJSON *body = kube_at(request, "body");
    const char *token = kube_text_at(request, "headers.tok");
    char *text = cJSON_IsObject(body) ? cJSON_PrintUnformatted(body) : NULL;
    char *path = translate(kube_text_at(request, "path")), *translated = text ? translate(text) : NULL;
    struct kube_response r = kube_ask(
        server.dir,
        &(struct kube_request){.method = kube_text_at(request, "method"),
                               .path = path,
                               .body = translated,
                               .type = kube_text_at(request, "headers.ct"),
                               .token = token && strcmp(token, "None") == 0 ? KUBE_NO_TOKEN : token});

    free(text);
    free(path);
    free(translated);
    return r;
}

/* A kubelet spoke between the exchanges: a pod that is told to be in a phase was put there. */
static void play_kubelet(const cJSON *request, const cJSON *response)
{
    const char *phase = kube_text_at(response, "body.status.phase");
    char *path, *body;

    if (!phase || strcmp(kube_text_at(request, "method"), "DELETE") != 0)
        return;
    char *pod = translate(kube_text_at(request, "path"));
    path = xasprintf("%s/status", pod);
    body = xasprintf("{'status':{'phase':'%s'}}", phase);
    fake_do(&server, 200, "PATCH", path, body);
    free(pod);
    free(path);
    free(body);
}

/* What only reads is asked again until controllers have done what it shows. */
static void replay(int number, const cJSON *exchange)
{
    const cJSON *request = kube_at(exchange, "request"), *response = kube_at(exchange, "response");
    bool reads = strcmp(kube_text_at(request, "method"), "GET") == 0;
    int64_t end_at = clock_mono_ms() + (reads ? DEADLINE_MS : 0);

    play_kubelet(request, response);
    struct kube_response ours = send(request);
    while (!same(&ours, response) && clock_mono_ms() < end_at) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        kube_response_release(&ours);
        ours = send(request);
    }
    bool good = same(&ours, response);
    if (!good)
        show(number, request, &ours, response);
    rename_all(kube_at(response, "body"), ours.json);
    kube_response_release(&ours);
    assert_true(good);
}

static cJSON *read_exchanges(const char *file)
{
    FILE *in = fopen(file, "re");
    struct text t = {0};
    char buf[65536];

    if (!in)
        fail_msg("cannot read %s", file);
    for (size_t n; in && (n = fread(buf, 1, sizeof buf, in)) > 0;)
        text_add_bytes(&t, buf, n);
    if (in)
        fclose(in);
    cJSON *list = cJSON_Parse(text_get(&t));
    if (!cJSON_IsArray(list))
        fail_msg("%s: not an array", file);
    text_release(&t);
    return list;
}

static void every_exchange_is_answered_alike(void **state)
{
    const char *file = getenv("RIVERS_KUBE_EXCHANGES");
    cJSON *list = read_exchanges(file && *file ? file : OWN);
    int number = 0;

    (void)state;
    for (const cJSON *e = list->child; e; e = e->next)
        replay(number++, e);
    assert_true(number > 0);
    print_message("# %d exchanges\n", number);
    cJSON_Delete(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_exchange_is_answered_alike)};
    const char *const options[] = {"--powerless", "lowtok=lowuser", NULL};

    kube_server_start(&server, options);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kube_server_stop(&server);
    while (nrenamed > 0) {
        free(renamed[--nrenamed].theirs);
        free(renamed[nrenamed].ours);
    }
    return failed;
}
