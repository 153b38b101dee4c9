#include "support/kube_container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/kube_json.h"

static const char *env_value(const struct environment *env, const char *name, size_t n)
{
    for (size_t i = 0; i < env->n; i++)
        if (strncmp(env->vars[i], name, n) == 0 && env->vars[i][n] == '=')
            return env->vars[i] + n + 1;
    return NULL;
}

/* Owned by the caller. A reference to what is not set stays as it is. */
static char *expand(const char *s, const struct environment *env)
{
    struct text t = {0};

    text_add(&t, "");
    while (*s) {
        const char *close = s[0] == '$' && s[1] == '(' ? strchr(s, ')') : NULL;
        const char *value = close ? env_value(env, s + 2, (size_t)(close - s - 2)) : NULL;
        if (s[0] == '$' && s[1] == '$') {
            text_add(&t, "$");
            s += 2;
        } else if (value) {
            text_add(&t, value);
            s = close + 1;
        } else {
            text_add_bytes(&t, s++, 1);
        }
    }
    return t.s;
}

static int secret_value(const struct kube_container_options *o, const struct kube_object *pod,
                        const cJSON *ref, const char **value, struct err *e)
{
    const char *name = kube_text_at(ref, "name"), *key = kube_text_at(ref, "key");
    char *exact = xasprintf("%s/%s=", name, key), *any = xasprintf("%s/", name);
    bool known = false;

    *value = NULL;
    for (size_t i = 0; i < o->secrets->n; i++) {
        known = known || strncmp(o->secrets->items[i], any, strlen(any)) == 0;
        if (strncmp(o->secrets->items[i], exact, strlen(exact)) == 0)
            *value = o->secrets->items[i] + strlen(exact);
    }
    free(exact);
    free(any);
    if (*value || kube_true_at(ref, "optional"))
        return 0;
    if (!known)
        return err_set(e, ERR_NOT_FOUND, "secret \"%s\" not found", name);
    return err_set(e, ERR_NOT_FOUND, "couldn't find key %s in Secret %s/%s", key, pod->ns, name);
}

/* `metadata.labels['x']`, or a path. */
static const char *field_value(const struct kube_object *pod, const char *path)
{
    const char *bracket = strchr(path, '[');
    char map[64], key[320];

    if (!bracket)
        return kube_text_at(pod->json, path);
    snprintf(map, sizeof map, "%.*s", (int)(bracket - path), path);
    snprintf(key, sizeof key, "%.*s", (int)strcspn(bracket + 2, "'"), bracket + 2);
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kube_at(pod->json, map), key));
}

static int set_one(struct kube_container *c, const struct kube_container_options *o,
                   const struct kube_object *pod, const cJSON *var, struct err *e)
{
    const char *name = kube_text_at(var, "name"), *value = kube_text_at(var, "value");
    const cJSON *secret = kube_at(var, "valueFrom.secretKeyRef");
    const char *field = kube_text_at(var, "valueFrom.fieldRef.fieldPath");

    if (secret && secret_value(o, pod, secret, &value, e) < 0)
        return -1;
    if (field)
        value = field_value(pod, field);
    else if (!secret && cJSON_HasObjectItem(var, "valueFrom"))
        return err_set(e, ERR_INVALID, "this node knows no such valueFrom: %s", name);
    if (secret && !value)
        return 0; /* optional */
    char *expanded = secret || field ? xstrdup(value ? value : "") : expand(value ? value : "", &c->env);
    environment_set(&c->env, name, expanded);
    free(expanded);
    return 0;
}

static int make_env(struct kube_container *c, const struct kube_container_options *o,
                    const struct kube_object *pod, const cJSON *container, struct err *e)
{
    char port[16];

    environment_init(&c->env, NULL);
    environment_set(&c->env, "PATH", getenv("PATH"));
    for (size_t i = 0; i < o->pass_env->n; i++)
        if (getenv(o->pass_env->items[i]))
            environment_set(&c->env, o->pass_env->items[i], getenv(o->pass_env->items[i]));
    if (!env_value(&c->env, "KUBECONFIG", strlen("KUBECONFIG"))) {
        snprintf(port, sizeof port, "%d", o->api_port);
        environment_set(&c->env, "KUBERNETES_SERVICE_HOST", "127.0.0.1");
        environment_set(&c->env, "KUBERNETES_SERVICE_PORT", port);
    }
    environment_set(&c->env, "HOSTNAME", pod->name);
    for (const cJSON *v = kube_first(cJSON_GetObjectItem(container, "env")); v; v = v->next)
        if (set_one(c, o, pod, v, e) < 0)
            return -1;
    return 0;
}

int kube_container_make(struct kube_container *c, const struct kube_container_options *o,
                        const struct kube_object *pod, struct err *e)
{
    const cJSON *container = kube_first(kube_at(pod->json, "spec.containers"));
    const cJSON *command = cJSON_GetObjectItem(container, "command"),
                *args = cJSON_GetObjectItem(container, "args");
    size_t n = 0;

    *c = (struct kube_container){.cwd = kube_text_at(container, "workingDir")};
    c->argv =
        xcalloc((size_t)cJSON_GetArraySize(command) + (size_t)cJSON_GetArraySize(args) + 1, sizeof *c->argv);
    if (make_env(c, o, pod, container, e) < 0)
        return -1;
    for (const cJSON *word = kube_first(command); word; word = word->next)
        c->argv[n++] = expand(word->valuestring, &c->env);
    for (const cJSON *word = kube_first(args); word; word = word->next)
        c->argv[n++] = expand(word->valuestring, &c->env);
    return n > 0 ? 0 : err_set(e, ERR_INVALID, "Error: no command specified");
}

void kube_container_release(struct kube_container *c)
{
    for (char **word = c->argv; *word; word++)
        free(*word);
    free(c->argv);
    environment_release(&c->env);
}
