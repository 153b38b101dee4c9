#include "support/kube_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "support/kube_json.h"
#include "support/kube_status.h"

struct rule {
    TAILQ_ENTRY(rule) entry;
    char *method, *path; /* NULL: any; the beginning of the path */
    const struct fault *fault;
    int64_t times, skip, ms, retry_after;
};

struct kube_faults {
    struct kube_watches *watches;
    TAILQ_HEAD(, rule) rules;
    bool second_pod, no_pod; /* of the call under way */
    kube_call_fn *again;
    void *arg;
};

/* True: the call is answered or goes on later. */
typedef bool fault_fn(struct kube_faults *f, struct kube_call *call, const struct rule *r);

static void retry_after(struct kube_call *call, const struct rule *r)
{
    char seconds[32];

    snprintf(seconds, sizeof seconds, "%lld", (long long)r->retry_after);
    kube_answer_header(call, "Retry-After", seconds);
}

static bool too_many(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f;
    retry_after(call, r);
    kube_answer_text(call, 429, "Too many requests, please try again later.\n");
    return true;
}

static bool refuse(struct kube_call *call, cJSON *status)
{
    kube_answer(call, kube_status_code(status), status);
    return true;
}

static bool internal_error(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    return refuse(
        call, kube_status(500, "InternalError", NULL, "Internal error occurred: etcdserver: leader changed"));
}

static bool unavailable(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f;
    retry_after(call, r);
    return refuse(call, kube_status(503, "ServiceUnavailable", NULL,
                                    "the server is currently unable to handle the request"));
}

static bool timed_out(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    return refuse(call, kube_status(504, "Timeout", NULL,
                                    "Timeout: request did not complete within the allotted timeout"));
}

static bool unauthorized(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    return refuse(call, kube_status(401, "Unauthorized", NULL, "Unauthorized"));
}

static bool forbidden(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    return refuse(call,
                  kube_status(403, "Forbidden", NULL, "%s is forbidden: by a scripted fault", call->path));
}

static bool over_quota(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    cJSON *body = cJSON_Parse(call->body);
    const char *given = kube_text_at(body, "metadata.name"), *name = given ? given : "";
    cJSON *status =
        kube_status(403, "Forbidden", kube_json("{'name':%s,'group':'batch','kind':'jobs'}", name),
                    "jobs.batch \"%s\" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, "
                    "used: count/jobs.batch=10, limited: count/jobs.batch=10",
                    name);

    (void)f, (void)r;
    cJSON_Delete(body);
    return refuse(call, status);
}

static bool reset_before(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    kube_reset(call);
    return true;
}

static bool reset_after(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    call->way = KUBE_LOST;
    return false;
}

static bool cut_body(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    call->way = KUBE_CUT;
    return false;
}

static bool slow_body(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f;
    call->way = KUBE_SLOW;
    call->way_ms = r->ms;
    return false;
}

static bool delay(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    kube_later(call, r->ms, f->again, f->arg);
    return true;
}

static bool hang(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)call, (void)r;
    return true;
}

static bool hang_after(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)f, (void)r;
    call->way = KUBE_NEVER;
    return false;
}

static bool expire_watch(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)r;
    kube_watch_expired(f->watches, call);
    return true;
}

static bool mark_second_pod(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)call, (void)r;
    f->second_pod = true;
    return false;
}

static bool mark_no_pod(struct kube_faults *f, struct kube_call *call, const struct rule *r)
{
    (void)call, (void)r;
    f->no_pod = true;
    return false;
}

static const struct fault {
    const char *word;
    fault_fn *apply;
    bool watches_only;
} faults[] = {
    {"429-text", too_many, false},
    {"500", internal_error, false},
    {"503", unavailable, false},
    {"504", timed_out, false},
    {"401", unauthorized, false},
    {"403", forbidden, false},
    {"quota-403", over_quota, false},
    {"reset-before", reset_before, false},
    {"reset-after", reset_after, false},
    {"cut-body", cut_body, false},
    {"slow-body", slow_body, false},
    {"delay", delay, false},
    {"hang", hang, false},
    {"hang-after", hang_after, false},
    {"watch-410", expire_watch, true},
    {"second-pod", mark_second_pod, false},
    {"no-pod", mark_no_pod, false},
};

static const struct fault *fault_find(const char *word)
{
    for (size_t i = 0; word && i < sizeof faults / sizeof *faults; i++)
        if (strcmp(faults[i].word, word) == 0)
            return &faults[i];
    return NULL;
}

struct kube_faults *kube_faults_new(struct kube_watches *watches)
{
    struct kube_faults *f = xcalloc(1, sizeof *f);

    f->watches = watches;
    TAILQ_INIT(&f->rules);
    return f;
}

static void rule_free(struct kube_faults *f, struct rule *r)
{
    TAILQ_REMOVE(&f->rules, r, entry);
    free(r->method);
    free(r->path);
    free(r);
}

void kube_faults_clear(struct kube_faults *f)
{
    while (!TAILQ_EMPTY(&f->rules))
        rule_free(f, TAILQ_FIRST(&f->rules));
}

void kube_faults_free(struct kube_faults *f)
{
    kube_faults_clear(f);
    free(f);
}

static void rule_add(struct kube_faults *f, const cJSON *rule)
{
    struct rule *r = xcalloc(1, sizeof *r);

    *r = (struct rule){.method = xstrdup(kube_text_at(rule, "match.method")),
                       .path = xstrdup(kube_text_at(rule, "match.path")),
                       .fault = fault_find(kube_text_at(rule, "do")),
                       .times = kube_whole_at(rule, "times", 1),
                       .skip = kube_whole_at(rule, "skip", 0),
                       .ms = kube_whole_at(rule, "ms", 100),
                       .retry_after = kube_whole_at(rule, "retry_after", 1)};
    TAILQ_INSERT_TAIL(&f->rules, r, entry);
}

bool kube_faults_add(struct kube_faults *f, const cJSON *rules)
{
    const cJSON *first = cJSON_IsArray(rules) ? rules->child : rules;

    for (const cJSON *r = first; r; r = r->next)
        if (!fault_find(kube_text_at(r, "do")))
            return false;
    for (const cJSON *r = first; r; r = r->next)
        rule_add(f, r);
    return first != NULL;
}

cJSON *kube_faults_dump(const struct kube_faults *f)
{
    cJSON *list = cJSON_CreateArray();
    const struct rule *r;

    TAILQ_FOREACH (r, &f->rules, entry)
        cJSON_AddItemToArray(list,
                             kube_json("{'match':{'method':%s,'path':%s},'times':%d,'skip':%d,'do':%s}",
                                       r->method, r->path, (int)r->times, (int)r->skip, r->fault->word));
    return list;
}

static bool matches(const struct rule *r, const struct kube_call *call)
{
    const char *watch = kube_query(call, "watch");

    if (r->method && strcmp(r->method, call->method) != 0)
        return false;
    if (r->path && strncmp(call->path, r->path, strlen(r->path)) != 0)
        return false;
    return !r->fault->watches_only || watch;
}

static struct rule *matching(struct kube_faults *f, const struct kube_call *call)
{
    struct rule *r;

    TAILQ_FOREACH (r, &f->rules, entry)
        if (matches(r, call)) {
            if (r->skip == 0)
                return r;
            r->skip--;
        }
    return NULL;
}

bool kube_faults_apply(struct kube_faults *f, struct kube_call *call, kube_call_fn *again, void *arg)
{
    struct rule *r = matching(f, call);

    f->second_pod = f->no_pod = false;
    f->again = again;
    f->arg = arg;
    if (!r)
        return false;
    bool taken = r->fault->apply(f, call, r);
    if (--r->times <= 0)
        rule_free(f, r);
    return taken;
}

void kube_faults_mark(struct kube_faults *f, struct kube_object *job)
{
    job->another_pod = f->second_pod;
    job->blocked = f->no_pod;
}
