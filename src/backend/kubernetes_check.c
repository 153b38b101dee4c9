#include "backend/kubernetes_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "backend/check.h"
#include "base/mem.h"
#include "core/kube_backend.h"
#include "kube/client.h"
#include "kube/rights.h"

#define DEADLINE_MS 10000

struct cluster {
    struct check *check;
    struct kube_backend config;
    struct kube *kube;
    const char *namespace; /* borrowed from either */
};

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void get(struct cluster *x, const char *path, kube_reply_fn *on_reply)
{
    kube_send_wait(x->kube, &(struct kube_request){.method = "GET", .path = path, .deadline_ms = DEADLINE_MS},
                   on_reply, x);
}

static void check_image(struct cluster *x)
{
    bool given = x->config.image;
    struct err e;

    if (kube_backend_find_image(&x->config, &e) < 0)
        check_tell(x->check, "image", NULL, CHECK_WRONG, "%s", e.msg);
    else
        check_tell(x->check, "image", x->config.image, CHECK_OK,
                   given ? "run_backend.image" : "RIVERS_IMAGE");
}

/* --- the server --- */

static void on_version(void *arg, const struct kube_reply *r)
{
    struct cluster *x = arg;
    const char *version = cJSON_GetStringValue(member(r->object, "gitVersion"));
    const char *server = kube_server_get(x->kube);

    if (!r->status)
        check_tell(x->check, "server", server, CHECK_WRONG, "%s", r->message);
    else
        check_tell(x->check, "server", server, CHECK_OK, "%s",
                   version ? version : "does not tell its version");
    if (!r->status)
        return;
    char *identity = kube_identity_print(x->kube);
    check_tell(x->check, "identity", identity, r->status == 401 ? CHECK_WRONG : CHECK_OK,
               r->status == 401 ? "the server does not accept it: %s" : NULL, r->message);
    free(identity);
}

/* --- what is allowed --- */

static void tell_right(struct cluster *x, const struct right *right, bool allowed, const char *why)
{
    char *name = right_print(right);

    if (allowed)
        check_tell(x->check, "right", name, CHECK_OK, NULL);
    else
        check_tell(x->check, "right", name, CHECK_WRONG,
                   "the Role of %s needs {apiGroups: [\"%s\"], resources: [\"%s\"], verbs: [\"%s\"]}%s%s",
                   x->check->executor ? x->config.service_account : "the dequeuers", right->group,
                   right->resource, right->verb, *why ? "; " : "", why);
    free(name);
}

static void check_rights(struct cluster *x)
{
    const unsigned holder = x->check->executor ? RIGHT_EXECUTOR : RIGHT_DEQUEUER;
    struct err e;

    for (size_t i = 0; i < nrights; i++) {
        bool allowed;
        char *why;
        if (!(rights[i].holders & holder))
            continue;
        if (right_ask(x->kube, x->namespace, &rights[i], &allowed, &why, &e) < 0) {
            check_tell(x->check, "right", NULL, CHECK_WRONG, "cannot be asked for: %s", e.msg);
            return;
        }
        tell_right(x, &rights[i], allowed, why);
        free(why);
    }
}

/* --- the Secret, which need not be readable: only the kubelet gives it to pods --- */

static void on_secret(void *arg, const struct kube_reply *r)
{
    struct cluster *x = arg;
    const char *name = x->config.redis_secret, *key = x->config.redis_secret_key;

    if (r->outcome == KUBE_NOT_FOUND)
        check_tell(
            x->check, "redis_secret", name, CHECK_WRONG,
            "namespace '%s' has no such Secret: kubectl -n %s create secret generic %s --from-literal=%s=URL",
            x->namespace, x->namespace, name, key);
    else if (r->outcome != KUBE_OK)
        check_tell(x->check, "redis_secret", name, CHECK_UNKNOWN, "cannot be read from here, nor need it be");
    else if (!member(member(r->object, "data"), key))
        check_tell(x->check, "redis_secret", name, CHECK_WRONG, "has no key '%s'", key);
    else
        check_tell(x->check, "redis_secret", name, CHECK_OK, "key '%s'", key);
}

static void check_secret(struct cluster *x)
{
    char *path = xasprintf("/api/v1/namespaces/%s/secrets/%s", x->namespace,
                           x->config.redis_secret ? x->config.redis_secret : "");

    if (x->config.redis_secret)
        get(x, path, on_secret);
    free(path);
}

void kubernetes_check(const struct backend_host *host, const char *config, struct check *c)
{
    struct cluster x = {.check = c};
    size_t wrong;
    struct err e;

    if (kube_backend_parse(&x.config, config, &e) < 0) {
        check_tell(c, "settings", "run_backend", CHECK_WRONG, "%s", e.msg);
        goto out;
    }
    check_image(&x);
    wrong = c->wrong;
    if (!(x.kube = kube_new(host->reaper, host->access, &e))) {
        check_tell(c, "server", NULL, CHECK_WRONG, "%s", e.msg);
        goto out;
    }
    x.namespace = x.config.namespace ? x.config.namespace : kube_namespace_get(x.kube);
    get(&x, "/version", on_version);
    check_tell(c, "namespace", x.namespace, CHECK_OK,
               x.config.namespace ? "run_backend.namespace" : "of who asks");
    if (c->wrong == wrong) {
        check_rights(&x);
        check_secret(&x);
    }
out:
    kube_free(x.kube);
    kube_backend_release(&x.config);
}
