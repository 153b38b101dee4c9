#include "support/kube_users.h"

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DENIED_MAX 16

struct denied {
    char verb[32], resource[64]; /* "": a free row */
};

struct kube_users {
    const struct option_list *powerless;
    char *token;
    char certified[64]; /* who showed the last certificate */
    struct denied denied[DENIED_MAX];
};

void kube_token_rotate(struct kube_users *u)
{
    unsigned char random[16];

    if (RAND_bytes(random, sizeof random) != 1)
        abort();
    free(u->token);
    u->token = xmalloc(2 * sizeof random + 1);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(u->token + 2 * i, 3, "%02x", random[i]);
}

struct kube_users *kube_users_new(const struct option_list *powerless)
{
    struct kube_users *u = xcalloc(1, sizeof *u);

    u->powerless = powerless;
    kube_token_rotate(u);
    return u;
}

void kube_users_free(struct kube_users *u)
{
    free(u->token);
    free(u);
}

const char *kube_token_get(const struct kube_users *u)
{
    return u->token;
}

/* Who shows a client certificate; false: nobody does. */
static bool certified(struct kube_users *u, const struct kube_call *call, bool *valid)
{
    SSL *ssl = kube_call_ssl(call);
    X509 *cert = SSL_get1_peer_certificate(ssl);

    *valid = SSL_get_verify_result(ssl) == X509_V_OK;
    if (!cert)
        return false;
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, u->certified, sizeof u->certified);
    X509_free(cert);
    return true;
}

static const char *by_token(const struct kube_users *u, const char *token)
{
    size_t n = strlen(token);

    if (strcmp(token, u->token) == 0)
        return KUBE_USER;
    for (size_t i = 0; i < u->powerless->n; i++)
        if (strncmp(u->powerless->items[i], token, n) == 0 && u->powerless->items[i][n] == '=')
            return u->powerless->items[i] + n + 1;
    return NULL;
}

const char *kube_user_of(struct kube_users *u, const struct kube_call *call)
{
    const char *header = kube_header(call, "Authorization");
    bool valid;

    if (certified(u, call, &valid))
        return valid ? u->certified : NULL;
    if (!header)
        return KUBE_ANONYMOUS;
    return strncmp(header, "Bearer ", 7) == 0 ? by_token(u, header + 7) : NULL;
}

static int denied_find(const struct kube_users *u, const char *verb, const char *resource)
{
    for (int i = 0; i < DENIED_MAX; i++)
        if (strcmp(u->denied[i].verb, verb) == 0 && strcmp(u->denied[i].resource, resource) == 0)
            return i;
    return -1;
}

void kube_users_deny(struct kube_users *u, const char *verb, const char *resource, bool yes)
{
    int known = denied_find(u, verb, resource), row = yes && known < 0 ? denied_find(u, "", "") : -1;

    if (known >= 0 && !yes)
        u->denied[known] = (struct denied){0};
    if (row < 0)
        return;
    snprintf(u->denied[row].verb, sizeof u->denied[row].verb, "%s", verb);
    snprintf(u->denied[row].resource, sizeof u->denied[row].resource, "%s", resource);
}

bool kube_user_may(const struct kube_users *u, const char *user, const char *verb, const char *resource)
{
    if (strcmp(user, KUBE_USER) != 0 && strcmp(user, "kubernetes-admin") != 0)
        return false;
    return denied_find(u, verb, resource) < 0;
}
