#include "support/kube_fake.h"

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
#include "support/kube_json.h"

#define DEADLINE_MS 60000

static char *quoted(const char *s)
{
    char *copy = xstrdup(s);

    for (char *c = copy; c && *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

cJSON *fake_ask(const struct kube_server *s, int status, const char *method, const char *path,
                const char *body)
{
    char *json = quoted(body);
    struct kube_response r =
        kube_ask(s->dir, &(struct kube_request){.method = method, .path = path, .body = json});

    if (r.status != status)
        fail_msg("%s %s %s: status %d, wanted %d: %s", method, path, body ? body : "", r.status, status,
                 r.text ? r.text : "");
    cJSON *answer = r.json ? r.json : cJSON_CreateString(r.text);
    r.json = NULL;
    kube_response_release(&r);
    free(json);
    return answer;
}

void fake_do(const struct kube_server *s, int status, const char *method, const char *path, const char *body)
{
    cJSON_Delete(fake_ask(s, status, method, path, body));
}

void fake_job(const struct kube_server *s, const char *name, const char *container)
{
    char *image = strstr(container, "'image'") ? xstrdup("") : xstrdup("'image':'example/x:1',");
    char *job =
        xasprintf("{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'%s'},'spec':{'backoffLimit':0,"
                  "'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'step',%s%s}]}}}}",
                  name, image, container);

    char *path = fake_path(s, "jobs");
    fake_do(s, 201, "POST", path, job);
    free(path);
    free(image);
    free(job);
}

char *fake_path(const struct kube_server *s, const char *object)
{
    const char *api = strncmp(object, "jobs", 4) == 0 ? "apis/batch/v1" : "api/v1";

    return xasprintf("/%s/namespaces/%s/%s", api, s->namespace, object);
}

/* The text at a path, owned; "" when there is nothing. */
static char *text_of(const cJSON *object, const char *path)
{
    const cJSON *v = kube_at(object, path);

    if (!v)
        return xstrdup("");
    return cJSON_IsString(v) ? xstrdup(v->valuestring) : cJSON_PrintUnformatted(v);
}

static char *text_at(const struct kube_server *s, const char *object, const char *path)
{
    char *url = fake_path(s, object);
    cJSON *answer = fake_ask(s, 200, "GET", url, NULL);
    char *text = text_of(answer, path);

    cJSON_Delete(answer);
    free(url);
    return text;
}

static void compare(const char *object, const char *path, char *have, const char *want)
{
    if (strcmp(have, want) != 0)
        fail_msg("%s: %s is `%s`, wanted `%s`", object, path, have, want);
    free(have);
}

void fake_is(const struct kube_server *s, const char *object, const char *path, const char *want)
{
    compare(object, path, text_at(s, object, path), want);
}

static void pause_until(int64_t end_at, const char *what)
{
    if (clock_mono_ms() > end_at)
        fail_msg("waited in vain for %s", what);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

void fake_until(const struct kube_server *s, const char *object, const char *path, const char *want)
{
    int64_t end_at = clock_mono_ms() + DEADLINE_MS;

    for (;;) {
        char *have = text_at(s, object, path);
        if (strcmp(have, want) == 0 || clock_mono_ms() > end_at) {
            compare(object, path, have, want);
            return;
        }
        free(have);
        pause_until(end_at, path);
    }
}

void fake_until_gone(const struct kube_server *s, const char *object)
{
    char *url = fake_path(s, object);

    for (int64_t end_at = clock_mono_ms() + DEADLINE_MS;; pause_until(end_at, object)) {
        struct kube_response r = kube_ask(s->dir, &(struct kube_request){.method = "GET", .path = url});
        int status = r.status;
        kube_response_release(&r);
        if (status == 404)
            break;
    }
    free(url);
}

static cJSON *pods_of(const struct kube_server *s, const char *job)
{
    char *url = xasprintf("/api/v1/namespaces/%s/pods?labelSelector=job-name%%3D%s", s->namespace, job);
    cJSON *list = fake_ask(s, 200, "GET", url, NULL);

    free(url);
    return list;
}

static int64_t version_of(const cJSON *pod)
{
    return strtoll(kube_text_at(pod, "metadata.resourceVersion"), NULL, 10);
}

static int number_of(const struct kube_server *s, const char *objects)
{
    char *url = fake_path(s, objects);
    cJSON *list = fake_ask(s, 200, "GET", url, NULL);
    int n = cJSON_GetArraySize(cJSON_GetObjectItem(list, "items"));

    cJSON_Delete(list);
    free(url);
    return n;
}

int fake_jobs(const struct kube_server *s)
{
    return number_of(s, "jobs");
}

int fake_unfinished(const struct kube_server *s)
{
    char *url = fake_path(s, "jobs");
    cJSON *list = fake_ask(s, 200, "GET", url, NULL);
    int n = 0;

    for (const cJSON *job = kube_first(cJSON_GetObjectItem(list, "items")); job; job = job->next)
        n += !kube_first(kube_at(job, "status.conditions"));
    cJSON_Delete(list);
    free(url);
    return n;
}

int fake_running(const struct kube_server *s)
{
    return number_of(s, "pods?fieldSelector=status.phase%3DRunning");
}

char *fake_pod(const struct kube_server *s, const char *job)
{
    cJSON *list = pods_of(s, job);
    const cJSON *newest = NULL;

    for (const cJSON *p = kube_first(cJSON_GetObjectItem(list, "items")); p; p = p->next)
        if (!newest || version_of(p) > version_of(newest))
            newest = p;
    char *name = newest ? xasprintf("pods/%s", kube_text_at(newest, "metadata.name")) : NULL;
    cJSON_Delete(list);
    return name;
}

int fake_pods(const struct kube_server *s, const char *job)
{
    cJSON *list = pods_of(s, job);
    int n = cJSON_GetArraySize(cJSON_GetObjectItem(list, "items"));

    cJSON_Delete(list);
    return n;
}

void fake_pod_is(const struct kube_server *s, const char *job, const char *path, const char *want)
{
    char *pod = fake_pod(s, job);

    assert_non_null(pod);
    fake_is(s, pod, path, want);
    free(pod);
}

void fake_pod_until(const struct kube_server *s, const char *job, const char *path, const char *want)
{
    char *pod;

    for (int64_t end_at = clock_mono_ms() + DEADLINE_MS; !(pod = fake_pod(s, job));)
        pause_until(end_at, "a pod");
    fake_until(s, pod, path, want);
    free(pod);
}

static char *log_of(const struct kube_server *s, const char *job, const char *query)
{
    char *pod = fake_pod(s, job), *object = xasprintf("%s/log%s", pod, query), *url = fake_path(s, object);
    cJSON *answer = fake_ask(s, 200, "GET", url, NULL);
    char *log = xstrdup(cJSON_GetStringValue(answer));

    cJSON_Delete(answer);
    free(url);
    free(object);
    free(pod);
    return log;
}

void fake_log_is(const struct kube_server *s, const char *job, const char *query, const char *want)
{
    char *log = log_of(s, job, query);

    assert_string_equal(log, want);
    free(log);
}

void fake_log_until(const struct kube_server *s, const char *job, const char *want)
{
    int64_t end_at = clock_mono_ms() + DEADLINE_MS;
    char *log;

    while (strcmp(log = log_of(s, job, ""), want) != 0) {
        free(log);
        pause_until(end_at, want);
    }
    free(log);
}

int fake_number(const struct kube_server *s, const char *path)
{
    cJSON *dump = fake_ask(s, 200, "GET", "/-/dump", NULL);
    const cJSON *v = kube_at(dump, path);
    int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : v ? v->valueint : 0;

    cJSON_Delete(dump);
    return n;
}

long fake_log_number(const struct kube_server *s, const char *job)
{
    int64_t end_at = clock_mono_ms() + DEADLINE_MS;
    char *log;

    while (!strchr(log = log_of(s, job, ""), '\n')) {
        free(log);
        pause_until(end_at, "a line");
    }
    long n = strtol(log, NULL, 10);
    free(log);
    return n;
}
