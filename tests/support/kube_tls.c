#include "support/kube_tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define DAY_S 86400L

struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

struct kube_tls {
    struct pair ca, server, client;
    SSL_CTX *context;
    int made; /* certificates: the serial number */
};

/* ok: what an OpenSSL call returned. */
static void must(int ok)
{
    if (ok > 0)
        return;
    fprintf(stderr, "tests/support/kube_tls: ");
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void pair_release(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (struct pair){0};
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL);
    must(X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

static void name_part(X509_NAME *name, const char *field, const char *value)
{
    must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0));
}

/* issuer NULL: signed by itself, a CA. use: of the key, NULL for a CA. */
static struct pair pair_new(struct kube_tls *t, const char *name, const char *group,
                            const struct pair *issuer, const char *use)
{
    struct pair p = {X509_new(), EVP_EC_gen("P-256")};
    const struct pair *by = issuer ? issuer : &p;
    X509_NAME *subject = X509_NAME_new();

    must(p.cert && p.key && subject);
    must(X509_set_version(p.cert, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(p.cert), ++t->made));
    must(X509_gmtime_adj(X509_getm_notBefore(p.cert), -DAY_S) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(p.cert), 365 * DAY_S) != NULL);
    name_part(subject, "CN", name);
    if (group)
        name_part(subject, "O", group);
    must(X509_set_subject_name(p.cert, subject));
    must(X509_set_issuer_name(p.cert, issuer ? X509_get_subject_name(issuer->cert) : subject));
    must(X509_set_pubkey(p.cert, p.key));
    extend(p.cert, by->cert, NID_subject_key_identifier, "hash");
    extend(p.cert, by->cert, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    extend(p.cert, by->cert, NID_key_usage, issuer ? "critical,digitalSignature" : "critical,keyCertSign");
    if (use)
        extend(p.cert, by->cert, NID_ext_key_usage, use);
    if (use && !group)
        extend(p.cert, by->cert, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    must(X509_sign(p.cert, by->key, EVP_sha256()));
    X509_NAME_free(subject);
    return p;
}

/* Any certificate is taken here, none as well: who it is and what it may is decided for every request. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
    (void)store;
    return ok;
}

static void make_server(struct kube_tls *t)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    pair_release(&t->server);
    t->server = pair_new(t, "kube-apiserver", NULL, &t->ca, "serverAuth");
    must(context != NULL);
    must(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    must(SSL_CTX_use_certificate(context, t->server.cert));
    must(SSL_CTX_use_PrivateKey(context, t->server.key));
    must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), t->ca.cert));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    must(SSL_CTX_set_session_id_context(context, (const unsigned char *)"kube", 4));
    SSL_CTX_free(t->context);
    t->context = context;
}

static void make_all(struct kube_tls *t)
{
    pair_release(&t->ca);
    pair_release(&t->client);
    t->ca = pair_new(t, "kubernetes", NULL, NULL, NULL);
    t->client = pair_new(t, "kubernetes-admin", "system:masters", &t->ca, "clientAuth");
    make_server(t);
}

struct kube_tls *kube_tls_new(void)
{
    struct kube_tls *t = xcalloc(1, sizeof *t);

    make_all(t);
    return t;
}

void kube_tls_free(struct kube_tls *t)
{
    pair_release(&t->ca);
    pair_release(&t->server);
    pair_release(&t->client);
    SSL_CTX_free(t->context);
    free(t);
}

SSL_CTX *kube_tls_context_get(const struct kube_tls *t)
{
    return t->context;
}

void kube_tls_rotate(struct kube_tls *t, int new_ca)
{
    if (new_ca)
        make_all(t);
    else
        make_server(t);
}

static char *bio_text(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *copy = xmemdup(bytes, (size_t)n);

    BIO_free(bio);
    return copy;
}

static char *cert_text(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_X509(bio, cert));
    return bio_text(bio);
}

char *kube_tls_ca(const struct kube_tls *t)
{
    return cert_text(t->ca.cert);
}

char *kube_tls_client_cert(const struct kube_tls *t)
{
    return cert_text(t->client.cert);
}

char *kube_tls_client_key(const struct kube_tls *t)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_PrivateKey(bio, t->client.key, NULL, NULL, 0, NULL, NULL));
    return bio_text(bio);
}
