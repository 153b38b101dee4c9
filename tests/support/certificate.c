#include "support/certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LIFE_S 86400

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tests/support/certificate: %s failed\n", what);
    exit(1);
}

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    check(extension && X509_add_ext(x509, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void set_name(X509 *x509, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(x509);

    check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0),
          "name");
}

static char *written(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *copy = xmemdup(bytes, (size_t)n);

    BIO_free(bio);
    return copy;
}

struct certificate *certificate_new(const char *name, const char *san, const struct certificate *issuer)
{
    static long serial;
    struct certificate *c = xcalloc(1, sizeof *c);
    BIO *pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());

    c->key = EVP_EC_gen("P-256");
    c->x509 = X509_new();
    check(c->key && c->x509, "key");
    X509_set_version(c->x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c->x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c->x509), -LIFE_S);
    X509_gmtime_adj(X509_getm_notAfter(c->x509), LIFE_S);
    X509_set_pubkey(c->x509, c->key);
    set_name(c->x509, name);
    X509_set_issuer_name(c->x509, X509_get_subject_name(issuer ? issuer->x509 : c->x509));
    add_extension(c->x509, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (san)
        add_extension(c->x509, NID_subject_alt_name, san);
    check(X509_sign(c->x509, issuer ? issuer->key : c->key, EVP_sha256()), "signature");
    check(PEM_write_bio_X509(pem, c->x509), "PEM");
    check(PEM_write_bio_PrivateKey(key_pem, c->key, NULL, NULL, 0, NULL, NULL), "PEM of the key");
    c->pem = written(pem);
    c->key_pem = written(key_pem);
    return c;
}

void certificate_free(struct certificate *c)
{
    if (!c)
        return;
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    free(c->pem);
    free(c->key_pem);
    free(c);
}

struct http_bytes certificate_bytes(const struct certificate *c)
{
    return (struct http_bytes){c->pem, strlen(c->pem)};
}

struct http_bytes certificate_key_bytes(const struct certificate *c)
{
    return (struct http_bytes){c->key_pem, strlen(c->key_pem)};
}
