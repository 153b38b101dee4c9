#include "support/kube_files.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

void kube_file_write(const char *dir, const char *name, const char *content)
{
    char *path = xasprintf("%s/%s", dir, name), *fresh = xasprintf("%s/.%s.new", dir, name);
    FILE *out = fopen(fresh, "we");

    if (!out || fputs(content, out) < 0 || fclose(out) != 0 || rename(fresh, path) != 0) {
        perror(path);
        exit(1);
    }
    free(path);
    free(fresh);
}

static char *base64(const char *s)
{
    size_t n = strlen(s);
    char *out = xmalloc(n * 4 / 3 + 8);

    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)s, (int)n);
    return out;
}

static void add_context(struct text *t, const char *name, const char *ns)
{
    text_addf(t, "- name: %s\n  context:\n    cluster: fake\n    user: %s\n    namespace: %s\n", name, name,
              ns);
}

static char *kubeconfig(const struct kube_files *f, const char *ca, const char *cert, const char *key,
                        const char *token)
{
    struct text t = {0};
    char *ca64 = base64(ca), *cert64 = base64(cert), *key64 = base64(key);

    text_addf(
        &t,
        "apiVersion: v1\nkind: Config\ncurrent-context: token-file\nclusters:\n- name: fake\n  cluster:\n"
        "    server: https://127.0.0.1:%d\n    certificate-authority-data: %s\ncontexts:\n",
        f->port, ca64);
    add_context(&t, "token-file", f->ns);
    add_context(&t, "token", f->ns);
    add_context(&t, "certificate", f->ns);
    add_context(&t, "inline", f->ns);
    text_addf(&t, "users:\n- name: token-file\n  user:\n    tokenFile: %s/token\n", f->dir);
    text_addf(&t, "- name: token\n  user:\n    token: %s\n", token);
    text_addf(
        &t, "- name: certificate\n  user:\n    client-certificate: client.crt\n    client-key: client.key\n");
    text_addf(&t, "- name: inline\n  user:\n    client-certificate-data: %s\n    client-key-data: %s\n",
              cert64, key64);
    free(ca64);
    free(cert64);
    free(key64);
    return t.s;
}

void kube_files_write(const struct kube_files *f, const struct kube_tls *tls, const char *token)
{
    char *ca = kube_tls_ca(tls), *cert = kube_tls_client_cert(tls), *key = kube_tls_client_key(tls);
    char *config = kubeconfig(f, ca, cert, key, token);
    char *url = xasprintf("https://127.0.0.1:%d", f->port);

    kube_file_write(f->dir, "token", token);
    kube_file_write(f->dir, "ca.crt", ca);
    kube_file_write(f->dir, "client.crt", cert);
    kube_file_write(f->dir, "client.key", key);
    kube_file_write(f->dir, "kubeconfig", config);
    if (f->service_account) {
        mkdir(f->service_account, 0755);
        kube_file_write(f->service_account, "token", token);
        kube_file_write(f->service_account, "ca.crt", ca);
        kube_file_write(f->service_account, "namespace", f->ns);
    }
    kube_file_write(f->dir, "url", url); /* the last: all is there */
    free(ca);
    free(cert);
    free(key);
    free(config);
    free(url);
}
