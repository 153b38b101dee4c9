#include "kube/exec_credential.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static int read_time(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    const char *s;

    if (cJSON_IsNull(v))
        return 0;
    if (json_string(v, at, &s, e))
        return -1;
    return rfc3339_parse(s, into) ? json_fault(e, at, "is not a time such as \"2026-11-24T05:00:00Z\"") : 0;
}

static int read_status(const cJSON *v, const struct json_path *at, void *into, struct err *e)
{
    static const struct json_member members[] = {
        {"token", json_optional_text, offsetof(struct exec_credential, token), false},
        {"clientCertificateData", json_optional_text, offsetof(struct exec_credential, certificate), false},
        {"clientKeyData", json_optional_text, offsetof(struct exec_credential, key), false},
        {"expirationTimestamp", read_time, offsetof(struct exec_credential, expires_at), false},
    };

    return json_object(v, at, members, COUNT(members), into, e);
}

static int check_text(const cJSON *tree, const char *key, const char *expected, struct err *e)
{
    const struct json_path at = {NULL, key, 0};
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, key));

    return s && !strcmp(s, expected) ? 0 : json_fault(e, &at, "must be '%s'", expected);
}

static int check_whole(const struct exec_credential *c, struct err *e)
{
    const struct json_path at = {NULL, "status", 0};

    if (!c->token && !c->certificate)
        return json_fault(e, &at, "holds neither a token nor a client certificate");
    if (!c->certificate != !c->key)
        return json_fault(e, &at, "holds one of a client certificate and its key");
    return 0;
}

static int read_tree(struct exec_credential *c, const cJSON *tree, const char *api_version, struct err *e)
{
    const struct json_path at = {NULL, "status", 0};

    if (check_text(tree, "kind", "ExecCredential", e) || check_text(tree, "apiVersion", api_version, e) ||
        read_status(cJSON_GetObjectItemCaseSensitive(tree, "status"), &at, c, e))
        return -1;
    return check_whole(c, e);
}

int exec_credential_parse(struct exec_credential *c, const char *text, size_t len, const char *api_version,
                          struct err *e)
{
    cJSON *tree = json_parse(text, len, 0, e);

    *c = (struct exec_credential){0};
    int status = tree ? read_tree(c, tree, api_version, e) : -1;
    cJSON_Delete(tree);
    if (status)
        exec_credential_release(c);
    return status;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void exec_credential_release(struct exec_credential *c)
{
    wipe(c->token);
    wipe(c->key);
    free(c->certificate);
    *c = (struct exec_credential){0};
}
